namespace PersistCa.Protocol.Records;

/// <summary>The three ways of writing a persistent record (dns-persist-01 rules section 1).</summary>
public enum PersistDialect
{
    /// <summary>v=acme-persist-01; ca=...; account=...; exp=..., at _acme-persist.</summary>
    AcmePersist = 1,

    /// <summary>issuer; accounturi=account URL, at _validation-persist (drafts -00 and -01).</summary>
    Draft01 = 2,

    /// <summary>issuer; accounturi=hashed URI, at _validation-persist (draft -02).</summary>
    Draft02 = 3,
}

/// <summary>The labels under which records stand.</summary>
public enum PersistLabel
{
    /// <summary>_acme-persist.</summary>
    AcmePersist = 1,

    /// <summary>_validation-persist.</summary>
    ValidationPersist = 2,

    /// <summary>_ip-validation-persist, before the reverse name of an address (BR 3.2.2.5.8).</summary>
    IpValidationPersist = 3,
}

/// <summary>Words for dialects and labels.</summary>
public static class PersistDialects
{
    /// <summary>Every dialect.</summary>
    public static IReadOnlyList<PersistDialect> All { get; } = [PersistDialect.AcmePersist, PersistDialect.Draft01, PersistDialect.Draft02];

    /// <summary>Every label of names.</summary>
    public static IReadOnlyList<PersistLabel> Labels { get; } = [PersistLabel.ValidationPersist, PersistLabel.AcmePersist];

    /// <summary>The dialect's name in configuration, evidence and audit.</summary>
    public static string Wire(this PersistDialect dialect) => dialect switch
    {
        PersistDialect.AcmePersist => "acme-persist",
        PersistDialect.Draft01 => "draft-01",
        PersistDialect.Draft02 => "draft-02",
        _ => throw new ArgumentOutOfRangeException(nameof(dialect), dialect, "not a dialect"),
    };

    /// <summary>Reads a dialect's name, null when it is none.</summary>
    public static PersistDialect? Read(string wire) => All.Cast<PersistDialect?>().FirstOrDefault(d => d!.Value.Wire() == wire);

    /// <summary>The label under which a dialect's records stand.</summary>
    public static PersistLabel Label(this PersistDialect dialect) =>
        dialect == PersistDialect.AcmePersist ? PersistLabel.AcmePersist : PersistLabel.ValidationPersist;

    /// <summary>The label as it stands in DNS. The one place where it is written.</summary>
    public static string Text(this PersistLabel label) => label switch
    {
        PersistLabel.AcmePersist => "_acme-persist",
        PersistLabel.ValidationPersist => "_validation-persist",
        PersistLabel.IpValidationPersist => "_ip-validation-persist",
        _ => throw new ArgumentOutOfRangeException(nameof(label), label, "not a label"),
    };
}

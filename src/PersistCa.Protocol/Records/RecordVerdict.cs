namespace PersistCa.Protocol.Records;

/// <summary>What is to be said of one record.</summary>
public enum RecordReason
{
    /// <summary>It satisfies everything.</summary>
    Fits = 1,

    /// <summary>It is meant for another authority, or for nobody that can be told: it never counts and is never shown.</summary>
    Foreign = 2,

    /// <summary>It is ours, but breaks the grammar of its dialect.</summary>
    Malformed = 3,

    /// <summary>It names another account.</summary>
    AccountDiffers = 4,

    /// <summary>Its time is over.</summary>
    Expired = 5,

    /// <summary>It says nothing of an end, and the authority wants one.</summary>
    ExpiryMissing = 6,

    /// <summary>It lacks policy=wildcard where that is needed.</summary>
    ScopeTooNarrow = 7,

    /// <summary>It stands at a name that is neither the requested one nor above it.</summary>
    ElsewhereInTree = 8,

    /// <summary>Its dialect is not accepted here.</summary>
    DialectOff = 9,
}

/// <summary>The judgement of one record.</summary>
/// <param name="Record">The record.</param>
/// <param name="Reason">The reason.</param>
/// <param name="Detail">What was found and what was expected, fit for the account's owner; empty for foreign records.</param>
public sealed record RecordVerdict(FoundTxt Record, RecordReason Reason, string Detail)
{
    /// <summary>The dialect, null where none could be told.</summary>
    public PersistDialect? Dialect { get; init; }

    /// <summary>When it ends; null for never.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Whether it has policy=wildcard.</summary>
    public bool Wildcard { get; init; }

    /// <summary>Thumbprint of the account key under which it matched, for hashed records and thumbprints.</summary>
    public string? MatchedThumbprint { get; init; }

    /// <summary>The account exactly as the record writes it: its accounturi, or its account in the dialect acme-persist; null where it names none.</summary>
    public string? Account { get; init; }

    /// <summary>True when the hashed URI is the "*" form, which is not bound to one domain.</summary>
    public bool AnyDomain { get; init; }

    /// <summary>True when the record is ours, whatever is wrong with it.</summary>
    public bool IsOurs => Reason != RecordReason.Foreign;

    internal static RecordVerdict Foreign(FoundTxt record) => new(record, RecordReason.Foreign, "");
}


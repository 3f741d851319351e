namespace PersistCa.Storage.Backup;

/// <summary>A revocation that a published list shows.</summary>
/// <param name="Serial">Serial number, lower-case hex.</param>
/// <param name="RevokedAt">Since when.</param>
/// <param name="Reason">CRL reason code, null for none.</param>
public sealed record KnownRevocation(string Serial, DateTimeOffset RevokedAt, int? Reason);

/// <summary>A list that was published, its signature verified.</summary>
/// <param name="IssuerId">Whose.</param>
/// <param name="Part">The part that it is the list of.</param>
/// <param name="Number">Its number.</param>
/// <param name="Der">The list.</param>
/// <param name="ThisUpdate">Its time.</param>
/// <param name="NextUpdate">When the next was to be out.</param>
/// <param name="Revocations">Its entries.</param>
public sealed record KnownList(
    string IssuerId, int Part, long Number, ReadOnlyMemory<byte> Der, DateTimeOffset ThisUpdate, DateTimeOffset NextUpdate, IReadOnlyList<KnownRevocation> Revocations);

/// <summary>What is known of how far the store had come before it was lost.</summary>
public sealed record KnownState
{
    /// <summary>The newest lists that were published.</summary>
    public IReadOnlyList<KnownList> Lists { get; init; } = [];

    /// <summary>CRL numbers that were given out, by issuer.</summary>
    public IReadOnlyDictionary<string, long> Numbers { get; init; } = new Dictionary<string, long>();

    /// <summary>A CRL number that no issuer had gone beyond; null for none known.</summary>
    public long? Number { get; init; }

    /// <summary>The newest entry of the audit log that was seen.</summary>
    public AuditMark? Audit { get; init; }

    /// <summary>Whether entries that are gone are accepted as such.</summary>
    public bool AcceptLoss { get; init; }
}

/// <summary>What was done to a store that came back from a copy.</summary>
/// <param name="LostEntries">Entries of the audit log that are known to be gone; null where it is not known how many.</param>
/// <param name="Revoked">Certificates revoked because a list shows them.</param>
/// <param name="Upgraded">Revocations whose reason became keyCompromise.</param>
/// <param name="Unknown">Revocations of certificates that the store does not know.</param>
/// <param name="Abandoned">Intents given up, and the orders they were for.</param>
/// <param name="Floors">The number that the next list of each issuer is above.</param>
public sealed record Reconciled(long? LostEntries, int Revoked, int Upgraded, int Unknown, int Abandoned, IReadOnlyDictionary<string, long> Floors);

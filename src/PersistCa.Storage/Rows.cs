using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Orders;

namespace PersistCa.Storage;

/// <summary>Which authorizations an order rests on, in the order of its identifiers.</summary>
public sealed class OrderAuthorization
{
    public long OrderId { get; private set; }

    public long AuthorizationId { get; private set; }

    public Order? Order { get; init; }

    public Authorization? Authorization { get; init; }

    public int Position { get; init; }
}

/// <summary>The evidence of one validation: what was asked, what was answered, what was concluded. Kept whatever the verdict.</summary>
public sealed class ValidationRecord
{
    public long Id { get; private set; }

    public long AuthorizationId { get; init; }

    /// <summary>Challenge type on the wire.</summary>
    public required string ChallengeType { get; init; }

    public DateTimeOffset At { get; init; }

    public bool Succeeded { get; init; }

    /// <summary>Whether the server looked by itself, before the client asked.</summary>
    public bool JustInTime { get; init; }

    /// <summary>Dialect that matched, for dns-persist-01.</summary>
    public string? Dialect { get; init; }

    /// <summary>The evidence as JSON.</summary>
    public required string Evidence { get; init; }
}

/// <summary>What the CAA records of a name said (RFC 8659), for whom and until when. Kept whatever the verdict.</summary>
public sealed class CaaCheckRow
{
    public long Id { get; private set; }

    /// <summary>Internal id of the authorization that stands for the name.</summary>
    public long AuthorizationId { get; init; }

    /// <summary>The name as it stands in a certificate.</summary>
    public required string Name { get; init; }

    public DateTimeOffset CheckedAt { get; init; }

    /// <summary>Until when a certificate may be signed on it, null when it permits nothing.</summary>
    public DateTimeOffset? FreshUntil { get; init; }

    /// <summary>The verdict in one word.</summary>
    public required string Outcome { get; init; }

    /// <summary>The evidence as JSON.</summary>
    public required string Evidence { get; init; }
}

/// <summary>What policy said of a certificate before it was signed, rule by rule. Written with its intent; written anew when the intent is judged again after a crash.</summary>
public sealed class PolicyDecisionRow
{
    /// <summary>Longest JSON.</summary>
    public const int MaxLength = 64 * 1024;

    /// <summary>Internal id of the certificate.</summary>
    public long CertificateId { get; init; }

    /// <summary>The certificate; set where both are new.</summary>
    public IssuedCertificate? Certificate { get; init; }

    /// <summary>Form of the JSON.</summary>
    public int Version { get; set; }

    public DateTimeOffset DecidedAt { get; set; }

    /// <summary>The decision as JSON.</summary>
    public required string Json { get; set; }
}

/// <summary>An issuer this authority has or had: its certificate is served for as long as leaves point at it.</summary>
public sealed class IssuerRow
{
    /// <summary>Short id, from the subject key identifier.</summary>
    public required string Id { get; init; }

    /// <summary>The issuer's certificate, DER.</summary>
    public required byte[] CertificateDer { get; init; }

    /// <summary>The certificates above it, nearest first, the root last.</summary>
    public required List<byte[]> ChainDer { get; init; }

    public DateTimeOffset AddedAt { get; init; }

    /// <summary>The number that the next list of each part is above, whatever lists the store knows: raised when the store came back from a copy. 0 for none.</summary>
    public long CrlNumberFloor { get; set; }
}

/// <summary>A certificate revocation list. Its numbers rise and never repeat.</summary>
public sealed class CrlRow
{
    public required string IssuerId { get; init; }

    /// <summary>The part that it is the list of, 0 for the list at the issuer's own URL.</summary>
    public int Shard { get; init; }

    public long Number { get; init; }

    public required byte[] Der { get; init; }

    public DateTimeOffset ThisUpdate { get; init; }

    public DateTimeOffset NextUpdate { get; init; }
}

/// <summary>A nonce spent by a request that changed state. Written in that change's transaction, so that not even a crash lets it be spent again.</summary>
public sealed class ConsumedNonce
{
    public required string Nonce { get; init; }

    /// <summary>After this the nonce is stale by itself and the row may go.</summary>
    public DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>A secret of the authority, sealed with a key derived from the passphrase.</summary>
public sealed class SealedSecret
{
    public required string Name { get; init; }

    public required byte[] Salt { get; init; }

    public int Iterations { get; init; }

    public required byte[] Iv { get; init; }

    public required byte[] Ciphertext { get; init; }
}

using System.Collections.Frozen;
using System.Collections.Immutable;
using PersistCa.Issuance.Linting;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Signing;

/// <summary>What a certificate is to be made of. It comes from the order; of the CSR there is only the key.</summary>
public sealed record IssuanceRequest
{
    /// <summary>The subscriber's key, DER, accepted by the key policy.</summary>
    public required ReadOnlyMemory<byte> SubjectPublicKeyInfo { get; init; }

    /// <summary>Its kind.</summary>
    public required KeyKind KeyKind { get; init; }

    /// <summary>The order's names.</summary>
    public required ImmutableArray<Identifier> Names { get; init; }

    /// <summary>The time.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The order's notBefore, null when it asks for none.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>The order's notAfter, null when it asks for none.</summary>
    public DateTimeOffset? NotAfter { get; init; }

    /// <summary>Fingerprints of keys that must not be certified, besides the issuer's own: compromised ones and the account's. Only those that the subject's could be.</summary>
    public IReadOnlySet<string> BlockedKeys { get; init; } = FrozenSet<string>.Empty;

    /// <summary>Fingerprints of keys that this server generated.</summary>
    public IReadOnlySet<string> GeneratedKeys { get; init; } = FrozenSet<string>.Empty;
}

/// <summary>A certificate that is about to be signed: to be made durable before the key is touched.</summary>
/// <param name="Serial">Serial number, lower-case hex of its content octets.</param>
/// <param name="TbsDer">The linted to-be-signed bytes.</param>
/// <param name="NotBefore">Start of validity.</param>
/// <param name="NotAfter">End of validity, inclusive.</param>
public sealed record IssuanceIntent(string Serial, byte[] TbsDer, DateTimeOffset NotBefore, DateTimeOffset NotAfter)
{
    /// <summary>What the lint found: warnings and notices, to be kept with the intent; in a draft errors too.</summary>
    public ImmutableArray<LintFinding> Findings { get; init; } = [];

    /// <summary>The part of the revocation list that it belongs to, 0 for the one at the issuer's own URL. To be kept with the certificate.</summary>
    public int CrlShard { get; init; }

    /// <summary>The URL of that list as it stands in the certificate, null when it has no pointer.</summary>
    public string? CrlUrl { get; init; }

    /// <summary>Whether it says where OCSP answers.</summary>
    public bool HasOcsp { get; init; }
}

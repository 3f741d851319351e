using System.Collections.Frozen;
using System.Collections.Immutable;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Linting;

/// <summary>Kinds of certificates: several rules are for one kind only.</summary>
public enum CertificateKind
{
    /// <summary>A subscriber's.</summary>
    Subscriber = 0,

    /// <summary>An authority's below another.</summary>
    SubordinateAuthority = 1,

    /// <summary>A self-signed authority's.</summary>
    Root = 2,

    /// <summary>A delegated signer's of OCSP answers.</summary>
    OcspSigner = 3,
}

/// <summary>What a certificate is held against. What is null is not known, and rules that need it find nothing.</summary>
public sealed record LintContext
{
    /// <summary>Which rules hold.</summary>
    public Regime Regime { get; init; } = Regime.Private;

    /// <summary>What the certificate is to be.</summary>
    public CertificateKind Kind { get; init; } = CertificateKind.Subscriber;

    /// <summary>Subject of the issuer, DER.</summary>
    public ReadOnlyMemory<byte>? IssuerSubjectDer { get; init; }

    /// <summary>Key identifier of the issuer.</summary>
    public ReadOnlyMemory<byte>? IssuerKeyIdentifier { get; init; }

    /// <summary>End of the issuer's validity.</summary>
    public DateTimeOffset? IssuerNotAfter { get; init; }

    /// <summary>AlgorithmIdentifier the issuer signs with, DER.</summary>
    public ReadOnlyMemory<byte>? SignatureAlgorithm { get; init; }

    /// <summary>The order's names.</summary>
    public ImmutableArray<Identifier>? Names { get; init; }

    /// <summary>Longest inclusive validity of the profile.</summary>
    public TimeSpan? MaxValidity { get; init; }

    /// <summary>Most names of the profile.</summary>
    public int? MaxNames { get; init; }

    /// <summary>When it is to be signed.</summary>
    public DateTimeOffset? SignedAt { get; init; }

    /// <summary>The purposes of the profile, all of them; null when any that fit a TLS server will do.</summary>
    public ImmutableArray<string>? Purposes { get; init; } = [Oids.ServerAuth];

    /// <summary>The purposes of the issuing authority's own certificate; null when it has none or they are not known.</summary>
    public ImmutableArray<string>? IssuerPurposes { get; init; }

    /// <summary>Fingerprints of keys that must not be certified: compromised, an authority's, or the account's.</summary>
    public IReadOnlySet<string> BlockedKeys { get; init; } = FrozenSet<string>.Empty;

    /// <summary>Fingerprints of keys that this server generated.</summary>
    public IReadOnlySet<string> GeneratedKeys { get; init; } = FrozenSet<string>.Empty;

    /// <summary>Zones that names must lie in; null for any.</summary>
    public ImmutableArray<DnsName>? Zones { get; init; }
}

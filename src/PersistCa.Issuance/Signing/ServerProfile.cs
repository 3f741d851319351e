using System.Collections.Immutable;
using PersistCa.Issuance.Linting;

namespace PersistCa.Issuance.Signing;

/// <summary>The profile of certificates for TLS servers: what the order does not decide.</summary>
public sealed record ServerProfile
{
    /// <summary>Name of the profile.</summary>
    public string Name { get; init; } = "server";

    /// <summary>Which rules the lint holds certificates against.</summary>
    public Regime Regime { get; init; } = Regime.Private;

    /// <summary>
    /// Longest validity, and the one given when the order asks for none; whole seconds, counted inclusively: notAfter is notBefore plus this
    /// minus one second (Baseline Requirements section 6.3.2).
    /// </summary>
    public TimeSpan Validity { get; init; } = TimeSpan.FromDays(90);

    /// <summary>How far notBefore lies before the time of issuance, for clients whose clocks are late.</summary>
    public TimeSpan Backdate { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How far a requested notBefore may be from the time of issuance, either way (48 hours in Baseline Requirements section 7.1.2.7).</summary>
    public TimeSpan NotBeforeTolerance { get; init; } = TimeSpan.FromHours(48);

    /// <summary>Most names of one certificate.</summary>
    public int MaxNames { get; init; } = 100;

    /// <summary>Whether the first domain name of at most 64 characters becomes the common name; the subject is empty otherwise. An address never does.</summary>
    public bool CommonName { get; init; }

    /// <summary>Whether the certificate has a subjectKeyIdentifier (not recommended by Baseline Requirements section 7.1.2.7.6).</summary>
    public bool SubjectKeyIdentifier { get; init; }

    /// <summary>What the certificate's key may be used for, OIDs; at least one (extKeyUsage).</summary>
    public ImmutableArray<string> Purposes { get; init; } = [Oids.ServerAuth];

    /// <summary>
    /// Bits of keyUsage that certificates have, of those that a kind of key can have (RFC 5280 section 4.2.1.3), as <see cref="KeyKindFacts.LeafUsage"/> numbers
    /// them; null for all of these.
    /// </summary>
    public int? KeyUsage { get; init; }

    /// <summary>Policies that the certificate claims, OIDs; none for no certificatePolicies.</summary>
    public ImmutableArray<string> Policies { get; init; } = [];

    /// <summary>Whether the certificate says that its status is never told (noRevAvail, RFC 9608), for one that is over before a revocation would be seen. Then it has no CRLDP.</summary>
    public bool NoRevocationAvailable { get; init; }

    /// <summary>Where the issuer's certificate can be fetched, null for no AIA.</summary>
    public string? CaIssuersUrl { get; init; }

    /// <summary>Where the issuer's revocation list can be fetched, null for no CRLDP.</summary>
    public string? CrlUrl { get; init; }

    /// <summary>
    /// Where the lists of parts can be fetched, part 1 first; empty for one list of everything at <see cref="CrlUrl"/>. A certificate belongs to the part
    /// that its serial number falls on, for ever.
    /// </summary>
    public ImmutableArray<string> CrlShardUrls { get; init; } = [];

    /// <summary>Where OCSP answers, null for no pointer to it.</summary>
    public string? OcspUrl { get; init; }

    /// <summary>The bits of keyUsage in a certificate for a kind of key.</summary>
    public int UsageOf(KeyKind key) => KeyKinds.Of(key).LeafUsage & (KeyUsage ?? ~0);
}

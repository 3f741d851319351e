using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.Hierarchy;

/// <summary>What a new hierarchy of one root and one issuing authority is to look like.</summary>
public sealed record HierarchyRequest
{
    /// <summary>Organization (O) of both subjects, at most 64 characters.</summary>
    public required string Organization { get; init; }

    /// <summary>Two upper-case letters of ISO 3166-1, or null for no country.</summary>
    public string? Country { get; init; }

    /// <summary>Common name of the root; "{Organization} Root" when null. At most 64 characters.</summary>
    public string? RootCommonName { get; init; }

    /// <summary>Common name of the issuing authority; "{Organization} Issuing 1" when null. At most 64 characters.</summary>
    public string? IssuingCommonName { get; init; }

    /// <summary>The time: start of both validities.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>Validity of the root, inclusive; 20 years by default, between the 2922 and 9132 days of Baseline Requirements section 7.1.2.1.1.</summary>
    public TimeSpan RootValidity { get; init; } = TimeSpan.FromDays(7305);

    /// <summary>Validity of the issuing authority, inclusive; 10 years by default, cut to the root's.</summary>
    public TimeSpan IssuingValidity { get; init; } = TimeSpan.FromDays(3652);

    /// <summary>Path length of the root, 1 or more, null for no limit. That of the issuing authority is 0.</summary>
    public int? RootPathLength { get; init; }

    /// <summary>For which names the issuing authority may sign.</summary>
    public NameRestrictions IssuingNames { get; init; } = NameRestrictions.None;

    /// <summary>Where the root's certificate can be fetched (AIA caIssuers of the issuing certificate), null for no AIA.</summary>
    public string? RootCertificateUrl { get; init; }

    /// <summary>Where the root's revocation list can be fetched (CRLDP of the issuing certificate), null for none.</summary>
    public string? RootCrlUrl { get; init; }

    /// <summary>What a root key signs with unless told otherwise.</summary>
    public static SigningAlgorithm DefaultRootAlgorithm => SigningAlgorithms.EcdsaP384;

    /// <summary>What an issuing key signs with unless told otherwise.</summary>
    public static SigningAlgorithm DefaultIssuingAlgorithm => SigningAlgorithms.EcdsaP256;
}

/// <summary>A new hierarchy.</summary>
/// <param name="RootDer">The root's certificate.</param>
/// <param name="IssuingDer">The issuing authority's certificate, signed by the root.</param>
public sealed record NewHierarchy(byte[] RootDer, byte[] IssuingDer);

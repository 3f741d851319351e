namespace PersistCa.Validation.Dnssec;

/// <summary>
/// How much work a chain of signatures may make. What is above a limit is bogus, except where said otherwise: a zone that needs more is broken or an
/// attack (KeyTrap, CVE-2023-50387; CVE-2023-50868).
/// </summary>
public sealed record ChainLimits
{
    /// <summary>Look-ups of DS and DNSKEY for one answer.</summary>
    public int MaxLookups { get; init; } = 64;

    /// <summary>Signatures checked for one answer, right or wrong: keys times signatures.</summary>
    public int MaxSignatureChecks { get; init; } = 128;

    /// <summary>Keys of one zone, and DS records for one.</summary>
    public int MaxKeys { get; init; } = 24;

    /// <summary>Additional rounds of NSEC3; a zone with more counts as not signed (RFC 9276 section 3.2), once the signature over that is found right.</summary>
    public int MaxNsec3Iterations { get; init; } = 50;

    /// <summary>Longest that keys and delegations that were found right are kept, whatever their time to live; zero for not at all.</summary>
    public TimeSpan CacheTime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Keys and delegations that are kept.</summary>
    public int CacheEntries { get; init; } = 10_000;
}

/// <summary>What is left of the work for one answer.</summary>
internal sealed class ChainBudget(ChainLimits limits)
{
    /// <summary>The limits.</summary>
    public ChainLimits Limits => limits;

    /// <summary>Look-ups made.</summary>
    public int Lookups { get; private set; }

    /// <summary>Signatures checked.</summary>
    public int SignatureChecks { get; private set; }

    /// <summary>Takes a look-up; false when none is left.</summary>
    public bool TakeLookup() => Lookups < limits.MaxLookups && ++Lookups > 0;

    /// <summary>Takes a check; false when none is left.</summary>
    public bool TakeSignatureCheck() => SignatureChecks < limits.MaxSignatureChecks && ++SignatureChecks > 0;
}

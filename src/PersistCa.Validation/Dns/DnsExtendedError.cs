namespace PersistCa.Validation.Dns;

/// <summary>What a resolver says of a failure beyond its response code (RFC 8914).</summary>
/// <param name="Code">Number of the error (IANA, Extended DNS Error Codes).</param>
/// <param name="Text">The resolver's own words, not to be trusted in any way; often empty.</param>
public sealed record DnsExtendedError(int Code, string Text)
{
    /// <summary>
    /// Whether it says that signatures are wrong or missing where they must be. Unsupported algorithms (1 and 2) are not among them: such zones count
    /// as not signed (RFC 4035 section 5.2).
    /// </summary>
    public bool IsBogus => Code is >= 6 and <= 12;

    /// <summary>Name of the error in the registry; the number where it has none that is known here.</summary>
    public string Name => Code switch
    {
        0 => "Other",
        1 => "Unsupported DNSKEY Algorithm",
        2 => "Unsupported DS Digest Type",
        3 => "Stale Answer",
        4 => "Forged Answer",
        5 => "DNSSEC Indeterminate",
        6 => "DNSSEC Bogus",
        7 => "Signature Expired",
        8 => "Signature Not Yet Valid",
        9 => "DNSKEY Missing",
        10 => "RRSIGs Missing",
        11 => "No Zone Key Bit Set",
        12 => "NSEC Missing",
        13 => "Cached Error",
        14 => "Not Ready",
        15 => "Blocked",
        16 => "Censored",
        17 => "Filtered",
        18 => "Prohibited",
        19 => "Stale NXDOMAIN Answer",
        20 => "Not Authoritative",
        21 => "Not Supported",
        22 => "No Reachable Authority",
        23 => "Network Error",
        24 => "Invalid Data",
        27 => "Unsupported NSEC3 Iterations Value",
        _ => $"error {Code}",
    };
}

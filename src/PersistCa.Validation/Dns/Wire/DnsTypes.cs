namespace PersistCa.Validation.Dns.Wire;

/// <summary>Numbers of the IANA registries of DNS parameters that the code compares with.</summary>
internal static class DnsTypes
{
    /// <summary>The Internet class.</summary>
    public const int ClassIn = 1;

    /// <summary>An alias.</summary>
    public const int Cname = 5;

    /// <summary>Start of authority: in the authority section it says that a name lacks what was asked for (RFC 2308 section 2.2).</summary>
    public const int Soa = 6;

    /// <summary>An alias of everything under a name (RFC 6672).</summary>
    public const int Dname = 39;

    /// <summary>The EDNS record (RFC 6891).</summary>
    public const int Opt = 41;

    /// <summary>A signature (RFC 4034).</summary>
    public const int Rrsig = 46;
}

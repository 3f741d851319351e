namespace PersistCa.Validation.Dnssec;

/// <summary>Record types that a chain of signatures is made of (IANA, Resource Record Types).</summary>
internal static class DnssecTypes
{
    /// <summary>A name server.</summary>
    public const int Ns = 2;

    /// <summary>An alias.</summary>
    public const int Cname = 5;

    /// <summary>Start of authority.</summary>
    public const int Soa = 6;

    /// <summary>An alias of everything under a name (RFC 6672).</summary>
    public const int Dname = 39;

    /// <summary>The digest of a key of a zone below (RFC 4034).</summary>
    public const int Ds = 43;

    /// <summary>A signature (RFC 4034).</summary>
    public const int Rrsig = 46;

    /// <summary>The next name (RFC 4034).</summary>
    public const int Nsec = 47;

    /// <summary>A key (RFC 4034).</summary>
    public const int Dnskey = 48;

    /// <summary>The next name, hashed (RFC 5155).</summary>
    public const int Nsec3 = 50;
}

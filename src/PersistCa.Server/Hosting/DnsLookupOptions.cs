namespace PersistCa.Server.Hosting;

/// <summary>Section Validation:Dns.</summary>
public sealed class DnsLookupOptions
{
    /// <summary>Resolvers, each "address", "address:port" or "tls://address:port#name"; empty means the machine's.</summary>
    public List<string> Resolvers { get; set; } = [];

    /// <summary>Zones with resolvers of their own.</summary>
    public List<DnsZoneOptions> Zones { get; set; } = [];

    /// <summary>Certificates (PEM) that vouch for resolvers over TLS; empty means those that the machine trusts.</summary>
    public string TlsTrustFile { get; set; } = "";

    /// <summary>Time for one query to one resolver.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Further tries, each at the next resolver.</summary>
    public int Retries { get; set; } = 2;

    /// <summary>Time for a look-up with all its tries.</summary>
    public TimeSpan OverallTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a look-up of dns-01 or dns-account-01 counts for the account's other challenge at the same owner name (a name and its wildcard), since some clients
    /// remove both records after the first; zero for not at all.
    /// </summary>
    public TimeSpan SharedOwnerGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Queries at a time at one resolver.</summary>
    public int Concurrency { get; set; } = 256;

    /// <summary>Queries at a time at one resolver for one zone: a configured one, or the last two labels.</summary>
    public int ConcurrencyPerZone { get; set; } = 32;

    /// <summary>After so many failures in a row a resolver is asked last for a while.</summary>
    public int FailuresUntilCooling { get; set; } = 3;

    /// <summary>For how long.</summary>
    public TimeSpan CoolingTime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Names are asked for in random case, which replies must repeat.</summary>
    public bool CaseRandomization { get; set; } = true;

    /// <summary>off; trusted-resolver: the resolvers validate DNSSEC, and their word counts; or validate: this server does, and nobody's word counts.</summary>
    public string Dnssec { get; set; } = DnsRules.Off;

    /// <summary>Resolvers whose word counts besides those on loopback, as they stand in Resolvers or Zones.</summary>
    public List<string> TrustedResolvers { get; set; } = [];

    /// <summary>Answers that are not secure are failures.</summary>
    public bool RequireSecure { get; set; }

    /// <summary>
    /// Zones that are known not to be signed, exempt from RequireSecure. In mode validate nothing in them is checked, unless a trust anchor is nearer;
    /// "." stands for all without a nearer one.
    /// </summary>
    public List<string> InsecureZones { get; set; } = [];

    /// <summary>Mode validate: trust anchors, DS or DNSKEY records as in zone files; those of the root are built in, unless others are given.</summary>
    public List<string> TrustAnchors { get; set; } = [];

    /// <summary>Mode validate: how much work one answer may make.</summary>
    public DnsChainOptions Chain { get; set; } = new();

    /// <summary>A name in a signed zone, which every resolver must vouch for at the start.</summary>
    public string SelfTestSecureName { get; set; } = "";

    /// <summary>A name whose signatures are wrong on purpose, which every resolver must refuse at the start.</summary>
    public string SelfTestBogusName { get; set; } = "";

    /// <summary>The same manners with other resolvers, for a perspective: no zones, and nobody's word on DNSSEC.</summary>
    public DnsLookupOptions Over(List<string> resolvers)
    {
        var other = (DnsLookupOptions)MemberwiseClone();
        (other.Resolvers, other.Zones, other.Dnssec, other.TrustedResolvers, other.RequireSecure) = (resolvers, [], DnsRules.Off, [], false);
        return other;
    }
}

/// <summary>One entry of Validation:Dns:Zones.</summary>
public sealed class DnsZoneOptions
{
    /// <summary>The zone; it holds for all names under it.</summary>
    public string Zone { get; set; } = "";

    /// <summary>Its resolvers.</summary>
    public List<string> Resolvers { get; set; } = [];
}

/// <summary>Section Validation:Dns:Chain: bounds of a chain of signatures, in mode validate.</summary>
public sealed class DnsChainOptions
{
    /// <summary>Look-ups of DS and DNSKEY for one answer.</summary>
    public int MaxLookups { get; set; } = 64;

    /// <summary>Signatures checked for one answer.</summary>
    public int MaxSignatureChecks { get; set; } = 128;

    /// <summary>Keys of one zone, and DS records for one.</summary>
    public int MaxKeys { get; set; } = 24;

    /// <summary>Additional rounds of NSEC3; zones with more count as not signed.</summary>
    public int MaxNsec3Iterations { get; set; } = 50;

    /// <summary>Longest that keys and delegations are kept, within their time to live; zero for not at all.</summary>
    public TimeSpan CacheTime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Keys and delegations that are kept.</summary>
    public int CacheEntries { get; set; } = 10_000;
}

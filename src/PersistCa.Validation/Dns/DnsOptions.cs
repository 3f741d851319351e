using System.Security.Cryptography.X509Certificates;

namespace PersistCa.Validation.Dns;

/// <summary>Who says whether an answer is signed.</summary>
public enum DnssecMode
{
    /// <summary>Nobody: what resolvers say of signatures is kept and not judged.</summary>
    Off = 0,

    /// <summary>The resolver, if it runs on this machine or is listed as trusted (RFC 4035 section 4.9.3 asks for a secure way to it).</summary>
    TrustedResolver = 1,

    /// <summary>This program: it checks every signature up to its trust anchors, and nobody's word counts (RFC 4035 section 5).</summary>
    Validate = 2,
}

/// <summary>Resolvers for one zone and all under it.</summary>
/// <param name="Zone">Name of the zone, without the root's dot.</param>
/// <param name="Resolvers">Its resolvers, in the form of <see cref="DnsOptions.Resolvers"/>, one at least.</param>
public sealed record DnsZoneForward(string Zone, IReadOnlyList<string> Resolvers);

/// <summary>How validation asks the DNS.</summary>
public sealed record DnsOptions
{
    /// <summary>
    /// Recursive resolvers: "192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353", or over TLS "tls://192.0.2.1:853#resolver.example".
    /// Empty: those of the system. They are asked in turn. Whoever controls a resolver or the way to it controls issuance: use resolvers of your own
    /// that validate DNSSEC.
    /// </summary>
    public IReadOnlyList<string> Resolvers { get; init; } = [];

    /// <summary>Zones with resolvers of their own; the longest that a name lies in wins.</summary>
    public IReadOnlyList<DnsZoneForward> Zones { get; init; } = [];

    /// <summary>File that names the system's resolvers (resolv.conf(5)).</summary>
    public string SystemResolversFile { get; init; } = "/etc/resolv.conf";

    /// <summary>Roots for the certificates of resolvers over TLS; null for those of the machine.</summary>
    public X509Certificate2Collection? TlsRoots { get; init; }

    /// <summary>Longest wait for one reply.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a failed question is sent again, each time to the next resolver.</summary>
    public int Retries { get; init; } = 2;

    /// <summary>Longest wait for one look-up with all its retries, the wait for a free place included.</summary>
    public TimeSpan OverallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Size of UDP replies that is announced (EDNS), in octets; larger answers come over TCP. 1232 avoids IP fragments.</summary>
    public int UdpPayloadOctets { get; init; } = 1232;

    /// <summary>
    /// Whether names are asked for in random case of letters, which the reply must repeat (draft-vixie-dnsext-dns0x20). A resolver that does not
    /// repeat it never gets an answer through; nothing falls back by itself.
    /// </summary>
    public bool CaseRandomization { get; init; } = true;

    /// <summary>Questions in flight at one resolver at a time; others wait.</summary>
    public int ConcurrencyPerResolver { get; init; } = 64;

    /// <summary>
    /// Questions in flight at one resolver for one zone (a configured one, or the last two labels), so that a zone whose servers are dead does not
    /// take all places.
    /// </summary>
    public int ConcurrencyPerZone { get; init; } = 16;

    /// <summary>After so many failures in a row a resolver is asked last for the <see cref="CoolingTime"/>. An answer ends the row.</summary>
    public int FailuresUntilCooling { get; init; } = 3;

    /// <summary>How long a failing resolver is asked last.</summary>
    public TimeSpan CoolingTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Who says whether an answer is signed.</summary>
    public DnssecMode Dnssec { get; init; }

    /// <summary>Resolvers, as they stand in <see cref="Resolvers"/>, whose word on DNSSEC counts besides those on loopback.</summary>
    public IReadOnlyList<string> TrustedResolvers { get; init; } = [];

    /// <summary>Whether answers that are not secure are failures.</summary>
    public bool RequireSecure { get; init; }

    /// <summary>
    /// Zones that are known not to be signed: what is asked for in them need not be secure. In mode <see cref="DnssecMode.Validate"/> nothing in them is
    /// checked, unless a trust anchor is nearer (RFC 7646).
    /// </summary>
    public IReadOnlyList<string> InsecureZones { get; init; } = [];

    /// <summary>Mode <see cref="DnssecMode.Validate"/>: trust anchors besides those of the root; see <see cref="Dnssec.TrustAnchors.Create"/>.</summary>
    public IReadOnlyList<string> TrustAnchors { get; init; } = [];

    /// <summary>Mode <see cref="DnssecMode.Validate"/>: how much work one answer may make.</summary>
    public Dnssec.ChainLimits Chain { get; init; } = new();

    /// <summary>Most records of one answer that are judged (dns-persist-01 rules, section 6.12).</summary>
    public int MaxRecords { get; init; } = 100;

    /// <summary>Most octets of one answer that are judged (dns-persist-01 rules, section 6.12).</summary>
    public int MaxAnswerOctets { get; init; } = 64 * 1024;

    /// <summary>Most aliases followed in one answer.</summary>
    public int MaxCnames { get; init; } = 16;

    /// <summary>Checks what has a range.</summary>
    /// <returns>Null, or the first setting that is outside its range, in words.</returns>
    internal string? FirstOutOfRange()
    {
        if (Timeout <= TimeSpan.Zero || OverallTimeout < Timeout)
        {
            return $"the DNS timeouts are {Timeout} for one reply and {OverallTimeout} over all; times above zero were expected, the first not above the second";
        }

        return Outside(nameof(Retries), Retries, 0, 10)
            ?? Outside(nameof(UdpPayloadOctets), UdpPayloadOctets, 512, 4096)
            ?? Outside(nameof(ConcurrencyPerResolver), ConcurrencyPerResolver, 1, 10_000)
            ?? Outside(nameof(ConcurrencyPerZone), ConcurrencyPerZone, 1, 10_000)
            ?? Outside(nameof(FailuresUntilCooling), FailuresUntilCooling, 1, 1000)
            ?? Outside(nameof(CoolingTime), (long)CoolingTime.TotalSeconds, 0, 3600)
            ?? Outside(nameof(MaxRecords), MaxRecords, 1, 10_000)
            ?? Outside(nameof(MaxAnswerOctets), MaxAnswerOctets, 512, 64 * 1024)
            ?? Outside(nameof(MaxCnames), MaxCnames, 0, 100)
            ?? Outside(nameof(Chain.MaxLookups), Chain.MaxLookups, 1, 1000)
            ?? Outside(nameof(Chain.MaxSignatureChecks), Chain.MaxSignatureChecks, 1, 10_000)
            ?? Outside(nameof(Chain.MaxKeys), Chain.MaxKeys, 1, 1000)
            ?? Outside(nameof(Chain.MaxNsec3Iterations), Chain.MaxNsec3Iterations, 0, 500)
            ?? Outside(nameof(Chain.CacheTime), (long)Chain.CacheTime.TotalSeconds, 0, 86_400)
            ?? Outside(nameof(Chain.CacheEntries), Chain.CacheEntries, 1, 1_000_000)
            ?? (RequireSecure && Dnssec == DnssecMode.Off
                ? $"the DNS option {nameof(RequireSecure)} is set while {nameof(Dnssec)} is {Dnssec}, so that no answer would ever do; set {nameof(Dnssec)} too"
                : null);
    }

    private static string? Outside(string name, long value, long least, long most) =>
        value < least || value > most ? $"the DNS option {name} is {value}; {least} to {most} was expected" : null;
}

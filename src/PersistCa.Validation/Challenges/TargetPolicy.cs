using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace PersistCa.Validation.Challenges;

/// <summary>Where validation may connect to.</summary>
public sealed record TargetOptions
{
    /// <summary>
    /// The only networks that are connected to; empty for all. One that is a special range of <see cref="TargetPolicy"/> or lies inside it lifts
    /// that range's refusal; a wider one does not.
    /// </summary>
    public IReadOnlyList<IPNetwork> AllowedNetworks { get; init; } = [];

    /// <summary>Networks that are never connected to, whatever else is said.</summary>
    public IReadOnlyList<IPNetwork> DeniedNetworks { get; init; } = [];

    /// <summary>
    /// Whether 127.0.0.0/8 and ::1 are connected to, whatever AllowedNetworks names. For demonstrations and tests: the ports of the server's own machine
    /// are not for accounts to probe.
    /// </summary>
    public bool AllowLoopback { get; init; }

    /// <summary>Whether only addresses of the public Internet are connected to. Off, private networks are: an internal authority serves them.</summary>
    public bool Strict { get; init; }

    /// <summary>Most addresses of one name that are tried.</summary>
    public int MaxAddresses { get; init; } = 8;

    /// <summary>Longest wait for one address to accept the connection, before the next is tried.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(4);
}

/// <summary>An address that <see cref="TargetPolicy"/> has judged: the only kind that is ever connected to.</summary>
internal sealed class PermittedAddress
{
    internal PermittedAddress(IPAddress address) => Address = address;

    public IPAddress Address { get; }
}

/// <summary>
/// Judges addresses by <see cref="TargetOptions"/> (CWE-918: accounts choose names, names choose addresses). IPv6 addresses that carry an IPv4
/// address are judged by what they carry, since that is where their packets end.
/// </summary>
public sealed class TargetPolicy
{
    /// <summary>
    /// The special ranges of the IANA registries for IPv4 and IPv6 (RFC 6890) and where clouds keep their machines' credentials. Those that are always
    /// refused are no web server's in any network.
    /// </summary>
    private static readonly ImmutableArray<SpecialRange> Special =
    [
        new("0.0.0.0/8", Refused.Always), // this network (RFC 791)
        new("127.0.0.0/8", Refused.Always), // loopback (RFC 1122); AllowLoopback comes before
        new("169.254.0.0/16", Refused.Always), // link-local (RFC 3927), and most clouds' metadata
        new("224.0.0.0/4", Refused.Always), // multicast (RFC 5771)
        new("255.255.255.255/32", Refused.Always), // broadcast (RFC 8190)
        new("100.100.100.200/32", Refused.Always), // metadata of Alibaba
        new("168.63.129.16/32", Refused.Always), // host agent of Azure
        new("192.0.0.192/32", Refused.Always), // metadata of Oracle
        new("10.0.0.0/8", Refused.WhenStrict), // private (RFC 1918)
        new("100.64.0.0/10", Refused.WhenStrict), // carriers' NAT (RFC 6598)
        new("172.16.0.0/12", Refused.WhenStrict), // private
        new("192.0.0.0/24", Refused.WhenStrict), // protocol assignments (RFC 6890)
        new("192.0.2.0/24", Refused.WhenStrict), // documentation (RFC 5737)
        new("192.88.99.0/24", Refused.WhenStrict), // 6to4 relays (RFC 7526)
        new("192.168.0.0/16", Refused.WhenStrict), // private
        new("198.18.0.0/15", Refused.WhenStrict), // benchmarks (RFC 2544)
        new("198.51.100.0/24", Refused.WhenStrict), // documentation
        new("203.0.113.0/24", Refused.WhenStrict), // documentation
        new("240.0.0.0/4", Refused.WhenStrict), // reserved (RFC 1112)
        new("::/128", Refused.Always), // unspecified
        new("::1/128", Refused.Always), // loopback
        new("fe80::/10", Refused.Always), // link-local (RFC 4291)
        new("ff00::/8", Refused.Always), // multicast
        new("fd00:ec2::/32", Refused.Always), // metadata and other services of a machine at Amazon
        new("fd20:ce::254/128", Refused.Always), // metadata of Google
        new("64:ff9b:1::/48", Refused.Always), // NAT64 of a site (RFC 8215): where the IPv4 address stands in it, only the site knows
        new("::/3", Refused.WhenStrict), // these three: all but global unicast, 2000::/3 (RFC 4291), so unique local addresses too
        new("4000::/2", Refused.WhenStrict),
        new("8000::/1", Refused.WhenStrict),
        new("2001::/23", Refused.WhenStrict), // protocol assignments (RFC 2928)
        new("2001:db8::/32", Refused.WhenStrict), // documentation (RFC 3849)
        new("3fff::/20", Refused.WhenStrict), // documentation (RFC 9637)
    ];

    /// <summary>IPv6 ranges whose addresses carry an IPv4 address, with where in the 16 octets it begins; besides IPv4-mapped ones, which the framework knows.</summary>
    private static readonly ImmutableArray<Carrier> Carriers =
    [
        new("::ffff:0:0:0/96", 12), // IPv4-translated (RFC 2765)
        new("64:ff9b::/96", 12), // NAT64 (RFC 6052)
        new("2002::/16", 2), // 6to4 (RFC 3056)
        new("2001::/32", 12, Inverted: true), // Teredo (RFC 4380 section 4)
        new("::/96", 12), // IPv4-compatible (RFC 4291 section 2.5.5.1)
    ];

    private readonly TargetOptions options;

    /// <summary>Makes a policy.</summary>
    public TargetPolicy(TargetOptions options) => this.options = options;

    /// <summary>Whether an address may be connected to.</summary>
    public bool Permits(IPAddress address)
    {
        if (options.DeniedNetworks.Any(n => n.Contains(address)))
        {
            return false;
        }

        if (Carried(address) is { } inner)
        {
            return Permits(inner);
        }

        if (options.AllowLoopback && IPAddress.IsLoopback(address))
        {
            return true;
        }

        var allowing = options.AllowedNetworks.Where(n => n.Contains(address)).Select(n => (int?)n.PrefixLength).Max();
        return (allowing is not null || options.AllowedNetworks.Count == 0)
            && Special.Where(r => r.Refused == Refused.Always || options.Strict).Where(r => r.Network.Contains(address)).All(r => allowing >= r.Network.PrefixLength);
    }

    /// <summary>The address as one that may be connected to; null when it may not.</summary>
    internal PermittedAddress? Judge(IPAddress address) => Permits(address) ? new PermittedAddress(address) : null;

    private static IPAddress? Carried(IPAddress address)
    {
        // IPNetwork finds no address in ::ffff:0:0/96, so that those are asked for by another way (RFC 4291 section 2.5.5.2).
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6 || address.Equals(IPAddress.IPv6Any) || address.Equals(IPAddress.IPv6Loopback)
            || Carriers.FirstOrDefault(c => c.Network.Contains(address)) is not { } carrier)
        {
            return null;
        }

        var octets = address.GetAddressBytes().AsSpan(carrier.Offset, 4);
        if (carrier.Inverted)
        {
            for (var i = 0; i < octets.Length; i++)
            {
                octets[i] = (byte)~octets[i];
            }
        }

        return new IPAddress(octets);
    }

    private enum Refused
    {
        Always = 1,
        WhenStrict = 2,
    }

    private sealed record SpecialRange(IPNetwork Network, Refused Refused)
    {
        public SpecialRange(string network, Refused refused)
            : this(IPNetwork.Parse(network), refused)
        {
        }
    }

    private sealed record Carrier(IPNetwork Network, int Offset, bool Inverted)
    {
        public Carrier(string network, int offset, bool Inverted = false)
            : this(IPNetwork.Parse(network), offset, Inverted)
        {
        }
    }
}

using System.Net;
using System.Net.Sockets;
using PersistCa.Protocol.Acme;

namespace PersistCa.Protocol.Identifiers;

/// <summary>Section Policy:Ip: which addresses may stand in certificates, whatever the account.</summary>
public sealed class IpPolicyOptions
{
    /// <summary>Networks whose addresses are served, as "10.0.0.0/8" or "2001:db8::/32"; empty means none, so that ip orders are refused.</summary>
    public List<string> AllowedNetworks { get; set; } = [];

    /// <summary>Networks whose addresses are refused, whatever AllowedNetworks says.</summary>
    public List<string> DeniedNetworks { get; set; } = [];
}

/// <summary>Judges addresses by <see cref="IpPolicyOptions"/>.</summary>
public sealed class IpPolicy
{
    private readonly IReadOnlyList<IPNetwork> allowed;
    private readonly IReadOnlyList<IPNetwork> denied;

    /// <summary>Makes a policy.</summary>
    /// <exception cref="FormatException">A network is none: configuration is judged before.</exception>
    public IpPolicy(IpPolicyOptions options)
    {
        allowed = [.. options.AllowedNetworks.Select(IPNetwork.Parse)];
        denied = [.. options.DeniedNetworks.Select(IPNetwork.Parse)];
    }

    /// <summary>Accepts an address or says which rule refuses it.</summary>
    public Outcome<IpIdentifier> Judge(IpIdentifier ip) => Refuse(ip.Address) is { } reason
        ? new AcmeProblem(ProblemCatalog.RejectedIdentifier, $"The address {ip.Text} is not served here: {reason}.") { Identifier = ip.Acme }
        : ip;

    private string? Refuse(IPAddress address) =>
        allowed.Count == 0 ? "this authority serves no ip identifiers"
        : IsOfNobody(address) ? "it is unspecified, multicast or broadcast, so no machine's own"
        : denied.Any(n => n.Contains(address)) ? "its network is denied"
        : !allowed.Any(n => n.Contains(address)) ? "it lies in none of the networks that this authority serves"
        : null;

    /// <summary>RFC 1122 section 3.2.1.3 and RFC 4291 section 2.5.2 and 2.7: such an address is never the name of one machine.</summary>
    private static bool IsOfNobody(IPAddress address)
    {
        var first = address.GetAddressBytes()[0];
        return address.AddressFamily == AddressFamily.InterNetwork
            ? first is 0 or (>= 224 and <= 239) || address.Equals(IPAddress.Broadcast)
            : first == 0xff || address.Equals(IPAddress.IPv6Any);
    }
}

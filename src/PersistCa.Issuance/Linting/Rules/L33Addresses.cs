using System.Net;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L33: each iPAddress has 4 or 16 octets and is not reserved.</summary>
internal sealed class L33Addresses() : CertificateLint("L33", "each iPAddress has 4 or 16 octets and is not reserved", "RFC 5280 section 4.2.1.6; BR section 4.2.2")
{
    // IANA special-purpose address registries (RFC 6890), and multicast.
    private static readonly IPNetwork[] Reserved =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16",
            "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", "::/8", "100::/64", "2001:2::/48", "2001:db8::/32", "2002::/16",
            "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "ff00::/8",
        }.Select(IPNetwork.Parse),
    ];

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        foreach (var octets in facts.Names.Addresses)
        {
            if (IpIdentifier.FromOctets(octets) is { IsValid: false } bad)
            {
                yield return $"an iPAddress is none: {bad.Reason}";
            }
            else if (context.Regime == Regime.CabfBr && Reserved.Any(r => r.Contains(new IPAddress(octets))))
            {
                // Of a private authority the address is one that its policy allowed at the order.
                yield return $"the iPAddress {new IPAddress(octets)} is reserved";
            }
        }
    }
}

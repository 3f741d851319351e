using System.Net;
using System.Text.Json.Serialization;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using PersistCa.Protocol;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Hierarchy;

/// <summary>
/// Name constraints that a new authority is given (RFC 5280 section 4.2.1.10): domain names with all below them, and networks. One kind that is not
/// permitted anywhere stays free, as RFC 5280 has it.
/// </summary>
public sealed record NameRestrictions
{
    /// <summary>Most names and networks altogether.</summary>
    public const int MaxSubtrees = 64;

    /// <summary>No restrictions.</summary>
    public static NameRestrictions None { get; } = new();

    /// <summary>Domain names that may be certified, with all below them.</summary>
    public IReadOnlyList<string> PermittedNames { get; init; } = [];

    /// <summary>Networks, as 10.0.0.0/8, whose addresses may be certified.</summary>
    public IReadOnlyList<string> PermittedNetworks { get; init; } = [];

    /// <summary>Domain names that may not be certified, nor any below them.</summary>
    public IReadOnlyList<string> ExcludedNames { get; init; } = [];

    /// <summary>Networks whose addresses may not be certified.</summary>
    public IReadOnlyList<string> ExcludedNetworks { get; init; } = [];

    /// <summary>Whether there are none.</summary>
    [JsonIgnore]
    public bool IsEmpty => Count == 0;

    private int Count => PermittedNames.Count + PermittedNetworks.Count + ExcludedNames.Count + ExcludedNetworks.Count;

    /// <summary>Reads what an operator writes: each text is a name (example.com), an address or a network (10.0.0.0/8, fd00::/8).</summary>
    /// <returns>The restrictions in their normal form; or the first text that is neither, or that there are too many.</returns>
    public static Parsed<NameRestrictions> Read(IEnumerable<string> permit, IEnumerable<string> exclude)
    {
        var (permittedNames, permittedNetworks, permitted) = Sort(permit);
        var (excludedNames, excludedNetworks, excluded) = Sort(exclude);
        if ((permitted ?? excluded) is { } wrong)
        {
            return Parsed<NameRestrictions>.Refused(wrong);
        }

        var made = new NameRestrictions
        {
            PermittedNames = permittedNames,
            PermittedNetworks = permittedNetworks,
            ExcludedNames = excludedNames,
            ExcludedNetworks = excludedNetworks,
        };
        return made.Count > MaxSubtrees
            ? Parsed<NameRestrictions>.Refused($"there are {made.Count} names and networks; at most {MaxSubtrees} are written into a certificate")
            : Parsed<NameRestrictions>.Ok(made);
    }

    /// <summary>One line for people.</summary>
    public override string ToString() => IsEmpty
        ? "none"
        : string.Join("; ", new[] { Line("permitted", PermittedNames.Concat(PermittedNetworks)), Line("excluded", ExcludedNames.Concat(ExcludedNetworks)) }.Where(l => l.Length > 0));

    /// <summary>Says what is not in its normal form; null when all is. A record that was read from a file may hold anything.</summary>
    internal string? Judge()
    {
        var again = Read(PermittedNames.Concat(PermittedNetworks), ExcludedNames.Concat(ExcludedNetworks));
        if (!again.IsValid)
        {
            return again.Reason;
        }

        var (a, b) = (this, again.Value);
        return a.PermittedNames.SequenceEqual(b.PermittedNames) && a.PermittedNetworks.SequenceEqual(b.PermittedNetworks)
            && a.ExcludedNames.SequenceEqual(b.ExcludedNames) && a.ExcludedNetworks.SequenceEqual(b.ExcludedNetworks)
            ? null
            : "the name constraints are not in their normal form";
    }

    /// <summary>The value of the extension.</summary>
    internal Asn1Encodable Encode() =>
        new Org.BouncyCastle.Asn1.X509.NameConstraints(Subtrees(PermittedNames, PermittedNetworks), Subtrees(ExcludedNames, ExcludedNetworks));

    private static GeneralSubtrees? Subtrees(IReadOnlyList<string> names, IReadOnlyList<string> networks)
    {
        var trees = names.Select(n => new GeneralSubtree(new GeneralName(GeneralName.DnsName, n)))
            .Concat(networks.Select(n => new GeneralSubtree(new GeneralName(GeneralName.IPAddress, new DerOctetString(Octets(IPNetwork.Parse(n))))))).ToList();
        return trees.Count == 0 ? null : new GeneralSubtrees(trees.ToArray());
    }

    /// <summary>Address and mask, one after the other.</summary>
    private static byte[] Octets(IPNetwork network)
    {
        var address = network.BaseAddress.GetAddressBytes();
        var mask = new byte[address.Length];
        for (var bit = 0; bit < network.PrefixLength; bit++)
        {
            mask[bit / 8] |= (byte)(0x80 >> (bit % 8));
        }

        return [.. address, .. mask];
    }

    private static string Line(string word, IEnumerable<string> texts) => texts.Any() ? $"{word} {string.Join(", ", texts)}" : "";

    private static (List<string> Names, List<string> Networks, string? Wrong) Sort(IEnumerable<string> texts)
    {
        var (names, networks) = (new List<string>(), new List<string>());
        foreach (var text in texts)
        {
            if (IPAddress.TryParse(text, out var address) && (text.Contains(':', StringComparison.Ordinal) || text.Count(c => c == '.') == 3))
            {
                networks.Add($"{address}/{address.GetAddressBytes().Length * 8}");
            }
            else if (text.Contains('/', StringComparison.Ordinal))
            {
                // The platform cuts what stands behind the prefix; a network that was mistyped must not be another one.
                if (!IPNetwork.TryParse(text, out var network) || !IPAddress.TryParse(text[..text.IndexOf('/', StringComparison.Ordinal)], out var written) || !written.Equals(network.BaseAddress))
                {
                    return (names, networks, $"'{text}' is no network; write one such as 10.0.0.0/8, with no bit set behind its prefix");
                }

                networks.Add(network.ToString());
            }
            else if (DnsName.Parse(text) is { IsValid: true } name)
            {
                names.Add(name.Value.Text);
            }
            else
            {
                return (names, networks, $"'{text}' is neither a name nor a network: {DnsName.Parse(text).Reason}");
            }
        }

        return (names.Distinct().ToList(), networks.Distinct().ToList(), null);
    }
}

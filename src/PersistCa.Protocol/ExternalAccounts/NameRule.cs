using System.Collections.Immutable;
using System.Net;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.ExternalAccounts;

/// <summary>
/// One rule about the names that an external account may have certificates for. Its text says what it is: "www.corp.example" that very name,
/// "*.corp.example" and "db*.corp.example" a pattern, ".corp.example" the name and everything under it, "." every name, "10.1.2.3" that very address,
/// "10.0.0.0/8" a network.
/// </summary>
public sealed class NameRule
{
    /// <summary>Longest text that is looked at, in characters.</summary>
    public const int MaxLength = DnsName.MaxLength + 2;

    /// <summary>The suffix of every name.</summary>
    public const string EveryName = ".";

    private readonly Func<Identifier, bool> permits;

    private NameRule(string text, Func<Identifier, bool> permits) => (Text, this.permits) = (text, permits);

    /// <summary>The rule in its one spelling: lower case, networks as prefixes.</summary>
    public string Text { get; }

    /// <summary>Reads a rule.</summary>
    /// <returns>The rule; or what is wrong with it.</returns>
    public static Parsed<NameRule> Parse(string text)
    {
        if (text.Length is 0 or > MaxLength)
        {
            return Refused($"it has {text.Length} characters; 1 to {MaxLength} are expected");
        }

        if (text.Contains('/', StringComparison.Ordinal))
        {
            return Network(text);
        }

        if (IpIdentifier.Parse(text) is { IsValid: true, Value: var address })
        {
            return Rule(address.Text, i => i == address);
        }

        if (text == EveryName)
        {
            return Rule(text, i => i is CertificateName);
        }

        if (text.Contains('*', StringComparison.Ordinal))
        {
            return Pattern(text.ToLowerInvariant());
        }

        var name = DnsName.Parse(text[0] == '.' ? text[1..] : text);
        return !name.IsValid ? Refused($"it is no name, pattern, address or network: {name.Reason}")
            : text[0] == '.' ? Rule("." + name.Value.Text, i => i is CertificateName n && n.Name.IsWithin(name.Value))
            : Rule(name.Value.Text, i => i is CertificateName { IsWildcard: false } n && n.Name.Equals(name.Value));
    }

    /// <summary>Whether a certificate may have an identifier by this rule.</summary>
    public bool Permits(Identifier identifier) => permits(identifier);

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static Parsed<NameRule> Network(string text)
    {
        // The library takes bits behind the prefix and drops them.
        if (!IPNetwork.TryParse(text, out var network) || !network.BaseAddress.Equals(IPAddress.Parse(text.AsSpan(0, text.IndexOf('/', StringComparison.Ordinal)))))
        {
            return Refused("it is no network; write one such as 10.0.0.0/8 or 2001:db8::/32, with zeros after the prefix");
        }

        return network.BaseAddress.IsIPv4MappedToIPv6
            ? Refused("it is an IPv4 network in IPv6 form; write it as IPv4")
            : Rule(network.ToString(), i => i is IpIdentifier ip && network.Contains(ip.Address));
    }

    /// <summary>Each star stands for any characters within its label. The "*" of a wildcard name is matched by a label that is a star alone, and by no other.</summary>
    private static Parsed<NameRule> Pattern(string text)
    {
        ImmutableArray<string> labels = [.. text.Split('.')];
        if (labels.Any(l => l.Count(c => c == '*') > 1))
        {
            return Refused("it has two stars in one label; one is expected");
        }

        if (labels[^1].Contains('*', StringComparison.Ordinal))
        {
            return Refused($"its last label has a star; write {EveryName} for every name");
        }

        var sample = DnsName.Parse(text.Replace('*', 'a'));
        return sample.IsValid
            ? Rule(text, i => i is CertificateName name && Matches(labels, name.Text.Split('.')))
            : Refused($"it is no pattern of names: {sample.Reason}");
    }

    private static bool Matches(ImmutableArray<string> pattern, string[] labels) =>
        pattern.Length == labels.Length && pattern.Zip(labels).All(p => MatchesLabel(p.First, p.Second));

    private static bool MatchesLabel(string pattern, string label)
    {
        if (pattern is "*")
        {
            return true;
        }

        var star = pattern.IndexOf('*', StringComparison.Ordinal);
        return star < 0
            ? pattern == label
            : label is not "*" && label.Length >= pattern.Length - 1
                && label.StartsWith(pattern[..star], StringComparison.Ordinal) && label.EndsWith(pattern[(star + 1)..], StringComparison.Ordinal);
    }

    private static Parsed<NameRule> Rule(string text, Func<Identifier, bool> permits) => Parsed<NameRule>.Ok(new NameRule(text, permits));

    private static Parsed<NameRule> Refused(string reason) => Parsed<NameRule>.Refused(reason);
}

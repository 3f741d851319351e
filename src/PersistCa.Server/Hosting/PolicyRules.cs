using System.Net;
using PersistCa.Protocol;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Server.Hosting;

/// <summary>What values of the sections Policy and Validation:Targets may be, beyond their types. Pure, as <see cref="OptionRules"/>.</summary>
internal static class PolicyRules
{
    /// <summary>Checks section Policy.</summary>
    public static IEnumerable<ConfigurationFault> Check(PolicyOptions policy) =>
        Networks("Policy:Ip:AllowedNetworks", policy.Ip.AllowedNetworks)
            .Concat(Networks("Policy:Ip:DeniedNetworks", policy.Ip.DeniedNetworks))
            .Concat(policy.Challenges.SelectMany((rule, at) => Rule($"Policy:Challenges:{at}", rule)))
            .Concat(RevocationPolicyRules.Check(policy.Revocation));

    /// <summary>Checks section Validation:Targets.</summary>
    public static IEnumerable<ConfigurationFault> Check(TargetNetworkOptions targets) =>
        Networks("Validation:Targets:AllowedNetworks", targets.AllowedNetworks)
            .Concat(Networks("Validation:Targets:DeniedNetworks", targets.DeniedNetworks));

    /// <summary>Checks the words of a list of challenges.</summary>
    public static IEnumerable<ConfigurationFault> Challenges(string key, IEnumerable<string> words) =>
        words.Where(w => ChallengeTypes.Read(w) is null)
            .Select(w => new ConfigurationFault(key, $"there is no challenge '{w}'; there are {string.Join(", ", ChallengeTypes.All.Select(t => t.Wire()))}"));

    private static IEnumerable<ConfigurationFault> Rule(string key, ChallengeRuleOptions rule)
    {
        if (rule.NameSuffix.Length > 0 && DnsName.Parse(rule.NameSuffix.TrimStart('.')) is { IsValid: false } bad)
        {
            yield return new(key + ":NameSuffix", $"'{rule.NameSuffix}' is not a suffix: {bad.Reason}");
        }

        if (rule.Account.Length > 0 && !PublicId.LooksRight(rule.Account))
        {
            yield return new(key + ":Account", $"'{rule.Account}' is not the id of an account; write the last segment of its URL, {PublicId.Length} characters");
        }

        if (rule.Types.Count == 0)
        {
            yield return new(key + ":Types", "it is empty; name at least one challenge. Names that are not served at all belong in Names:DeniedSuffixes");
        }

        foreach (var fault in Challenges(key + ":Types", rule.Types))
        {
            yield return fault;
        }
    }

    /// <summary>Checks a list of networks.</summary>
    public static IEnumerable<ConfigurationFault> Networks(string key, IEnumerable<string> networks)
    {
        foreach (var text in networks)
        {
            // The parser drops bits after the prefix, which are a slip more often than a wish.
            if (!IPNetwork.TryParse(text, out var network) || !network.BaseAddress.Equals(IPAddress.Parse(text.AsSpan(0, text.IndexOf('/', StringComparison.Ordinal)))))
            {
                yield return new(key, $"'{text}' is not a network; write one such as 10.0.0.0/8 or fd00::/8, with zeros after the prefix");
            }
            else if (network.BaseAddress.IsIPv4MappedToIPv6)
            {
                yield return new(key, $"'{text}' is an IPv4 network in IPv6 form, which no address is ever in; write it as IPv4, such as 10.0.0.0/8");
            }
        }
    }
}

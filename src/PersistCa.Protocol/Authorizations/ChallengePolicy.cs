using System.Collections.Immutable;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Authorizations;

/// <summary>One rule of <see cref="ChallengePolicy"/>: it holds for what fits both of its conditions.</summary>
/// <param name="NameSuffix">A name that is this or lies under it, wildcards too; null for every identifier. No address lies under a name.</param>
/// <param name="Account">Public id of the account; null for every account.</param>
/// <param name="Types">The challenges on offer where the rule holds.</param>
public sealed record ChallengeRule(DnsName? NameSuffix, string? Account, ImmutableArray<ChallengeType> Types)
{
    internal bool Holds(Identifier identifier, string account) =>
        (Account is null || Account == account)
        && (NameSuffix is null || (identifier is CertificateName { Name: var name } && name.IsWithin(NameSuffix)));
}

/// <summary>Which challenges an authorization offers: the first rule that holds decides, and the default where none does.</summary>
/// <param name="onOffer">The default.</param>
/// <param name="rules">The rules, first match first.</param>
public sealed class ChallengePolicy(IEnumerable<ChallengeType> onOffer, IEnumerable<ChallengeRule> rules)
{
    private readonly ImmutableArray<ChallengeType> onOffer = [.. onOffer];
    private readonly ImmutableArray<ChallengeRule> rules = [.. rules];

    /// <summary>The challenges for an identifier, in the order in which clients see them; never none.</summary>
    /// <param name="identifier">What control is to be proved of.</param>
    /// <param name="account">Public id of the account.</param>
    /// <returns>The challenges; rejectedIdentifier when none of those on offer may prove such an identifier.</returns>
    public Outcome<ImmutableArray<ChallengeType>> For(Identifier identifier, string account)
    {
        var rule = rules.FirstOrDefault(r => r.Holds(identifier, account));
        var open = rule?.Types ?? onOffer;
        ImmutableArray<ChallengeType> left = [.. ChallengeTypes.All.Where(t => open.Contains(t) && t.Proves(identifier))];
        if (!left.IsEmpty)
        {
            return left;
        }

        var able = string.Join(", ", ChallengeTypes.All.Where(t => t.Proves(identifier)).Select(t => t.Wire()));
        var offered = open.IsEmpty ? "none is on offer" : $"{(rule is null ? "on offer" : "on offer for it by policy")}: {string.Join(", ", open.Select(t => t.Wire()))}";
        return new AcmeProblem(
            ProblemCatalog.RejectedIdentifier,
            $"No challenge is left that could prove control of {Describe(identifier)}; {offered}; able to: {able}.")
        { Identifier = identifier.Acme };
    }

    private static string Describe(Identifier identifier) => identifier switch
    {
        IpIdentifier => "the address " + identifier.Text,
        { IsWildcard: true } => "the wildcard name " + identifier.Text,
        _ => identifier.Text,
    };
}

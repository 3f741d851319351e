using System.Net;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Limits;

namespace PersistCa.Protocol.Accounts;

/// <summary>
/// What an operator allows one account: less than the configuration does, or, for limits, something else. A list that is empty restricts nothing. Judged at the
/// order and again at issuance, so that a restriction is seen by what is under way.
/// </summary>
public sealed record AccountRestrictions
{
    /// <summary>Most entries of a list.</summary>
    public const int MaxEntries = 200;

    /// <summary>Nothing is restricted.</summary>
    public static readonly AccountRestrictions None = new();

    /// <summary>Names that may stand in its certificates, as texts of <see cref="NameRule"/> in their one spelling.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Profiles that its orders may have.</summary>
    public IReadOnlyList<string> Profiles { get; init; } = [];

    /// <summary>Challenges by which it may prove names.</summary>
    public IReadOnlyList<ChallengeType> Challenges { get; init; } = [];

    /// <summary>Limits in place of the configured ones, by the name of the limit.</summary>
    public IReadOnlyDictionary<string, RateLimit> Limits { get; init; } = new Dictionary<string, RateLimit>();

    /// <summary>Whether nothing is restricted.</summary>
    public bool IsNone => Names.Count == 0 && Profiles.Count == 0 && Challenges.Count == 0 && Limits.Count == 0;

    /// <summary>Says why an identifier may not stand in a certificate of the account; null when it may.</summary>
    public AcmeProblem? Refuse(Identifier identifier) => Names.Count == 0 || Names.Any(n => NameRule.Parse(n) is { IsValid: true, Value: var rule } && rule.Permits(identifier))
        ? null
        : new AcmeProblem(ProblemCatalog.RejectedIdentifier, $"{identifier} is not among the names that this account is restricted to; its operator can change that.") { Identifier = identifier.Acme };

    /// <summary>Whether the account may use a challenge.</summary>
    public bool Accepts(ChallengeType type) => Challenges.Count == 0 || Challenges.Contains(type);

    /// <summary>Whether the account may have a profile.</summary>
    public bool AcceptsProfile(string profile) => Profiles.Count == 0 || Profiles.Contains(profile);

    /// <summary>Whether these allow anything that others do not: then they are no mere restriction of what was.</summary>
    /// <param name="before">The others.</param>
    /// <param name="configured">The limits that hold where none is named here, by name.</param>
    public bool AllowMoreThan(AccountRestrictions before, IReadOnlyDictionary<string, RateLimit> configured) =>
        Wider(Names, before.Names, Covers) || Wider(Profiles, before.Profiles, (a, b) => a == b) || Wider(Challenges, before.Challenges, (a, b) => a == b)
        || Limits.Keys.Union(before.Limits.Keys).Any(k => More(Limits.GetValueOrDefault(k) ?? configured[k], before.Limits.GetValueOrDefault(k) ?? configured[k]));

    private static bool Wider<T>(IReadOnlyList<T> now, IReadOnlyList<T> before, Func<T, T, bool> covers) =>
        before.Count > 0 && (now.Count == 0 || !now.All(n => before.Any(b => covers(b, n))));

    private static bool More(RateLimit now, RateLimit before) => !before.IsOff && (now.IsOff || now.Count > before.Count || now.Period < before.Period);

    /// <summary>Whether a rule permits everything that another does, as far as their texts tell: where they do not tell, it does not.</summary>
    private static bool Covers(string rule, string other)
    {
        if (rule == other)
        {
            return true;
        }

        var address = other.Contains('/', StringComparison.Ordinal) || IPAddress.TryParse(other, out _);
        if (rule.StartsWith('.'))
        {
            // What follows the last star is where everything that a pattern matches lies.
            var labels = other.TrimStart('.').Split('.');
            var last = Array.FindLastIndex(labels, l => l.Contains('*', StringComparison.Ordinal));
            return !address && (rule == NameRule.EveryName || (other != NameRule.EveryName
                && DnsName.Parse(string.Join('.', labels[(last + 1)..])) is { IsValid: true, Value: var place }
                && place.IsWithin(DnsName.Parse(rule[1..]).Value!)));
        }

        if (!rule.Contains('/', StringComparison.Ordinal) || !address)
        {
            return false;
        }

        var (network, inner) = (IPNetwork.Parse(rule), IPNetwork.TryParse(other, out var read) && other.Contains('/', StringComparison.Ordinal) ? read : default(IPNetwork?));
        return inner is { } within ? within.PrefixLength >= network.PrefixLength && network.Contains(within.BaseAddress) : network.Contains(IPAddress.Parse(other));
    }
}

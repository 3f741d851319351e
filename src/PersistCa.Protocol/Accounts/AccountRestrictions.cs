using System.Net;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
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

    /// <summary>Names that may stand in its certificates: "x", or "*.x" for everything under x but not x; an address; a network as 10.0.0.0/8.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Profiles that its orders may have.</summary>
    public IReadOnlyList<string> Profiles { get; init; } = [];

    /// <summary>Challenges by which it may prove names.</summary>
    public IReadOnlyList<ChallengeType> Challenges { get; init; } = [];

    /// <summary>Limits in place of the configured ones, by the name of the limit.</summary>
    public IReadOnlyDictionary<string, RateLimit> Limits { get; init; } = new Dictionary<string, RateLimit>();

    /// <summary>Whether nothing is restricted.</summary>
    public bool IsNone => Names.Count == 0 && Profiles.Count == 0 && Challenges.Count == 0 && Limits.Count == 0;

    /// <summary>Reads an entry of <see cref="Names"/> into its one spelling.</summary>
    /// <returns>The entry; or the reason why it is none.</returns>
    public static Parsed<string> ReadName(string text)
    {
        if (text.Contains('/', StringComparison.Ordinal))
        {
            return IPNetwork.TryParse(text, out var network) ? Parsed<string>.Ok(network.ToString()) : Parsed<string>.Refused($"'{Excerpt.Of(text, 100)}' is no network; write one such as 10.0.0.0/8");
        }

        if (IpIdentifier.Parse(text) is { IsValid: true, Value: var address })
        {
            return Parsed<string>.Ok(address.Text);
        }

        var name = CertificateName.Parse(text);
        return name.IsValid ? Parsed<string>.Ok(name.Value.Text) : Parsed<string>.Refused($"'{Excerpt.Of(text, 100)}' is no name: {name.Reason}");
    }

    /// <summary>Says why an identifier may not stand in a certificate of the account; null when it may.</summary>
    public AcmeProblem? Refuse(Identifier identifier) => Names.Count == 0 || Names.Any(n => Covers(n, identifier.Text))
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

    /// <summary>Whether an entry stands for a name, or for everything that another entry stands for.</summary>
    private static bool Covers(string entry, string other)
    {
        if (entry == other)
        {
            return true;
        }

        if (entry.StartsWith("*.", StringComparison.Ordinal))
        {
            return other.EndsWith(entry[1..], StringComparison.Ordinal);
        }

        if (!IPNetwork.TryParse(entry, out var network) || !entry.Contains('/', StringComparison.Ordinal))
        {
            return false;
        }

        return IPNetwork.TryParse(other, out var inner) && other.Contains('/', StringComparison.Ordinal)
            ? inner.PrefixLength >= network.PrefixLength && network.Contains(inner.BaseAddress)
            : IPAddress.TryParse(other, out var address) && network.Contains(address);
    }
}

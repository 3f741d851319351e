using System.Globalization;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.ExternalAccounts;

namespace PersistCa.Server.Registration;

/// <summary>What an operator may say of an external account key. Pure.</summary>
internal static class ExternalAccountRules
{
    /// <summary>Most accounts that a key can be limited to.</summary>
    public const int MaxAccounts = 1_000_000;

    /// <summary>Most names of one certificate that a key can be limited to.</summary>
    public const int MaxNames = 1000;

    /// <summary>Longest time ahead at which a key can be made to end.</summary>
    public static readonly TimeSpan LongestLife = TimeSpan.FromDays(3653);

    /// <summary>Judges terms and puts them into their one spelling.</summary>
    /// <param name="terms">As they were said.</param>
    /// <param name="knowsProfile">Whether there is a profile of a name.</param>
    /// <param name="before">The end that the key has already, which may lie in the past; null for none.</param>
    /// <param name="now">The time.</param>
    /// <returns>The terms; malformed with the first fault.</returns>
    public static Outcome<ExternalAccountTerms> Judge(ExternalAccountTerms terms, Func<string, bool> knowsProfile, DateTimeOffset? before, DateTimeOffset now)
    {
        if (terms.Names.Count is 0 or > ExternalAccountKey.MaxNameRules)
        {
            return Malformed($"names has {terms.Names.Count} rules; 1 to {ExternalAccountKey.MaxNameRules} are expected, '{NameRule.EveryName}' for every name");
        }

        var names = new List<string>(terms.Names.Count);
        foreach (var text in terms.Names)
        {
            var rule = NameRule.Parse(text);
            if (!rule.IsValid)
            {
                return Malformed($"the rule '{Excerpt.Of(text, 100)}' of names cannot be used: {rule.Reason}");
            }

            names.Add(rule.Value.Text);
        }

        if (terms.Profiles.FirstOrDefault(p => !knowsProfile(p)) is { } profile)
        {
            return Malformed($"there is no profile '{Excerpt.Of(profile, 64)}' here");
        }

        if (terms.Challenges.FirstOrDefault(c => ChallengeTypes.Read(c) is null) is { } challenge)
        {
            return Malformed($"there is no challenge '{Excerpt.Of(challenge, 64)}'; there are {string.Join(", ", ChallengeTypes.All.Select(t => t.Wire()))}");
        }

        return (Numbers(terms) ?? Texts(terms) ?? End(terms.ExpiresAt, before, now)) is { } fault
            ? fault
            : terms with
            {
                Names = [.. names.Distinct()],
                Profiles = [.. terms.Profiles.Distinct()],
                Challenges = [.. terms.Challenges.Distinct()],
                ExpiresAt = terms.ExpiresAt is { } end ? DateTimeOffset.FromUnixTimeSeconds(end.ToUnixTimeSeconds()) : null,
            };
    }

    private static AcmeProblem? Numbers(ExternalAccountTerms terms) =>
        terms.MaxAccounts is < 0 or > MaxAccounts ? Malformed($"maxAccounts is {Text(terms.MaxAccounts)}; 0 to {Text(MaxAccounts)} are expected")
        : terms.MaxNames is < 0 or > MaxNames ? Malformed($"maxNames is {Text(terms.MaxNames)}; 0 to {Text(MaxNames)} are expected")
        : (terms.Stops & ~(EndStops.NewOrders | EndStops.Renewals | EndStops.Revocations)) != 0 ? Malformed("what the end stops is not known")
        : null;

    private static AcmeProblem? Texts(ExternalAccountTerms terms)
    {
        foreach (var (member, text) in new[] { ("owner", terms.Owner), ("team", terms.Team), ("system", terms.System), ("criticality", terms.Criticality) })
        {
            if (text.Length > ExternalAccountKey.MaxTextLength || text.Any(char.IsControl))
            {
                return Malformed($"{member} has {text.Length} characters; at most {ExternalAccountKey.MaxTextLength} on one line are expected");
            }
        }

        return string.IsNullOrWhiteSpace(terms.Owner) ? Malformed("owner is empty; say who answers for the key") : null;
    }

    private static AcmeProblem? End(DateTimeOffset? end, DateTimeOffset? before, DateTimeOffset now) => end is { } at && at != before && (at <= now || at > now + LongestLife)
        ? Malformed($"expires is {AcmeJson.Time(at)}; a time after {AcmeJson.Time(now)} and within {LongestLife.TotalDays.ToString(CultureInfo.InvariantCulture)} days is expected")
        : null;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static AcmeProblem Malformed(string what) => new(ProblemCatalog.Malformed, char.ToUpperInvariant(what[0]) + what[1..] + ".");
}

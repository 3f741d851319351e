using System.Text.Json;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Limits;

namespace PersistCa.Protocol.Accounts;

/// <summary>Restrictions as JSON: one text for each, so that it can be digested.</summary>
public static class RestrictionsText
{
    /// <summary>Writes them.</summary>
    public static string Write(AccountRestrictions r) => JsonSerializer.Serialize(new Kept(
        r.Names,
        r.Profiles,
        [.. r.Challenges.Select(c => c.Wire())],
        new SortedDictionary<string, string>(r.Limits.ToDictionary(l => l.Key, l => l.Value.ToString()), StringComparer.Ordinal)));

    /// <summary>Reads what was written.</summary>
    /// <exception cref="JsonException">The text was not written here.</exception>
    public static AccountRestrictions Read(string text)
    {
        var kept = JsonSerializer.Deserialize<Kept>(text) ?? throw new JsonException("null is no restriction");
        return new AccountRestrictions
        {
            Names = kept.Names,
            Profiles = kept.Profiles,
            Challenges = [.. kept.Challenges.Select(c => ChallengeTypes.Read(c) ?? throw new JsonException($"unknown challenge {c}"))],
            Limits = kept.Limits.ToDictionary(l => l.Key, l => RateLimit.Parse(l.Value) is { IsValid: true } limit ? limit.Value : throw new JsonException($"no limit: {l.Value}")),
        };
    }

    private sealed record Kept(IReadOnlyList<string> Names, IReadOnlyList<string> Profiles, IReadOnlyList<string> Challenges, SortedDictionary<string, string> Limits);
}

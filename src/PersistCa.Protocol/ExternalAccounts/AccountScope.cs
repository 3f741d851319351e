using System.Collections.Immutable;
using System.Globalization;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Limits;

namespace PersistCa.Protocol.ExternalAccounts;

/// <summary>What an account wants to do that the end of its external account may stop.</summary>
public enum ScopedAct
{
    /// <summary>A certificate for names that it has none for.</summary>
    NewOrder = 1,

    /// <summary>A certificate in the place of one that it has.</summary>
    Renewal = 2,

    /// <summary>The end of a certificate.</summary>
    Revocation = 3,
}

/// <summary>What an account may do by the external account key that it was bound to; everything where it was bound to none.</summary>
public sealed record AccountScope
{
    /// <summary>Most rules that a refusal lists.</summary>
    public const int MaxListed = 10;

    /// <summary>The scope of an account that was bound to no key.</summary>
    public static readonly AccountScope Unbound = new();

    /// <summary>The key's identifier; null where there is none.</summary>
    public string? KeyId { get; init; }

    /// <summary>The names that it may have.</summary>
    public ImmutableArray<NameRule> Names { get; init; } = [];

    /// <summary>Profiles that its orders may have; none for all that are offered.</summary>
    public ImmutableArray<string> Profiles { get; init; } = [];

    /// <summary>Challenges by which its names may be proved; none for all on offer.</summary>
    public ImmutableArray<ChallengeType> Challenges { get; init; } = [];

    /// <summary>Most names of one certificate; 0 for as many as the profile allows.</summary>
    public int MaxNames { get; init; }

    /// <summary>Certificates in a period, of all accounts of the key together.</summary>
    public RateLimit Certificates { get; init; } = RateLimit.None;

    /// <summary>When the key ended or will end; null for never.</summary>
    public DateTimeOffset? EndsAt { get; init; }

    /// <summary>Whether it was removed.</summary>
    public bool Removed { get; init; }

    /// <summary>What its end stops.</summary>
    public EndStops Stops { get; init; }

    /// <summary>Whether the account was bound to a key.</summary>
    public bool IsBound => KeyId is not null;

    /// <summary>Whether names may be proved by a challenge.</summary>
    public bool Accepts(ChallengeType type) => Challenges.IsEmpty || Challenges.Contains(type);

    /// <summary>Whether the key has ended.</summary>
    public bool HasEndedAt(DateTimeOffset now) => Removed || (EndsAt is { } end && now >= end);

    /// <summary>Says why a certificate may not have an identifier; null when it may.</summary>
    public AcmeProblem? Refuse(Identifier identifier) => !IsBound || Names.Any(r => r.Permits(identifier))
        ? null
        : new AcmeProblem(ProblemCatalog.RejectedIdentifier, $"{identifier} is not among the names of the external account {KeyId}; they are {Listed(Names.Select(r => r.Text), Names.Length)}.")
        {
            Identifier = identifier.Acme,
        };

    /// <summary>Says of several identifiers which may not be had; null when all may.</summary>
    public AcmeProblem? RefuseNames(IEnumerable<Identifier> identifiers)
    {
        var problems = identifiers.Select(Refuse).OfType<AcmeProblem>().ToList();
        return problems.Count == 0 ? null : AcmeProblem.Combine(problems, $"{problems.Count} identifiers are not among the names of the external account {KeyId}; see subproblems.");
    }

    /// <summary>Says why an order may not have a profile; null when it may.</summary>
    public AcmeProblem? RefuseProfile(string profile) => Profiles.IsEmpty || Profiles.Contains(profile)
        ? null
        : new AcmeProblem(ProblemCatalog.InvalidProfile, $"The profile {profile} is not for the external account {KeyId}; its profiles are {Listed(Profiles, Profiles.Length)}.");

    /// <summary>Says why a certificate may not have so many names; null when it may.</summary>
    public AcmeProblem? RefuseCount(int names) => MaxNames == 0 || names <= MaxNames
        ? null
        : new AcmeProblem(ProblemCatalog.Malformed, string.Create(CultureInfo.InvariantCulture, $"The order names {names} identifiers; at most {MaxNames} are accepted for the external account {KeyId}."));

    /// <summary>Says why something may not be done any more; null when it may.</summary>
    public AcmeProblem? RefuseAct(ScopedAct act, DateTimeOffset now)
    {
        var (flag, what) = act switch
        {
            ScopedAct.NewOrder => (EndStops.NewOrders, "new orders"),
            ScopedAct.Renewal => (EndStops.Renewals, "renewals"),
            ScopedAct.Revocation => (EndStops.Revocations, "revocations by its accounts"),
            _ => throw new ArgumentOutOfRangeException(nameof(act)),
        };
        return HasEndedAt(now) && Stops.HasFlag(flag)
            ? new AcmeProblem(ProblemCatalog.Unauthorized, $"The external account {KeyId} {(Removed ? "was removed" : "expired")} at {AcmeJson.Time(EndsAt!.Value)}, which stops {what}; ask the operator of this authority for another.")
            : null;
    }

    private static string Listed(IEnumerable<string> texts, int count) =>
        string.Join(", ", texts.Take(MaxListed)) + (count > MaxListed ? string.Create(CultureInfo.InvariantCulture, $" and {count - MaxListed} more") : "");
}

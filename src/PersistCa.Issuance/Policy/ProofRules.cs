using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Policy;

/// <summary>Rules about what was proved for names, and about what their owners permit.</summary>
internal static class ProofRules
{
    /// <summary>The rule that look-ups of CAA records can mend.</summary>
    public const string CaaRule = "caa.permitted";

    private const string Reuse = "Baseline Requirements section 4.2.1";

    public static PolicyRule[] All { get; } =
    [
        new("proof.valid", "each name has an authorization of this account that is valid now", "RFC 8555 section 7.4", (f, _) => RuleFinding.Of(
            f.Names.Select(n => Of(f, n) is { Status: AuthorizationStatus.Valid }
                ? null
                : Unauthorized(n, $"The authorization for {n} is {Of(f, n)?.Status?.ToString().ToLowerInvariant() ?? "missing"} at the time of issuance.")),
            Authorizations(f),
            "a valid authorization for each name")),
        new("proof.rules", "each name was proved by the rules that hold now", "docs/operations/perspectives.md", (f, _) => RuleFinding.Of(
            Valid(f).Select(p => p.ByPresentRules ? null : Unauthorized(p.Name, $"{p.Name} was proved by rules that have changed since; make a new order.")),
            $"proved by the present rules of the regime {f.Profile.Regime}",
            $"the present rules of the regime {f.Profile.Regime}{(f.Profile.Proofs.Length > 0 ? $" ({f.Profile.Proofs})" : "")}")),
        new("proof.method", "each name was proved by a challenge that can prove it", "RFC 8555 section 8; RFC 8738 section 4; RFC 9444 section 4", (f, _) => RuleFinding.Of(
            Valid(f).Select(p => p.Method is { } m && (p.Above ? m.ProvesWildcards() : m.Proves(p.Name)) ? null : Unauthorized(p.Name, $"{p.Name} was proved by {p.Method?.Wire() ?? "nothing"}, which cannot prove it.")),
            Used(f),
            "challenges that can prove their names")),
        new("profile.challenges", "each name was proved by a challenge that the profile accepts", "docs/operations/profiles.md", (f, _) => f.Profile.Challenges.IsEmpty
            ? RuleFinding.NotApplicable("the profile accepts every challenge")
            : Methods(f, f.Profile.Challenges.Contains, $"the profile {f.Profile.Name} does not accept any more", f.Profile.Challenges)),
        new("proof.age", "no proof is older than it may be used", Reuse, (f, _) => RuleFinding.Of(
            Valid(f).Select(p => p.ProvedAt is { } at && at - f.Now <= MostAhead && f.Now - at <= p.LongestUse
                ? null
                : Unauthorized(p.Name, $"{p.Name} was proved {(p.ProvedAt is { } then ? "at " + AcmeJson.Time(then) : "at no time")}, which may be used for {Texts.Duration(p.LongestUse)}; make a new order.")),
            Oldest(f),
            "proofs that may still be used")),
        new("profile.reuse", "each name was proved for this very order, where the profile wants it", "docs/operations/profiles.md", (f, _) => !f.Profile.ProvedAnew
            ? RuleFinding.NotApplicable("the profile takes proofs that were made for other orders")
            : RuleFinding.Of(
                Valid(f).Select(p => p.ProvedAt is { } at && at >= f.OrderedAt ? null : Unauthorized(p.Name, $"{p.Name} was proved before the order, and the profile {f.Profile.Name} takes no proof twice; make a new order.")),
                Oldest(f),
                $"proofs made since the order was opened, at {AcmeJson.Time(f.OrderedAt)}")),
        new(CaaRule, "CAA records permit each name, as far as they are asked and obeyed", "RFC 8659; Baseline Requirements section 3.2.2.8", (f, _) => f.Caa.IsEmpty
            ? RuleFinding.NotApplicable("no name has CAA records")
            : f.Caa.All(c => c.Mode == CaaMode.Off) ? RuleFinding.NotApplicable("CAA records are not looked at for these names")
            : RuleFinding.Of(f.Caa.Select(c => Forbidden(f, c)), Texts.List(f.Caa.Select(c => $"{c.Name}: {c.Outcome ?? "not asked"}"), f.Caa.Length), "a permission that is still fresh, where it is obeyed")),
    ];

    /// <summary>Whether the challenges by which names were proved are accepted.</summary>
    public static RuleFinding Methods(PolicyFacts f, Func<ChallengeType, bool> accepts, string otherwise, IEnumerable<ChallengeType> expected) => RuleFinding.Of(
        Valid(f).Select(p => p.Method is { } m && accepts(m) ? null : Unauthorized(p.Name, $"{p.Name} was proved by {p.Method?.Wire() ?? "nothing"}, which {otherwise}; make a new order.")),
        Used(f),
        string.Join(", ", expected.Select(e => e.Wire())));

    /// <summary>How far a proof may be dated ahead: a clock that is set back makes some, and one that was far wrong must not have made any that last.</summary>
    private static readonly TimeSpan MostAhead = TimeSpan.FromHours(2);

    private static AcmeProblem? Forbidden(PolicyFacts f, CaaFacts c)
    {
        var fresh = c.FreshUntil is { } until && until >= f.Now && c.CheckedAt <= f.Now;
        return c.Mode switch
        {
            CaaMode.Off => null,
            CaaMode.Report when c.Outcome is not null => null,
            CaaMode.Enforce when fresh && c.Outcome == nameof(CaaOutcome.Permitted) => null,
            _ => new AcmeProblem(ProblemCatalog.Caa, $"There is no permission by CAA records for {c.Name} that is still fresh.") { Identifier = c.Name.Acme },
        };
    }

    /// <summary>The proof of a name; null when there is none.</summary>
    private static ProofFacts? Of(PolicyFacts f, Identifier name) => f.Proofs.FirstOrDefault(p => p.Name == name && p.Authorization is not null);

    /// <summary>Proofs that count: what is missing is the business of one rule alone.</summary>
    private static IEnumerable<ProofFacts> Valid(PolicyFacts f) => f.Names.Select(n => Of(f, n)).OfType<ProofFacts>().Where(p => p.Status == AuthorizationStatus.Valid);

    private static string Authorizations(PolicyFacts f) =>
        Texts.List(f.Names.Select(n => Of(f, n) is { } p ? $"{n}: {p.Authorization} {p.Status?.ToString().ToLowerInvariant()}" : $"{n}: none"), f.Names.Length);

    private static string Used(PolicyFacts f)
    {
        var methods = Valid(f).Where(p => p.Method is not null).Select(p => p.Method!.Value.Wire()).Distinct().Order(StringComparer.Ordinal).ToList();
        return methods.Count == 0 ? "none" : string.Join(", ", methods);
    }

    private static string Oldest(PolicyFacts f)
    {
        var oldest = Valid(f).Where(p => p.ProvedAt is not null).MinBy(p => p.ProvedAt);
        return oldest is null ? "none" : $"the oldest is of {AcmeJson.Time(oldest.ProvedAt!.Value)}, usable for {Texts.Duration(oldest.LongestUse)}";
    }

    private static AcmeProblem Unauthorized(Identifier name, string detail) => new(ProblemCatalog.Unauthorized, detail) { Identifier = name.Acme };
}

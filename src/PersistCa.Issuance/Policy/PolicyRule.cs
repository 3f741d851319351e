using System.Collections.Immutable;
using PersistCa.Issuance.Linting;
using PersistCa.Protocol.Acme;

namespace PersistCa.Issuance.Policy;

/// <summary>What a rule says.</summary>
public enum RuleOutcome
{
    /// <summary>It is obeyed.</summary>
    Passed = 1,

    /// <summary>It is not: the certificate must not be signed.</summary>
    Failed = 2,

    /// <summary>It has nothing to say here.</summary>
    NotApplicable = 3,
}

/// <summary>What one rule said, and why.</summary>
/// <param name="Outcome">What.</param>
/// <param name="Found">What was found.</param>
/// <param name="Expected">What was expected; empty where the rule has nothing to say.</param>
public sealed record RuleFinding(RuleOutcome Outcome, string Found, string Expected)
{
    /// <summary>The refusals that it leads to; none unless it failed. Those about an identifier bear it.</summary>
    public ImmutableArray<AcmeProblem> Problems { get; init; } = [];

    internal static RuleFinding Passed(string found, string expected) => new(RuleOutcome.Passed, found, expected);

    internal static RuleFinding NotApplicable(string why) => new(RuleOutcome.NotApplicable, why, "");

    internal static RuleFinding Failed(AcmeProblem problem, string found, string expected) => new(RuleOutcome.Failed, found, expected) { Problems = [problem] };

    /// <summary>Passed when there is no problem, failed with those that there are.</summary>
    internal static RuleFinding Of(IEnumerable<AcmeProblem?> problems, string found, string expected)
    {
        ImmutableArray<AcmeProblem> all = [.. problems.OfType<AcmeProblem>()];
        return all.IsEmpty ? Passed(found, expected) : new(RuleOutcome.Failed, string.Join("; ", all.Select(p => p.Detail)), expected) { Problems = all };
    }
}

/// <summary>One rule about certificates that are about to be signed.</summary>
/// <param name="Id">Its identifier, which stays what it is: decisions are kept for years.</param>
/// <param name="Rule">The rule in a line.</param>
/// <param name="Citation">Where it stands, or the page that says it.</param>
/// <param name="Check">Judges. Pure.</param>
public sealed record PolicyRule(string Id, string Rule, string Citation, Func<PolicyFacts, CertificateFacts, RuleFinding> Check);

/// <summary>Every rule, in the order in which decisions list them and in which their refusals come first.</summary>
public static class Rulebook
{
    /// <summary>The rules.</summary>
    public static IReadOnlyList<PolicyRule> All { get; } = [.. AccountRules.All, .. ProfileRules.All, .. NameRules.All, .. ProofRules.All, .. CertificateRules.All];
}

namespace PersistCa.Issuance.Linting;

/// <summary>The rules a certificate is held against: those of a private authority, or those of the public web besides.</summary>
public enum Regime
{
    /// <summary>A private authority: RFC 5280 and what makes certificates safe anywhere.</summary>
    Private = 0,

    /// <summary>The Baseline Requirements of the CA/Browser Forum for TLS servers.</summary>
    CabfBr = 1,
}

/// <summary>What a finding leads to.</summary>
public enum LintSeverity
{
    /// <summary>The lint is not run.</summary>
    NotApplicable = 0,

    /// <summary>Worth knowing.</summary>
    Notice = 1,

    /// <summary>Against a recommendation: signed, and recorded.</summary>
    Warning = 2,

    /// <summary>Against a rule: never signed.</summary>
    Error = 3,
}

/// <summary>What a lint saw.</summary>
/// <param name="Text">What was found and what was expected.</param>
/// <param name="Severity">Where one sight of a lint weighs other than its rule; null for the weight of the rule.</param>
public readonly record struct LintObservation(string Text, LintSeverity? Severity = null)
{
    /// <summary>An observation with the weight of the rule.</summary>
    public static implicit operator LintObservation(string text) => new(text);
}

/// <summary>Something wrong with a certificate or list.</summary>
/// <param name="Id">The lint, such as L06.</param>
/// <param name="Message">What was found and what was expected.</param>
/// <param name="Severity">What it leads to.</param>
/// <param name="Citation">Where the rule stands.</param>
public sealed record LintFinding(string Id, string Message, LintSeverity Severity = LintSeverity.Error, string Citation = "RFC 5280 section 4.1");

/// <summary>What every lint says about itself.</summary>
public interface ILintRule
{
    /// <summary>Its identifier, such as L06.</summary>
    public string Id { get; }

    /// <summary>The rule in a line.</summary>
    public string Rule { get; }

    /// <summary>Where the rule stands.</summary>
    public string Citation { get; }

    /// <summary>What a finding leads to under a regime.</summary>
    public LintSeverity Severity(Regime regime);
}

/// <summary>One rule about certificates.</summary>
public interface ICertificateLint : ILintRule
{
    /// <summary>Looks.</summary>
    /// <returns>What is against the rule; nothing when all is well or there is nothing to hold it against.</returns>
    /// <exception cref="System.Formats.Asn1.AsnContentException">What it needs to see cannot be read; the runner makes a finding of it.</exception>
    public IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context);
}

/// <summary>What lints say about themselves, in one line of code each.</summary>
/// <param name="id">The identifier.</param>
/// <param name="rule">The rule.</param>
/// <param name="citation">Where it stands.</param>
/// <param name="cabf">What it leads to under the Baseline Requirements.</param>
/// <param name="privately">What it leads to elsewhere; the same when null.</param>
internal abstract class LintRule(string id, string rule, string citation, LintSeverity cabf = LintSeverity.Error, LintSeverity? privately = null) : ILintRule
{
    /// <inheritdoc/>
    public string Id => id;

    /// <inheritdoc/>
    public string Rule => rule;

    /// <inheritdoc/>
    public string Citation => citation;

    /// <inheritdoc/>
    public LintSeverity Severity(Regime regime) => regime == Regime.CabfBr ? cabf : privately ?? cabf;
}

/// <summary>A rule about certificates.</summary>
internal abstract class CertificateLint(string id, string rule, string citation, LintSeverity cabf = LintSeverity.Error, LintSeverity? privately = null)
    : LintRule(id, rule, citation, cabf, privately), ICertificateLint
{
    /// <inheritdoc/>
    public abstract IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context);
}

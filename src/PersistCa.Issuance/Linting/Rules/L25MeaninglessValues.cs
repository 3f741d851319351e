namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L25: no name is only punctuation, begins or ends with a space, or has HTML entities.</summary>
internal sealed class L25MeaninglessValues() : CertificateLint("L25", "no name is only punctuation, begins or ends with a space, or has HTML entities", "BR section 7.1.4.2", privately: LintSeverity.Warning)
{
    private static readonly string[] Entities = ["&amp;", "&lt;", "&gt;", "&quot;", "&#"];

    private static bool HasEntity(string text) => Entities.Any(e => text.Contains(e, StringComparison.OrdinalIgnoreCase));

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        return facts.Subject.Where(a => !a.Text.Any(char.IsLetterOrDigit) || a.Text.Trim().Length != a.Text.Length || HasEntity(a.Text))
            .Select(a => new LintObservation($"the attribute {a.Oid} is '{a.Text}': only punctuation, a space at an end, or an HTML entity"));
    }
}

using System.Formats.Asn1;

namespace PersistCa.Issuance.Linting;

/// <summary>
/// Runs the lints over certificates: over the final to-be-signed bytes before any key signs them (Baseline Requirements section 4.3.1.2), and over
/// whole certificates of anyone.
/// </summary>
public static class TbsLint
{
    /// <summary>The finding about bytes that cannot be read.</summary>
    public const string Unreadable = "L00";

    /// <summary>Checks to-be-signed bytes.</summary>
    /// <returns>The findings, in the order of the lints. Bytes that cannot be read are one finding, L00.</returns>
    public static IReadOnlyList<LintFinding> Check(ReadOnlyMemory<byte> tbsDer, LintContext context)
    {
        var facts = CertificateFacts.OfTbs(tbsDer);
        return facts.IsValid ? Check(facts.Value, context) : [new LintFinding(Unreadable, facts.Reason)];
    }

    /// <summary>Checks a certificate that has been read.</summary>
    public static IReadOnlyList<LintFinding> Check(CertificateFacts facts, LintContext context) => Run(Lints.All, context.Regime, lint => lint.Check(facts, context));

    /// <summary>Runs lints; what one cannot read is a finding of its own.</summary>
    internal static IReadOnlyList<LintFinding> Run<T>(IEnumerable<T> lints, Regime regime, Func<T, IEnumerable<LintObservation>> check)
        where T : ILintRule
    {
        var findings = new List<LintFinding>();
        foreach (var lint in lints)
        {
            var severity = lint.Severity(regime);
            if (severity == LintSeverity.NotApplicable)
            {
                continue;
            }

            try
            {
                findings.AddRange(check(lint).Select(o => new LintFinding(lint.Id, o.Text, o.Severity ?? severity, lint.Citation)));
            }
            catch (AsnContentException e)
            {
                findings.Add(new LintFinding(lint.Id, "an extension or the key cannot be read: " + e.Message, severity, lint.Citation));
            }
        }

        return findings;
    }
}

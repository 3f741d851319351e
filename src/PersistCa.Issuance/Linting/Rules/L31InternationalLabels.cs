using System.Globalization;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L31: A-labels decode and encode again to themselves, and no other label has hyphens in its third and fourth places.</summary>
internal sealed class L31InternationalLabels() : CertificateLint("L31", "A-labels decode and encode again to themselves, and no other label has hyphens in its third and fourth places", "RFC 5891 section 4.2.3.1; BR section 7.1.4.2.1")
{
    private static bool RoundTrips(string label)
    {
        try
        {
            var mapping = new IdnMapping();
            return string.Equals(mapping.GetAscii(mapping.GetUnicode(label)), label, StringComparison.OrdinalIgnoreCase);
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        foreach (var label in facts.Names.DnsNames.SelectMany(n => n.Split('.')).Where(l => l.Length >= 4 && l[2] == '-' && l[3] == '-'))
        {
            if (!label.StartsWith("xn--", StringComparison.OrdinalIgnoreCase))
            {
                yield return $"the label '{label}' is reserved";
            }
            else if (!RoundTrips(label))
            {
                yield return $"the label '{label}' is no A-label";
            }
        }
    }
}

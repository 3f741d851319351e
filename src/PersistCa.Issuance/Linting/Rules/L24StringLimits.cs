using System.Formats.Asn1;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L24: names are UTF8String or PrintableString within their length limit.</summary>
internal sealed class L24StringLimits() : CertificateLint("L24", "names are UTF8String or PrintableString within their length limit", "RFC 5280 sections 4.1.2.4 and appendix A.1")
{
    private static readonly Dictionary<string, int> Limits = new()
    {
        [Oids.CommonName] = 64,
        ["2.5.4.5"] = 64,
        [Oids.CountryName] = 2,
        ["2.5.4.7"] = 128,
        ["2.5.4.8"] = 128,
        ["2.5.4.10"] = 64,
        ["2.5.4.11"] = 64,
    };

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        foreach (var attribute in facts.Subject)
        {
            if (!Limits.TryGetValue(attribute.Oid, out var limit))
            {
                continue;
            }

            if (attribute.Tag is not (UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString))
            {
                yield return $"the attribute {attribute.Oid} is a {attribute.Tag}; UTF8String or PrintableString is expected";
            }

            if (attribute.Text.Length == 0 || attribute.Text.EnumerateRunes().Count() > limit)
            {
                yield return $"the attribute {attribute.Oid} has {attribute.Text.Length} characters; 1 to {limit} are expected";
            }
        }
    }
}

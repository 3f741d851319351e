using System.Formats.Asn1;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L43: authorityInfoAccess is not critical, and has only OCSP and caIssuers with http URIs, each once.</summary>
internal sealed class L43AuthorityInfoAccess() : CertificateLint("L43", "authorityInfoAccess is not critical, and has only OCSP and caIssuers with http URIs, each once", "RFC 5280 section 4.2.2.1; BR section 7.1.2.7.7")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (facts.Fields.Find(Oids.AuthorityInfoAccess) is not { } extension)
        {
            yield break;
        }

        if (extension.Critical)
        {
            yield return "authorityInfoAccess is critical";
        }

        var seen = new HashSet<string>();
        var list = Oids.ReadList(extension.Value);
        while (list.HasData)
        {
            var description = list.ReadSequence();
            var method = description.ReadObjectIdentifier();
            var uri = description.PeekTag() == Locations.UriTag ? description.ReadCharacterString(UniversalTagNumber.IA5String, Locations.UriTag) : null;
            if (method is not ("1.3.6.1.5.5.7.48.1" or "1.3.6.1.5.5.7.48.2"))
            {
                yield return $"authorityInfoAccess has the method {method}; only OCSP and caIssuers are expected";
            }

            if (uri is null || !seen.Add(method + " " + uri))
            {
                yield return "authorityInfoAccess has a location that is no URI, or one twice";
            }
            else if (!Locations.IsHttp(uri))
            {
                yield return new LintObservation($"the location '{uri}' is no http URI", context.Regime == Regime.CabfBr ? LintSeverity.Error : LintSeverity.Warning);
            }
        }
    }
}

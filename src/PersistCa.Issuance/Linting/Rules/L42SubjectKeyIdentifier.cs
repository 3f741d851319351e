namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L42: subjectKeyIdentifier is there in an authority's certificate, and not in a subscriber's.</summary>
internal sealed class L42SubjectKeyIdentifier() : CertificateLint("L42", "subjectKeyIdentifier is there in an authority's certificate, and not in a subscriber's", "RFC 5280 section 4.2.1.2; BR section 7.1.2.7.6")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        var has = facts.Fields.Find(Oids.SubjectKeyIdentifier) is not null;
        if (context.Kind == CertificateKind.Subscriber && has && context.Regime == Regime.CabfBr)
        {
            yield return new LintObservation("there is a subjectKeyIdentifier, which is not recommended", LintSeverity.Warning);
        }
        else if (context.Kind is CertificateKind.Root or CertificateKind.SubordinateAuthority && !has)
        {
            yield return "subjectKeyIdentifier is missing in an authority's certificate";
        }
    }
}

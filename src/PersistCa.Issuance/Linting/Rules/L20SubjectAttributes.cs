namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L20: a subscriber's subject has no attribute but country and common name.</summary>
internal sealed class L20SubjectAttributes() : CertificateLint("L20", "a subscriber's subject has no attribute but country and common name", "BR sections 7.1.2.7.2 and 7.1.4.2", privately: LintSeverity.Warning)
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        return context.Kind != CertificateKind.Subscriber
            ? []
            : facts.Subject.Where(a => a.Oid is not (Oids.CountryName or Oids.CommonName)).Select(a => new LintObservation($"the subject has the attribute {a.Oid}"));
    }
}

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L09: there is no issuerUniqueID and no subjectUniqueID.</summary>
internal sealed class L09UniqueIds() : CertificateLint("L09", "there is no issuerUniqueID and no subjectUniqueID", "RFC 5280 section 4.1.2.8")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (facts.Fields.HasUniqueIds)
        {
            yield return "there is an issuerUniqueID or subjectUniqueID";
        }
    }
}

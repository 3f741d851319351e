namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L01: the version is v3.</summary>
internal sealed class L01Version() : CertificateLint("L01", "the version is v3", "RFC 5280 section 4.1.2.1")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (facts.Fields.Version != 2)
        {
            yield return $"the version is {facts.Fields.Version + 1}; v3 is expected";
        }
    }
}

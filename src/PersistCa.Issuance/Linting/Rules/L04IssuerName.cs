namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L04: the issuer name is octet for octet the subject of the issuer's certificate.</summary>
internal sealed class L04IssuerName() : CertificateLint("L04", "the issuer name is octet for octet the subject of the issuer's certificate", "RFC 5280 section 4.1.2.4; BR section 7.1.4.1")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (context.IssuerSubjectDer is { } expected && !facts.Fields.Issuer.Span.SequenceEqual(expected.Span))
        {
            yield return "the issuer name is not octet for octet the subject of the issuer's certificate";
        }
    }
}

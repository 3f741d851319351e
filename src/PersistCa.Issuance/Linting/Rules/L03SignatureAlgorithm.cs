namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L03: the signature algorithm is the issuer's, allowed, and the same inside and outside.</summary>
internal sealed class L03SignatureAlgorithm() : CertificateLint("L03", "the signature algorithm is the issuer's, allowed, and the same inside and outside", "RFC 5280 section 4.1.1.2; BR section 7.1.3.2")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        var inner = facts.Fields.SignatureAlgorithm;
        if (context.SignatureAlgorithm is { } issuers && !inner.Span.SequenceEqual(issuers.Span))
        {
            yield return $"the signature algorithm is {Convert.ToHexStringLower(inner.Span)}; the issuer's is {Convert.ToHexStringLower(issuers.Span)}";
        }

        if (!AllowedSignatures.Contains(inner, context.Regime))
        {
            yield return $"the signature algorithm {Convert.ToHexStringLower(inner.Span)} is not one of those allowed";
        }

        if (facts.OuterAlgorithm is { } outer && !outer.Span.SequenceEqual(inner.Span))
        {
            yield return "the signature algorithm beside the signature is not that of the to-be-signed part";
        }
    }
}

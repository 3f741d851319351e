namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L06: the validity is within the limit and the issuer's own.</summary>
internal sealed class L06Validity() : CertificateLint("L06", "the validity is within the limit and the issuer's own", "RFC 5280 section 4.1.2.5; BR section 6.3.2")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        // The last second counts (RFC 5280 section 4.1.2.5).
        var length = Validities.Inclusive(facts);
        if (length <= TimeSpan.FromSeconds(1))
        {
            return ["notAfter is not later than notBefore"];
        }

        if (Validities.Limit(facts, context) is { } limit && length > limit)
        {
            return [$"the validity is {length.TotalSeconds:0} seconds; at most {limit.TotalSeconds:0} are allowed"];
        }

        return facts.Fields.NotAfter.At > context.IssuerNotAfter ? [$"notAfter {facts.Fields.NotAfter.At:u} is later than the issuer's {context.IssuerNotAfter:u}"] : [];
    }
}

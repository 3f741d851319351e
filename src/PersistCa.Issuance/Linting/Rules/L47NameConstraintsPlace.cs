namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L47: nameConstraints stands in no subscriber's certificate, and is critical in an authority's.</summary>
internal sealed class L47NameConstraintsPlace() : CertificateLint("L47", "nameConstraints stands in no subscriber's certificate, and is critical in an authority's", "RFC 5280 section 4.2.1.10")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (facts.Fields.Find(Oids.NameConstraints) is not { } constraints)
        {
            yield break;
        }

        // That the names lie within the chain's constraints needs the chain, which is not looked at here.
        if (context.Kind is not (CertificateKind.SubordinateAuthority or CertificateKind.Root))
        {
            yield return "nameConstraints is there in the certificate of no authority";
        }
        else if (!constraints.Critical)
        {
            yield return "nameConstraints is not critical";
        }
    }
}

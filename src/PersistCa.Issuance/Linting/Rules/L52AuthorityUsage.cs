namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L52: an authority's basicConstraints is critical with cA; keyUsage is critical with keyCertSign and cRLSign, and at most digitalSignature besides.</summary>
internal sealed class L52AuthorityUsage() : CertificateLint("L52", "an authority's basicConstraints is critical with cA; keyUsage is critical with keyCertSign and cRLSign, and at most digitalSignature besides", "RFC 5280 sections 4.2.1.3 and 4.2.1.9; BR section 7.1.2.10.7")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (context.Kind is not (CertificateKind.Root or CertificateKind.SubordinateAuthority))
        {
            yield break;
        }

        if (facts.BasicConstraints is not { IsAuthority: true } || facts.Fields.Find(Oids.BasicConstraints) is not { Critical: true })
        {
            yield return "basicConstraints is missing, not critical, or without cA";
        }

        // keyCertSign is bit 5, cRLSign bit 6, digitalSignature bit 0.
        if (facts.KeyUsage is not { } bits || facts.Fields.Find(Oids.KeyUsage) is not { Critical: true } || (bits & ~0b1000_0000) != 0b0000_0110)
        {
            yield return "keyUsage is missing, not critical, or not keyCertSign and cRLSign with at most digitalSignature";
        }
    }
}

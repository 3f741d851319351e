namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L40: basicConstraints of a subscriber is absent, or critical and empty; a path length stands only beside cA and keyCertSign.</summary>
internal sealed class L40LeafConstraints() : CertificateLint("L40", "basicConstraints of a subscriber is absent, or critical and empty; a path length stands only beside cA and keyCertSign", "RFC 5280 section 4.2.1.9; BR section 7.1.2.7.6")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (facts.Fields.Find(Oids.BasicConstraints) is not { } extension || facts.BasicConstraints is not { } constraints)
        {
            yield break;
        }

        if (context.Kind == CertificateKind.Subscriber && (constraints != new BasicConstraintsFacts(false, null) || !extension.Critical))
        {
            yield return "basicConstraints is there; in a subscriber's certificate it is expected to be absent, or critical and empty";
        }

        if (constraints.PathLength is { } length && (!constraints.IsAuthority || ((facts.KeyUsage ?? 0) & 0b100) == 0 || length.Sign < 0))
        {
            yield return "basicConstraints has a path length without cA or keyCertSign, or a negative one";
        }
    }
}

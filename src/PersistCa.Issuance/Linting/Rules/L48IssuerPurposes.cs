namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L48: the purposes of a subscriber's certificate are among those of the issuing authority.</summary>
internal sealed class L48IssuerPurposes() : CertificateLint("L48", "the purposes of a subscriber's certificate are among those of the issuing authority", "RFC 5280 section 4.2.1.12; BR section 7.1.2.10.6")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (context.Kind != CertificateKind.Subscriber || context.IssuerPurposes is not { } allowed || facts.Purposes is not { } purposes || allowed.Contains("2.5.29.37.0"))
        {
            return [];
        }

        return purposes.Except(allowed).Select(p => new LintObservation($"extKeyUsage has {p}, which the issuing authority has not"));
    }
}

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L08: times are UTCTime through 2049 and GeneralizedTime after, to the second, in Z.</summary>
internal sealed class L08TimeSpelling() : CertificateLint("L08", "times are UTCTime through 2049 and GeneralizedTime after, to the second, in Z", "RFC 5280 section 4.1.2.5")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        return new[] { Validities.JudgeSpelling("notBefore", facts.Fields.NotBefore), Validities.JudgeSpelling("notAfter", facts.Fields.NotAfter) }
            .OfType<string>().Select(text => new LintObservation(text));
    }
}

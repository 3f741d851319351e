namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L07: the validity is whole minutes and a day below the limit.</summary>
internal sealed class L07ValidityMargin() : CertificateLint("L07", "the validity is whole minutes and a day below the limit", "BR section 6.3.2", LintSeverity.Warning, LintSeverity.NotApplicable)
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (context.Kind != CertificateKind.Subscriber)
        {
            yield break;
        }

        var length = Validities.Inclusive(facts);
        if (length.Ticks % TimeSpan.TicksPerMinute != 0)
        {
            yield return $"the validity of {length.TotalSeconds:0} seconds is no whole number of minutes";
        }

        if (Validities.BaselineLimit(facts.Fields.NotBefore.At) is var limit && length > limit - TimeSpan.FromDays(1) && length <= limit)
        {
            yield return $"the validity of {length.TotalDays:0.##} days is less than a day below the limit of {limit.TotalDays:0}";
        }
    }
}

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L36: subjectAltName has no more names than the profile allows.</summary>
internal sealed class L36NameCount() : CertificateLint("L36", "subjectAltName has no more names than the profile allows", "the profile")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (facts.Names.Count > context.MaxNames)
        {
            yield return $"subjectAltName has {facts.Names.Count} names; at most {context.MaxNames} are allowed";
        }
    }
}

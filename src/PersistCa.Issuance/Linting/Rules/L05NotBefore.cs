namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L05: notBefore lies within 48 hours of signing, of an authority at most 24 hours before it.</summary>
internal sealed class L05NotBefore() : CertificateLint("L05", "notBefore lies within 48 hours of signing, of an authority at most 24 hours before it", "BR sections 7.1.2.1.1 and 7.1.2.7", privately: LintSeverity.Warning)
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (context.SignedAt is not { } signed)
        {
            yield break;
        }

        // An order may ask for any time within the tolerance, and is answered to the second.
        var ahead = facts.Fields.NotBefore.At - signed;
        var subscriber = context.Kind == CertificateKind.Subscriber;
        if (ahead < TimeSpan.FromHours(subscriber ? -48 : -24) || ahead > TimeSpan.FromHours(subscriber ? 48 : 0))
        {
            yield return $"notBefore {facts.Fields.NotBefore.At:u} is {ahead.TotalHours:0.#} hours from the signing";
        }
    }
}

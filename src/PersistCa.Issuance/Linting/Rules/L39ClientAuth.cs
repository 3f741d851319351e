namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L39: clientAuth does not stand beside serverAuth; in the public regime never from 2027-03-15.</summary>
internal sealed class L39ClientAuth() : CertificateLint("L39", "clientAuth does not stand beside serverAuth; in the public regime never from 2027-03-15", "BR section 7.1.2.7.10", LintSeverity.Warning, LintSeverity.NotApplicable)
{
    private static readonly DateTimeOffset Ban = new(2027, 3, 15, 0, 0, 0, TimeSpan.Zero);

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (context.Kind == CertificateKind.Subscriber && facts.Purposes is { } purposes && purposes.Contains(Oids.ServerAuth) && purposes.Contains(Oids.ClientAuth))
        {
            yield return new LintObservation(
                "extKeyUsage has clientAuth beside serverAuth",
                facts.Fields.NotBefore.At >= Ban ? LintSeverity.Error : LintSeverity.Warning);
        }
    }
}

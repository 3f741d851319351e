namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L29: no dNSName has an underscore.</summary>
internal sealed class L29Underscore() : CertificateLint("L29", "no dNSName has an underscore", "BR section 7.1.4.2.1")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        return facts.Names.DnsNames.Where(n => n.Contains('_', StringComparison.Ordinal)).Select(n => new LintObservation($"the dNSName '{n}' has an underscore"));
    }
}

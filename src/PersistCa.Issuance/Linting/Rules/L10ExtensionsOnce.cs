namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L10: each extension stands there once.</summary>
internal sealed class L10ExtensionsOnce() : CertificateLint("L10", "each extension stands there once", "RFC 5280 section 4.2")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        return facts.Fields.Extensions.GroupBy(e => e.Oid).Where(g => g.Count() > 1)
            .Select(g => new LintObservation($"the extension {g.Key} stands there {g.Count()} times"));
    }
}

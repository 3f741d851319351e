namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L46: a policy has no qualifier, or one that is an http or https URI of a CPS.</summary>
internal sealed class L46PolicyQualifiers() : CertificateLint("L46", "a policy has no qualifier, or one that is an http or https URI of a CPS", "BR section 7.1.2.7.9; RFC 5280 section 4.2.1.4")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        foreach (var (policy, qualifier, uri) in CertificatePolicies.Read(facts).SelectMany(p => p.Qualifiers.Select(q => (p.Oid, q.Oid, q.Uri))))
        {
            var sound = qualifier == CertificatePolicies.CpsQualifier && Uri.TryCreate(uri, UriKind.Absolute, out var parsed) && parsed.Scheme is ("http" or "https");
            yield return sound
                ? new LintObservation($"the policy {policy} has a qualifier, which is not recommended", context.Regime == Regime.CabfBr ? LintSeverity.Warning : LintSeverity.Notice)
                : $"the policy {policy} has a qualifier that is no http or https URI of a CPS";
        }
    }
}

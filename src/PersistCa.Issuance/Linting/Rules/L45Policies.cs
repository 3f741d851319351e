namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L45: certificatePolicies has one reserved policy in the public regime and none elsewhere, no anyPolicy in a leaf, and none twice.</summary>
internal sealed class L45Policies() : CertificateLint("L45", "certificatePolicies has one reserved policy in the public regime and none elsewhere, no anyPolicy in a leaf, and none twice", "BR sections 7.1.2.7.9 and 7.1.6.1; RFC 5280 section 4.2.1.4")
{
    private const string ReservedArc = "2.23.140.1.";

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        var policies = CertificatePolicies.Read(facts).Select(p => p.Oid).ToList();
        var reserved = policies.Count(p => p.StartsWith(ReservedArc, StringComparison.Ordinal));
        if (context.Kind == CertificateKind.Subscriber && reserved != (context.Regime == Regime.CabfBr ? 1 : 0))
        {
            yield return $"certificatePolicies has {reserved} policies of the CA/Browser Forum; {(context.Regime == Regime.CabfBr ? "exactly one is" : "none is")} expected";
        }

        if (context.Kind == CertificateKind.Subscriber && policies.Contains("2.5.29.32.0"))
        {
            yield return "certificatePolicies has anyPolicy";
        }

        if (policies.Distinct().Count() != policies.Count)
        {
            yield return "certificatePolicies has a policy twice";
        }
    }
}

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L54: a subordinate authority has extKeyUsage without forbidden purposes, policies, CRL pointer and both key identifiers.</summary>
internal sealed class L54Subordinate() : CertificateLint("L54", "a subordinate authority has extKeyUsage without forbidden purposes, policies, CRL pointer and both key identifiers", "BR section 7.1.2.6", privately: LintSeverity.Notice)
{
    private static readonly string[] Expected =
        [Oids.ExtendedKeyUsage, Oids.CertificatePolicies, Oids.CrlDistributionPoints, Oids.AuthorityKeyIdentifier, Oids.SubjectKeyIdentifier];

    // any, codeSigning, emailProtection, timeStamping, OCSPSigning.
    private static readonly string[] Forbidden = ["2.5.29.37.0", "1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.8", Oids.OcspSigning];

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (context.Kind != CertificateKind.SubordinateAuthority)
        {
            yield break;
        }

        foreach (var oid in Expected.Where(o => facts.Fields.Find(o) is null))
        {
            yield return $"the extension {oid} is missing in a subordinate authority's certificate";
        }

        if (facts.Purposes is { } purposes && purposes.Any(Forbidden.Contains))
        {
            yield return "extKeyUsage of a subordinate authority has a purpose that does not fit TLS servers";
        }
    }
}

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L51: there is no extension that the profile does not know.</summary>
internal sealed class L51KnownExtensions() : CertificateLint("L51", "there is no extension that the profile does not know", "BR section 7.1.2.7.6", privately: LintSeverity.Warning)
{
    private static readonly HashSet<string> Subscribers =
    [
        Oids.SubjectKeyIdentifier, Oids.KeyUsage, Oids.SubjectAltName, Oids.BasicConstraints, Oids.CrlDistributionPoints, Oids.CertificatePolicies, Oids.AuthorityKeyIdentifier,
        Oids.ExtendedKeyUsage, Oids.AuthorityInfoAccess, Oids.NoRevocationAvailable, Oids.TlsFeature, Oids.PrecertificatePoison, Oids.SignedTimestamps,
    ];

    private static readonly HashSet<string> Authorities = [.. Subscribers, Oids.NameConstraints, Oids.OcspNoCheck];

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        return facts.Fields.Extensions.Where(e => !(context.Kind == CertificateKind.Subscriber ? Subscribers : Authorities).Contains(e.Oid))
            .Select(e => new LintObservation($"the extension {e.Oid} is in no profile"));
    }
}

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L50: noRevAvail stands only in leaves without CRL and OCSP pointer; the TLS feature is exactly status_request.</summary>
internal sealed class L50RevocationFeatures() : CertificateLint("L50", "noRevAvail stands only in leaves without CRL and OCSP pointer; the TLS feature is exactly status_request", "RFC 9608 section 2; RFC 7633 section 6")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (facts.Fields.Find(Oids.NoRevocationAvailable) is { } none
            && (none.Critical || context.Kind != CertificateKind.Subscriber || facts.Fields.Find(Oids.CrlDistributionPoints) is not null || Locations.HasOcsp(facts)
                || !none.Value.Span.SequenceEqual((ReadOnlySpan<byte>)[0x05, 0x00])))
        {
            yield return "noRevAvail is critical, not NULL, in no leaf, or beside a CRL or OCSP pointer";
        }

        if (facts.Fields.Find(Oids.TlsFeature) is { } feature && (feature.Critical || !feature.Value.Span.SequenceEqual((ReadOnlySpan<byte>)[0x30, 0x03, 0x02, 0x01, 0x05])))
        {
            yield return "the TLS feature is critical or not exactly status_request";
        }
    }
}

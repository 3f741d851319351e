namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L56: an OCSP signer has OCSPSigning alone, nocheck of NULL, digitalSignature alone, no CRL pointer, names or constraints, and is no authority.</summary>
internal sealed class L56OcspSigner() : CertificateLint("L56", "an OCSP signer has OCSPSigning alone, nocheck of NULL, digitalSignature alone, no CRL pointer, names or constraints, and is no authority", "RFC 6960 section 4.2.2.2; BR section 7.1.2.8")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (context.Kind != CertificateKind.OcspSigner)
        {
            yield break;
        }

        if (facts.Purposes is not [Oids.OcspSigning])
        {
            yield return "extKeyUsage is not OCSPSigning alone";
        }

        if (facts.Fields.Find(Oids.OcspNoCheck) is not { Critical: false } nocheck || !nocheck.Value.Span.SequenceEqual((ReadOnlySpan<byte>)[0x05, 0x00]))
        {
            yield return "nocheck is missing, critical, or not NULL";
        }

        if (facts.KeyUsage is not 0b1000_0000)
        {
            yield return "keyUsage is not digitalSignature alone";
        }

        string[] unexpected = [Oids.CrlDistributionPoints, Oids.SubjectAltName, Oids.NameConstraints];
        foreach (var oid in unexpected.Where(o => facts.Fields.Find(o) is not null))
        {
            yield return $"the extension {oid} is there, which does not fit an OCSP signer";
        }

        if (facts.BasicConstraints is { IsAuthority: true })
        {
            yield return "an OCSP signer is an authority";
        }
    }
}

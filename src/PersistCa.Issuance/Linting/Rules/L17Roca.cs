using PersistCa.Issuance.Csr;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L17: an RSA modulus does not bear the fingerprint of CVE-2017-15361 (ROCA).</summary>
internal sealed class L17Roca() : CertificateLint("L17", "an RSA modulus does not bear the fingerprint of CVE-2017-15361 (ROCA)", "BR section 6.1.1.3")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (facts.Rsa is var (modulus, _) && RsaWeaknesses.HasRocaFingerprint(modulus))
        {
            yield return "the RSA modulus bears the fingerprint of CVE-2017-15361 (ROCA)";
        }
    }
}

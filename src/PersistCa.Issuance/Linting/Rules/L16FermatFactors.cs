using PersistCa.Issuance.Csr;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L16: an RSA modulus withstands 100 rounds of Fermat.</summary>
internal sealed class L16FermatFactors() : CertificateLint("L16", "an RSA modulus withstands 100 rounds of Fermat", "BR section 6.1.1.3")
{
    private const int Rounds = 100;

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (facts.Rsa is var (modulus, _) && RsaWeaknesses.FermatFactors(modulus, Rounds))
        {
            yield return $"the RSA modulus is factored by {Rounds} rounds of Fermat's method";
        }
    }
}

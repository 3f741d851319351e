using PersistCa.Issuance.Csr;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L14: an RSA modulus has at least 2048 bits, a multiple of 8, and no small factor; the exponent is odd and at least 3.</summary>
internal sealed class L14RsaNumbers() : CertificateLint("L14", "an RSA modulus has at least 2048 bits, a multiple of 8, and no small factor; the exponent is odd and at least 3", "BR sections 6.1.5 and 6.1.6")
{
    private const int SmallFactorBound = 752;

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (facts.Rsa is not var (modulus, exponent))
        {
            yield break;
        }

        var bits = modulus.GetBitLength();
        if (bits < 2048 || bits % 8 != 0)
        {
            yield return $"the RSA modulus has {bits} bits; at least 2048 and a multiple of 8 are expected";
        }

        if (RsaWeaknesses.SmallFactor(modulus, SmallFactorBound) is { } factor)
        {
            yield return $"the RSA modulus is divisible by {factor}";
        }

        if (exponent.IsEven || exponent < 3)
        {
            yield return "the RSA exponent is not odd and at least 3";
        }
        else if (exponent < 65537 || exponent.GetBitLength() > 256)
        {
            yield return new LintObservation("the RSA exponent lies outside 2^16+1 to 2^256-1", LintSeverity.Warning);
        }
    }
}

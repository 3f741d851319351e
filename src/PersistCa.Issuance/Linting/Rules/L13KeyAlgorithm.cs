using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L13: the key algorithm is spelled byte for byte as one of those allowed.</summary>
internal sealed class L13KeyAlgorithm() : CertificateLint("L13", "the key algorithm is spelled byte for byte as one of those allowed", "BR section 7.1.3.1; RFC 3279 section 2.3.1; RFC 8410 section 3; RFC 9881 section 4")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (!KeyKinds.All.Any(k => k.Regimes.Contains(context.Regime) && k.AlgorithmIdentifier.Span.SequenceEqual(facts.Key.Algorithm.Span)))
        {
            yield return $"the key algorithm {Convert.ToHexStringLower(facts.Key.Algorithm.Span)} is none of those allowed";
        }
    }
}

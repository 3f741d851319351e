namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L13: the key algorithm is spelled byte for byte as one of those allowed.</summary>
internal sealed class L13KeyAlgorithm() : CertificateLint("L13", "the key algorithm is spelled byte for byte as one of those allowed", "BR section 7.1.3.1; RFC 3279 section 2.3.1; RFC 8410 section 3")
{
    private const string Ed25519 = "300506032b6570";

    // RSA with NULL; P-256, P-384, P-521 by name.
    private static readonly string[] Spellings =
    [
        "300d06092a864886f70d0101010500",
        "301306072a8648ce3d020106082a8648ce3d030107",
        "301006072a8648ce3d020106052b81040022",
        "301006072a8648ce3d020106052b81040023",
    ];

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        var found = Convert.ToHexStringLower(facts.Key.Algorithm.Span);
        if (!Spellings.Contains(found) && !(context.Regime == Regime.Private && found == Ed25519))
        {
            yield return $"the key algorithm {found} is none of those allowed";
        }
    }
}

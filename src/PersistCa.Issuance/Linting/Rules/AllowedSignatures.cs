using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>Signature algorithms, byte for byte (Baseline Requirements section 7.1.3.2).</summary>
internal static class AllowedSignatures
{
    // Those that issuers here do not sign with, but others may: RSA with SHA-384 and SHA-512, ECDSA with SHA-512.
    private static readonly string[] Others = ["300d06092a864886f70d01010c0500", "300d06092a864886f70d01010d0500", "300a06082a8648ce3d040304"];

    /// <summary>True when the AlgorithmIdentifier is one of those allowed under a regime.</summary>
    public static bool Contains(ReadOnlyMemory<byte> algorithmIdentifier, Regime regime) =>
        SigningAlgorithms.All.Any(a => a.Regimes.Contains(regime) && a.AlgorithmIdentifier.Span.SequenceEqual(algorithmIdentifier.Span))
        || Others.Contains(Convert.ToHexStringLower(algorithmIdentifier.Span));
}

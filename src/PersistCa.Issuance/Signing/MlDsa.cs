using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;

namespace PersistCa.Issuance.Signing;

/// <summary>Pure ML-DSA with the empty context (FIPS 204 algorithms 2 and 3, RFC 9881), which the base class library has on few systems.</summary>
public static class MlDsa
{
    /// <summary>Octets of the message representative.</summary>
    public const int MuOctets = 64;

    /// <summary>Whether a kind of key is one of ML-DSA.</summary>
    public static bool Is(KeyKind kind) => kind is KeyKind.MlDsa44 or KeyKind.MlDsa65 or KeyKind.MlDsa87;

    /// <summary>Octets of a public key (FIPS 204 table 2).</summary>
    public static int PublicKeyOctets(KeyKind kind) => kind switch
    {
        KeyKind.MlDsa44 => 1312,
        KeyKind.MlDsa65 => 1952,
        KeyKind.MlDsa87 => 2592,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no ML-DSA key"),
    };

    /// <summary>Octets of a signature (FIPS 204 table 2).</summary>
    public static int SignatureOctets(KeyKind kind) => kind switch
    {
        KeyKind.MlDsa44 => 2420,
        KeyKind.MlDsa65 => 3309,
        KeyKind.MlDsa87 => 4627,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no ML-DSA key"),
    };

    /// <summary>True when the signature holds. A key or signature of another length does not hold.</summary>
    public static bool Verify(KeyKind kind, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (publicKey.Length != PublicKeyOctets(kind) || signature.Length != SignatureOctets(kind))
        {
            return false;
        }

        var verifier = new MLDsaSigner(Parameters(kind), deterministic: false);
        verifier.Init(false, MLDsaPublicKeyParameters.FromEncoding(Parameters(kind), publicKey.ToArray()));
        verifier.BlockUpdate(message);
        return verifier.VerifySignature(signature.ToArray());
    }

    /// <summary>
    /// The message representative (FIPS 204 algorithm 7, line 6, for algorithm 2 with the empty context): what a key store signs that does not take long
    /// messages.
    /// </summary>
    /// <param name="publicKey">Octets of the public key.</param>
    /// <param name="message">The message.</param>
    public static byte[] Mu(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message)
    {
        var keyHash = new byte[MuOctets];
        var shake = new ShakeDigest(256);
        shake.BlockUpdate(publicKey);
        shake.OutputFinal(keyHash, 0, keyHash.Length);

        var mu = new byte[MuOctets];
        shake = new ShakeDigest(256);
        shake.BlockUpdate(keyHash);
        shake.BlockUpdate([0, 0]); // pure, and a context of no octets
        shake.BlockUpdate(message);
        shake.OutputFinal(mu, 0, mu.Length);
        return mu;
    }

    internal static MLDsaParameters Parameters(KeyKind kind) => kind switch
    {
        KeyKind.MlDsa44 => MLDsaParameters.ml_dsa_44,
        KeyKind.MlDsa65 => MLDsaParameters.ml_dsa_65,
        KeyKind.MlDsa87 => MLDsaParameters.ml_dsa_87,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no ML-DSA key"),
    };
}

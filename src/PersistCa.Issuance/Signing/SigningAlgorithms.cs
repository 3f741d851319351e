using System.Formats.Asn1;
using System.Security.Cryptography;
using PersistCa.Issuance.Signing.PrivateKeys;

namespace PersistCa.Issuance.Signing;

/// <summary>
/// Every algorithm an issuer may sign with, one row each: adding one is adding a row. RSA and ECDSA run in System.Security.Cryptography, ten times as
/// fast as elsewhere; Ed25519 and ML-DSA, which it does not have everywhere, in BouncyCastle.
/// </summary>
public static class SigningAlgorithms
{
    private const string EcdsaSha256 = "300a06082a8648ce3d040302";
    private const string EcdsaSha384 = "300a06082a8648ce3d040303";
    private const string RsaSha256 = "300d06092a864886f70d01010b0500";

    private static readonly SignatureScheme Ecdsa = new EcdsaScheme();
    private static readonly SignatureScheme RsaPkcs1 = new RsaScheme();
    private static readonly SignatureScheme MlDsaPure = new MlDsaScheme();

    /// <summary>ECDSA on P-256 with SHA-256.</summary>
    public static readonly SigningAlgorithm EcdsaP256 = new("ECDSA-P256-SHA256", KeyKind.P256, 256, HashAlgorithmName.SHA256, EcdsaSha256, Ecdsa);

    /// <summary>ECDSA on P-384 with SHA-384.</summary>
    public static readonly SigningAlgorithm EcdsaP384 = new("ECDSA-P384-SHA384", KeyKind.P384, 384, HashAlgorithmName.SHA384, EcdsaSha384, Ecdsa);

    /// <summary>RSA of 2048 bits, PKCS #1 v1.5 with SHA-256.</summary>
    public static readonly SigningAlgorithm Rsa2048 = new("RSA-2048-SHA256", KeyKind.Rsa, 2048, HashAlgorithmName.SHA256, RsaSha256, RsaPkcs1);

    /// <summary>RSA of 3072 bits, PKCS #1 v1.5 with SHA-256.</summary>
    public static readonly SigningAlgorithm Rsa3072 = new("RSA-3072-SHA256", KeyKind.Rsa, 3072, HashAlgorithmName.SHA256, RsaSha256, RsaPkcs1);

    /// <summary>RSA of 4096 bits, PKCS #1 v1.5 with SHA-256.</summary>
    public static readonly SigningAlgorithm Rsa4096 = new("RSA-4096-SHA256", KeyKind.Rsa, 4096, HashAlgorithmName.SHA256, RsaSha256, RsaPkcs1);

    /// <summary>Ed25519 (RFC 8410).</summary>
    public static readonly SigningAlgorithm Ed25519 = new("Ed25519", KeyKind.Ed25519, 256, default, "300506032b6570", new Ed25519Scheme());

    /// <summary>ML-DSA-44, pure, with the empty context (RFC 9881).</summary>
    public static readonly SigningAlgorithm MlDsa44 = new("ML-DSA-44", KeyKind.MlDsa44, 8 * 1312, default, "300b0609608648016503040311", MlDsaPure);

    /// <summary>ML-DSA-65, pure, with the empty context (RFC 9881).</summary>
    public static readonly SigningAlgorithm MlDsa65 = new("ML-DSA-65", KeyKind.MlDsa65, 8 * 1952, default, "300b0609608648016503040312", MlDsaPure);

    /// <summary>ML-DSA-87, pure, with the empty context (RFC 9881).</summary>
    public static readonly SigningAlgorithm MlDsa87 = new("ML-DSA-87", KeyKind.MlDsa87, 8 * 2592, default, "300b0609608648016503040313", MlDsaPure);

    /// <summary>All rows.</summary>
    public static IReadOnlyList<SigningAlgorithm> All { get; } = [EcdsaP256, EcdsaP384, Rsa2048, Rsa3072, Rsa4096, Ed25519, MlDsa44, MlDsa65, MlDsa87];

    /// <summary>The row of a name; null when there is none.</summary>
    public static SigningAlgorithm? Find(string name) => All.FirstOrDefault(a => a.Name == name);

    /// <summary>The row that a public key signs with; null when there is none, or the key cannot be read.</summary>
    /// <param name="subjectPublicKeyInfo">The key, DER.</param>
    public static SigningAlgorithm? ForPublicKey(ReadOnlyMemory<byte> subjectPublicKeyInfo)
    {
        try
        {
            var info = new AsnReader(subjectPublicKeyInfo, AsnEncodingRules.DER).ReadSequence();
            var algorithm = info.ReadEncodedValue();
            var key = info.ReadBitString(out _);
            var kind = KeyKinds.All.FirstOrDefault(k => k.AlgorithmIdentifier.Span.SequenceEqual(algorithm.Span))?.Kind;
            if (kind != KeyKind.Rsa)
            {
                return All.FirstOrDefault(a => a.Key == kind);
            }

            var bits = (int)new AsnReader(key, AsnEncodingRules.DER).ReadSequence().ReadInteger().GetBitLength();
            return All.FirstOrDefault(a => a.Key == KeyKind.Rsa && a.KeyBits == bits);
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    internal static string CurveOid(KeyKind kind) => kind switch
    {
        KeyKind.P256 => "1.2.840.10045.3.1.7",
        KeyKind.P384 => "1.3.132.0.34",
        KeyKind.P521 => "1.3.132.0.35",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no EC key"),
    };

    /// <summary>True when the signature holds for the key. An unreadable key or signature does not hold.</summary>
    public static bool Verify(ReadOnlySpan<byte> subjectPublicKeyInfo, SigningAlgorithm algorithm, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        try
        {
            return algorithm.Scheme.Verify(subjectPublicKeyInfo, algorithm, message, signature);
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException or NotSupportedException)
        {
            return false;
        }
    }
}

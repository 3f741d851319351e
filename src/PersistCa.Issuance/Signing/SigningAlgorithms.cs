using System.Formats.Asn1;
using System.Security.Cryptography;

namespace PersistCa.Issuance.Signing;

/// <summary>Kinds of keys that certificates and their issuers have. The set is closed.</summary>
public enum KeyKind
{
    /// <summary>RSA.</summary>
    Rsa = 1,

    /// <summary>EC on P-256.</summary>
    P256 = 2,

    /// <summary>EC on P-384.</summary>
    P384 = 3,

    /// <summary>EC on P-521; for subscribers only.</summary>
    P521 = 4,

    /// <summary>Ed25519 (RFC 8410); for subscribers only.</summary>
    Ed25519 = 5,
}

/// <summary>One algorithm that an issuer signs with: the kind and size of its key, its hash, and how X.509 names it.</summary>
public sealed record SigningAlgorithm
{
    private readonly byte[] algorithmIdentifier;

    internal SigningAlgorithm(string name, KeyKind key, int keyBits, HashAlgorithmName hash, string algorithmIdentifierHex)
    {
        Name = name;
        Key = key;
        KeyBits = keyBits;
        Hash = hash;
        algorithmIdentifier = Convert.FromHexString(algorithmIdentifierHex);
    }

    /// <summary>The name used in configuration, such as ECDSA-P256-SHA256.</summary>
    public string Name { get; }

    /// <summary>The kind of key.</summary>
    public KeyKind Key { get; }

    /// <summary>Size of the key, bits.</summary>
    public int KeyBits { get; }

    /// <summary>The hash.</summary>
    public HashAlgorithmName Hash { get; }

    /// <summary>The AlgorithmIdentifier, DER, byte for byte as Baseline Requirements section 7.1.3.2 lists it.</summary>
    public ReadOnlyMemory<byte> AlgorithmIdentifier => algorithmIdentifier;

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>Every algorithm an issuer may sign with, one row each.</summary>
public static class SigningAlgorithms
{
    private const string EcdsaSha256 = "300a06082a8648ce3d040302";
    private const string EcdsaSha384 = "300a06082a8648ce3d040303";
    private const string RsaSha256 = "300d06092a864886f70d01010b0500";

    /// <summary>ECDSA on P-256 with SHA-256.</summary>
    public static readonly SigningAlgorithm EcdsaP256 = new("ECDSA-P256-SHA256", KeyKind.P256, 256, HashAlgorithmName.SHA256, EcdsaSha256);

    /// <summary>ECDSA on P-384 with SHA-384.</summary>
    public static readonly SigningAlgorithm EcdsaP384 = new("ECDSA-P384-SHA384", KeyKind.P384, 384, HashAlgorithmName.SHA384, EcdsaSha384);

    /// <summary>RSA of 2048 bits, PKCS #1 v1.5 with SHA-256.</summary>
    public static readonly SigningAlgorithm Rsa2048 = new("RSA-2048-SHA256", KeyKind.Rsa, 2048, HashAlgorithmName.SHA256, RsaSha256);

    /// <summary>RSA of 3072 bits, PKCS #1 v1.5 with SHA-256.</summary>
    public static readonly SigningAlgorithm Rsa3072 = new("RSA-3072-SHA256", KeyKind.Rsa, 3072, HashAlgorithmName.SHA256, RsaSha256);

    /// <summary>RSA of 4096 bits, PKCS #1 v1.5 with SHA-256.</summary>
    public static readonly SigningAlgorithm Rsa4096 = new("RSA-4096-SHA256", KeyKind.Rsa, 4096, HashAlgorithmName.SHA256, RsaSha256);

    /// <summary>All rows.</summary>
    public static IReadOnlyList<SigningAlgorithm> All { get; } = [EcdsaP256, EcdsaP384, Rsa2048, Rsa3072, Rsa4096];

    /// <summary>The row of a name; null when there is none.</summary>
    public static SigningAlgorithm? Find(string name) => All.FirstOrDefault(a => a.Name == name);

    /// <summary>The row that a key of this kind and size signs with; null when there is none.</summary>
    internal static SigningAlgorithm? For(AsymmetricAlgorithm key) => key switch
    {
        ECDsa ec when ec.ExportParameters(false).Curve.Oid is { Value: var oid } => All.FirstOrDefault(a => a.Key != KeyKind.Rsa && CurveOid(a.Key) == oid),
        RSA rsa => All.FirstOrDefault(a => a.Key == KeyKind.Rsa && a.KeyBits == rsa.KeySize),
        _ => null,
    };

    internal static string CurveOid(KeyKind kind) => kind switch
    {
        KeyKind.P256 => "1.2.840.10045.3.1.7",
        KeyKind.P384 => "1.3.132.0.34",
        KeyKind.P521 => "1.3.132.0.35",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no EC key"),
    };

    internal static ECCurve Curve(KeyKind kind) => ECCurve.CreateFromValue(CurveOid(kind));

    /// <summary>True when the signature holds for the key. An unreadable key or signature does not hold.</summary>
    internal static bool Verify(ReadOnlySpan<byte> subjectPublicKeyInfo, SigningAlgorithm algorithm, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        try
        {
            if (algorithm.Key == KeyKind.Rsa)
            {
                using var rsa = RSA.Create();
                rsa.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out _);
                return rsa.VerifyData(message, signature, algorithm.Hash, RSASignaturePadding.Pkcs1);
            }

            using var ec = ECDsa.Create();
            ec.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out _);
            return ec.VerifyData(message, signature, algorithm.Hash, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            return false;
        }
    }
}

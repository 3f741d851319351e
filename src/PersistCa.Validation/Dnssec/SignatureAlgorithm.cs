using System.Buffers.Binary;
using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace PersistCa.Validation.Dnssec;

/// <summary>The signature algorithms of DNSSEC that are known here (IANA, DNS Security Algorithm Numbers). Those over SHA-1 are not (RFC 9905).</summary>
internal static class SignatureAlgorithm
{
    /// <summary>RSA with SHA-256 (RFC 5702).</summary>
    public const int RsaSha256 = 8;

    /// <summary>RSA with SHA-512 (RFC 5702).</summary>
    public const int RsaSha512 = 10;

    /// <summary>ECDSA on P-256 with SHA-256 (RFC 6605).</summary>
    public const int EcdsaP256 = 13;

    /// <summary>ECDSA on P-384 with SHA-384 (RFC 6605).</summary>
    public const int EcdsaP384 = 14;

    /// <summary>Ed25519 (RFC 8080).</summary>
    public const int Ed25519Number = 15;

    /// <summary>Ed448 (RFC 8080).</summary>
    public const int Ed448Number = 16;

    // A stranger's key decides what checking costs: RSA within the sizes that are used, with exponents as they are used.
    private const int LeastRsaOctets = 128, MostRsaOctets = 512, MostExponentOctets = 4;

    /// <summary>Whether an algorithm is known.</summary>
    public static bool IsSupported(int algorithm) => algorithm is RsaSha256 or RsaSha512 or EcdsaP256 or EcdsaP384 or Ed25519Number or Ed448Number;

    /// <summary>Whether a signature is right. Never throws, whatever key and signature are.</summary>
    /// <param name="key">The key.</param>
    /// <param name="signed">What is signed.</param>
    /// <param name="signature">The signature, in the form of the key's algorithm.</param>
    public static bool Verify(KeyRecord key, byte[] signed, ReadOnlySpan<byte> signature)
    {
        try
        {
            return key.Algorithm switch
            {
                RsaSha256 => Rsa(key.Key.Span, signed, signature, HashAlgorithmName.SHA256),
                RsaSha512 => Rsa(key.Key.Span, signed, signature, HashAlgorithmName.SHA512),
                EcdsaP256 => Ecdsa(key.Key.Span, signed, signature, 32, ECCurve.NamedCurves.nistP256, HashAlgorithmName.SHA256),
                EcdsaP384 => Ecdsa(key.Key.Span, signed, signature, 48, ECCurve.NamedCurves.nistP384, HashAlgorithmName.SHA384),
                Ed25519Number => key.Key.Length == Ed25519.PublicKeySize && signature.Length == Ed25519.SignatureSize
                    && Ed25519.Verify(signature.ToArray(), 0, key.Key.ToArray(), 0, signed, 0, signed.Length),
                Ed448Number => key.Key.Length == Ed448.PublicKeySize && signature.Length == Ed448.SignatureSize
                    && Ed448.Verify(signature.ToArray(), 0, key.Key.ToArray(), 0, [], signed, 0, signed.Length),
                _ => false,
            };
        }
        catch (Exception unusable) when (unusable is CryptographicException or ArgumentException)
        {
            return false; // a point that is not on the curve, or the like
        }
    }

    /// <summary>RFC 3110 section 2: length of the exponent in one octet or three, exponent, modulus.</summary>
    private static bool Rsa(ReadOnlySpan<byte> key, byte[] signed, ReadOnlySpan<byte> signature, HashAlgorithmName hash)
    {
        if (key.Length < 3)
        {
            return false;
        }

        var (start, length) = key[0] == 0 ? (3, BinaryPrimitives.ReadUInt16BigEndian(key[1..])) : (1, (int)key[0]);
        if (length is 0 or > MostExponentOctets || key.Length <= start + length)
        {
            return false;
        }

        var modulus = key[(start + length)..].TrimStart((byte)0);
        if (modulus.Length is < LeastRsaOctets or > MostRsaOctets || signature.Length != modulus.Length)
        {
            return false;
        }

        using var rsa = RSA.Create(new RSAParameters { Exponent = key.Slice(start, length).ToArray(), Modulus = modulus.ToArray() });
        return rsa.VerifyData(signed, signature, hash, RSASignaturePadding.Pkcs1);
    }

    private static bool Ecdsa(ReadOnlySpan<byte> key, byte[] signed, ReadOnlySpan<byte> signature, int octets, ECCurve curve, HashAlgorithmName hash)
    {
        if (key.Length != 2 * octets || signature.Length != 2 * octets)
        {
            return false;
        }

        using var ecdsa = ECDsa.Create(new ECParameters { Curve = curve, Q = new ECPoint { X = key[..octets].ToArray(), Y = key[octets..].ToArray() } });
        return ecdsa.VerifyData(signed, signature, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }
}

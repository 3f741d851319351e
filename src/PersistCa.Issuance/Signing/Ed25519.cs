using Org.BouncyCastle.Crypto.Parameters;
using Curve = Org.BouncyCastle.Math.EC.Rfc8032.Ed25519;

namespace PersistCa.Issuance.Signing;

/// <summary>Ed25519 as RFC 8032 section 5.1 defines it (no context, no prehash), which the base class library does not have.</summary>
public static class Ed25519
{
    /// <summary>Octets of a public key.</summary>
    public const int PublicKeyOctets = 32;

    /// <summary>Octets of a signature.</summary>
    public const int SignatureOctets = 64;

    /// <summary>True when the signature holds. A key or signature of another length, or a key that is no point of the curve, does not hold.</summary>
    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != SignatureOctets || !IsValidPublicKey(publicKey))
        {
            return false;
        }

        var key = new Ed25519PublicKeyParameters(publicKey);
        var octets = message.ToArray();
        return key.Verify(Curve.Algorithm.Ed25519, null, octets, 0, octets.Length, signature.ToArray(), 0);
    }

    /// <summary>True when the octets are a point of the prime-order subgroup: points of small order verify signatures nobody made.</summary>
    public static bool IsValidPublicKey(ReadOnlySpan<byte> publicKey) =>
        publicKey.Length == PublicKeyOctets && Curve.ValidatePublicKeyFull(publicKey.ToArray(), 0);
}

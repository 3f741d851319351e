using System.Formats.Asn1;
using System.Security.Cryptography;
using PersistCa.Issuance.Linting;

namespace PersistCa.Issuance.Signing;

/// <summary>
/// A signature algorithm of requests and of other authorities: what issuers here sign with, and RSA with SHA-384 and SHA-512 and ECDSA with each hash besides
/// (RFC 4055 section 5, RFC 5758 section 3.2, RFC 8410 section 3, RFC 9881 section 2).
/// </summary>
/// <param name="Oid">Its identifier.</param>
/// <param name="Name">Its name in messages.</param>
/// <param name="Hash">The hash; none where the algorithm takes the message itself.</param>
/// <param name="KeyOid">Identifier of the keys that go with it.</param>
/// <param name="Whole">The row that verifies, where one identifier names both key and signature.</param>
internal sealed record KnownSignature(string Oid, string Name, HashAlgorithmName Hash, string KeyOid, SigningAlgorithm? Whole = null)
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<KnownSignature> All { get; } =
    [
        new("1.2.840.113549.1.1.11", "sha256WithRSAEncryption", HashAlgorithmName.SHA256, Oids.RsaEncryption),
        new("1.2.840.113549.1.1.12", "sha384WithRSAEncryption", HashAlgorithmName.SHA384, Oids.RsaEncryption),
        new("1.2.840.113549.1.1.13", "sha512WithRSAEncryption", HashAlgorithmName.SHA512, Oids.RsaEncryption),
        new("1.2.840.10045.4.3.2", "ecdsa-with-SHA256", HashAlgorithmName.SHA256, Oids.EcPublicKey),
        new("1.2.840.10045.4.3.3", "ecdsa-with-SHA384", HashAlgorithmName.SHA384, Oids.EcPublicKey),
        new("1.2.840.10045.4.3.4", "ecdsa-with-SHA512", HashAlgorithmName.SHA512, Oids.EcPublicKey),
        .. SigningAlgorithms.All.Where(a => a.Hash.Name is null).Select(a => new KnownSignature(KeyKinds.Of(a.Key).Oid, a.Name, default, KeyKinds.Of(a.Key).Oid, a)),
    ];

    /// <summary>The row of an identifier; null when there is none.</summary>
    public static KnownSignature? Find(string oid) => All.FirstOrDefault(r => r.Oid == oid);

    /// <summary>Whether a signed structure was signed by a key, in any of these algorithms.</summary>
    /// <returns>Null when it was; else a clause that says why it was not, or not in a way that is verified here.</returns>
    public static string? Refuse(ReadOnlySpan<byte> subjectPublicKeyInfo, SignedParts parts)
    {
        try
        {
            var algorithm = new AsnReader(parts.Algorithm, AsnEncodingRules.DER).ReadSequence();
            var oid = algorithm.ReadObjectIdentifier();
            if (Find(oid) is not { } row)
            {
                return $"is made with {oid}, which is not verified here; verified are {string.Join(", ", All.Select(r => r.Name))}";
            }

            var key = new AsnReader(subjectPublicKeyInfo.ToArray(), AsnEncodingRules.DER).ReadSequence().ReadSequence().ReadObjectIdentifier();
            return key == row.KeyOid && row.Holds(subjectPublicKeyInfo, parts) ? null : "does not hold";
        }
        catch (AsnContentException)
        {
            return "does not hold";
        }
    }

    /// <summary>Whether the signature holds for the key, which is of the right kind. One that cannot be read does not hold.</summary>
    public bool Holds(ReadOnlySpan<byte> subjectPublicKeyInfo, SignedParts parts)
    {
        try
        {
            switch (KeyOid)
            {
                case Oids.RsaEncryption:
                    using (var rsa = RSA.Create())
                    {
                        rsa.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out _);
                        return rsa.VerifyData(parts.ToBeSigned.Span, parts.Signature.Span, Hash, RSASignaturePadding.Pkcs1);
                    }

                case Oids.EcPublicKey:
                    using (var ec = ECDsa.Create())
                    {
                        ec.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out _);
                        return ec.VerifyData(parts.ToBeSigned.Span, parts.Signature.Span, Hash, DSASignatureFormat.Rfc3279DerSequence);
                    }

                default:
                    return SigningAlgorithms.Verify(subjectPublicKeyInfo, Whole!, parts.ToBeSigned.Span, parts.Signature.Span);
            }
        }
        catch (Exception e) when (e is CryptographicException or PlatformNotSupportedException)
        {
            return false; // the platform does not have the curve, or cannot make sense of the key, or of the signature's own encoding
        }
    }
}

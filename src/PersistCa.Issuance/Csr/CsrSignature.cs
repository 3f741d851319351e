using System.Formats.Asn1;
using System.Security.Cryptography;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Acme;

namespace PersistCa.Issuance.Csr;

/// <summary>The signature of a certificate request: which algorithms count as proof of possession, and whether it holds (RFC 2986 section 3).</summary>
internal static class CsrSignature
{
    private static readonly Row[] Rows =
    [
        new("1.2.840.113549.1.1.11", "sha256WithRSAEncryption", HashAlgorithmName.SHA256, Oids.RsaEncryption),
        new("1.2.840.113549.1.1.12", "sha384WithRSAEncryption", HashAlgorithmName.SHA384, Oids.RsaEncryption),
        new("1.2.840.113549.1.1.13", "sha512WithRSAEncryption", HashAlgorithmName.SHA512, Oids.RsaEncryption),
        new("1.2.840.10045.4.3.2", "ecdsa-with-SHA256", HashAlgorithmName.SHA256, Oids.EcPublicKey),
        new("1.2.840.10045.4.3.3", "ecdsa-with-SHA384", HashAlgorithmName.SHA384, Oids.EcPublicKey),
        new("1.2.840.10045.4.3.4", "ecdsa-with-SHA512", HashAlgorithmName.SHA512, Oids.EcPublicKey),

        // Where one OID names both key and signature (RFC 8410 section 3, RFC 9881 section 2), the issuers' row verifies.
        .. SigningAlgorithms.All.Where(a => a.Hash.Name is null).Select(a => new Row(KeyKinds.Of(a.Key).Oid, a.Name, default, KeyKinds.Of(a.Key).Oid, a)),
    ];

    private static readonly (string Oid, string Name)[] Outdated =
    [
        ("1.2.840.113549.1.1.4", "MD5"),
        ("1.2.840.113549.1.1.5", "SHA-1"),
        ("1.2.840.10045.4.1", "SHA-1"),
    ];

    /// <summary>Verifies. The key has passed the key policy.</summary>
    /// <returns>Null when the signature holds; else badCSR.</returns>
    /// <exception cref="AsnContentException">The algorithm identifier cannot be read.</exception>
    public static AcmeProblem? Judge(SignedParts parts, ReadOnlyMemory<byte> subjectPublicKeyInfo, KeyKind kind)
    {
        var algorithm = new AsnReader(parts.Algorithm, AsnEncodingRules.DER).ReadSequence();
        var oid = algorithm.ReadObjectIdentifier();
        foreach (var (outdated, hash) in Outdated)
        {
            if (oid == outdated)
            {
                return Bad($"The CSR is signed with {hash}, which is no longer trusted; sign with SHA-256 or stronger.");
            }
        }

        if (Array.Find(Rows, r => r.Oid == oid) is not { } row)
        {
            return Bad($"The CSR's signature algorithm {oid} is not accepted; accepted are {string.Join(", ", Rows.Select(r => r.Name))}.");
        }

        var family = KeyKinds.Of(kind).Oid;
        if (row.KeyOid != family)
        {
            return Bad($"The CSR's signature algorithm {row.Name} does not go with its key.");
        }

        // RSA has NULL (RFC 4055 section 5), which some writers leave out; the others have nothing (RFC 5758 section 3.2, RFC 8410 section 3, RFC 9881 section 2).
        if (algorithm.HasData && row.KeyOid == Oids.RsaEncryption)
        {
            algorithm.ReadNull();
        }

        algorithm.ThrowIfNotEmpty();
        return Holds(parts, subjectPublicKeyInfo, row) ? null : Bad("The CSR's signature does not hold for its key, so possession of the private key is not proven.");
    }

    private static bool Holds(SignedParts parts, ReadOnlyMemory<byte> subjectPublicKeyInfo, Row row)
    {
        try
        {
            switch (row.KeyOid)
            {
                case Oids.RsaEncryption:
                    using (var rsa = RSA.Create())
                    {
                        rsa.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo.Span, out _);
                        return rsa.VerifyData(parts.ToBeSigned.Span, parts.Signature.Span, row.Hash, RSASignaturePadding.Pkcs1);
                    }

                case Oids.EcPublicKey:
                    using (var ec = ECDsa.Create())
                    {
                        ec.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo.Span, out _);
                        return ec.VerifyData(parts.ToBeSigned.Span, parts.Signature.Span, row.Hash, DSASignatureFormat.Rfc3279DerSequence);
                    }

                default:
                    return SigningAlgorithms.Verify(subjectPublicKeyInfo.Span, row.Whole!, parts.ToBeSigned.Span, parts.Signature.Span);
            }
        }
        catch (CryptographicException)
        {
            return false; // the platform cannot make sense of the signature's own encoding
        }
    }

    private static AcmeProblem Bad(string detail) => new(ProblemCatalog.BadCsr, detail);

    private sealed record Row(string Oid, string Name, HashAlgorithmName Hash, string KeyOid, SigningAlgorithm? Whole = null);
}

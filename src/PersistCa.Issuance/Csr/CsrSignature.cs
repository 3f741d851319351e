using System.Formats.Asn1;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Acme;

namespace PersistCa.Issuance.Csr;

/// <summary>The signature of a certificate request: which algorithms count as proof of possession, and whether it holds (RFC 2986 section 3).</summary>
internal static class CsrSignature
{
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

        if (KnownSignature.Find(oid) is not { } row)
        {
            return Bad($"The CSR's signature algorithm {oid} is not accepted; accepted are {string.Join(", ", KnownSignature.All.Select(r => r.Name))}.");
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
        return row.Holds(subjectPublicKeyInfo.Span, parts) ? null : Bad("The CSR's signature does not hold for its key, so possession of the private key is not proven.");
    }

    private static AcmeProblem Bad(string detail) => new(ProblemCatalog.BadCsr, detail);
}

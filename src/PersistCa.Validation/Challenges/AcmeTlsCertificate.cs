using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PersistCa.Validation.Challenges;

/// <summary>Judges the certificate of tls-alpn-01 (RFC 8737 section 3).</summary>
internal static class AcmeTlsCertificate
{
    /// <summary>id-pe-acmeIdentifier (RFC 8737 section 6.1).</summary>
    public const string AcmeIdentifierOid = "1.3.6.1.5.5.7.1.31";

    private const string SubjectAltNameOid = "2.5.29.17";
    private static readonly Asn1Tag DnsNameTag = new(TagClass.ContextSpecific, 2);

    /// <summary>Judges a certificate.</summary>
    /// <param name="der">The certificate.</param>
    /// <param name="name">The name to be proved.</param>
    /// <param name="digest">SHA-256 of the key authorization.</param>
    /// <returns>What is wrong: what was found and what was expected; null when nothing is.</returns>
    public static string? Fault(byte[] der, string name, byte[] digest)
    {
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(der);
            return SelfSignatureFault(certificate, der)
                ?? NameFault(certificate, name)
                ?? DigestFault(certificate, digest);
        }
        catch (Exception unreadable) when (unreadable is CryptographicException or AsnContentException)
        {
            return "it cannot be read";
        }
    }

    private static string? SelfSignatureFault(X509Certificate2 certificate, byte[] der)
    {
        if (!certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData))
        {
            return "its issuer is not its subject, a self-signed certificate was expected";
        }

        var outer = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        var signed = outer.ReadEncodedValue();
        outer.ReadEncodedValue();
        var signature = outer.ReadBitString(out _);
        var hash = certificate.SignatureAlgorithm.Value switch
        {
            "1.2.840.10045.4.3.2" or "1.2.840.113549.1.1.11" => HashAlgorithmName.SHA256,
            "1.2.840.10045.4.3.3" or "1.2.840.113549.1.1.12" => HashAlgorithmName.SHA384,
            "1.2.840.10045.4.3.4" or "1.2.840.113549.1.1.13" => HashAlgorithmName.SHA512,
            _ => default,
        };
        if (hash == default)
        {
            return $"it is signed with the algorithm {certificate.SignatureAlgorithm.Value}, ECDSA or RSA PKCS #1 with SHA-256, SHA-384 or SHA-512 expected";
        }

        using var ecdsa = certificate.GetECDsaPublicKey();
        using var rsa = certificate.GetRSAPublicKey();
        var good = ecdsa?.VerifyData(signed.Span, signature, hash, DSASignatureFormat.Rfc3279DerSequence)
            ?? rsa?.VerifyData(signed.Span, signature, hash, RSASignaturePadding.Pkcs1)
            ?? false;
        return good ? null : "its signature is not by its own key, a self-signed certificate was expected";
    }

    private static string? NameFault(X509Certificate2 certificate, string name)
    {
        var extensions = Extensions(certificate, SubjectAltNameOid);
        if (extensions.Count != 1)
        {
            return $"it has {extensions.Count} subjectAltName extensions, 1 expected";
        }

        var reader = new AsnReader(extensions[0].RawData, AsnEncodingRules.DER);
        var names = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        var count = 0;
        string? first = null;
        while (names.HasData)
        {
            count++;
            var isDnsName = names.PeekTag().HasSameClassAndValue(DnsNameTag);
            var value = names.ReadEncodedValue();
            if (isDnsName)
            {
                first ??= AsnDecoder.ReadCharacterString(value.Span, AsnEncodingRules.DER, UniversalTagNumber.IA5String, out _, DnsNameTag);
            }
        }

        return count != 1 ? $"it names {count} subjects, exactly one dNSName expected"
            : first is null ? "the subject it names is no dNSName"
            : !first.Equals(name, StringComparison.OrdinalIgnoreCase) ? $"it is for '{PrintableText.Shorten(first, 260)}', '{name}' expected"
            : null;
    }

    private static string? DigestFault(X509Certificate2 certificate, byte[] digest)
    {
        var extensions = Extensions(certificate, AcmeIdentifierOid);
        if (extensions.Count != 1)
        {
            return $"it has {extensions.Count} acmeIdentifier extensions ({AcmeIdentifierOid}), 1 expected";
        }

        if (!extensions[0].Critical)
        {
            return "its acmeIdentifier extension is not critical, a critical one was expected";
        }

        var reader = new AsnReader(extensions[0].RawData, AsnEncodingRules.DER);
        var found = reader.ReadOctetString();
        reader.ThrowIfNotEmpty();
        return found.Length != digest.Length ? $"its acmeIdentifier extension holds {found.Length} octets, {digest.Length} expected"
            : !found.AsSpan().SequenceEqual(digest) ? "the digest in its acmeIdentifier extension is not that of the key authorization"
            : null;
    }

    private static List<X509Extension> Extensions(X509Certificate2 certificate, string oid) =>
        [.. certificate.Extensions.Where(e => e.Oid?.Value == oid)];
}

using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Validation.Challenges;

/// <summary>Judges the certificate of tls-alpn-01 (RFC 8737 section 3; RFC 8738 section 6 for addresses).</summary>
internal static class AcmeTlsCertificate
{
    /// <summary>id-pe-acmeIdentifier (RFC 8737 section 6.1).</summary>
    public const string AcmeIdentifierOid = "1.3.6.1.5.5.7.1.31";

    private const string SubjectAltNameOid = "2.5.29.17";
    private static readonly Asn1Tag DnsNameTag = new(TagClass.ContextSpecific, 2);
    private static readonly Asn1Tag IpAddressTag = new(TagClass.ContextSpecific, 7);

    /// <summary>Judges a certificate.</summary>
    /// <param name="der">The certificate.</param>
    /// <param name="identifier">The name or address to be proved.</param>
    /// <param name="digest">SHA-256 of the key authorization.</param>
    /// <returns>What is wrong: what was found and what was expected; null when nothing is.</returns>
    public static string? Fault(byte[] der, Identifier identifier, byte[] digest)
    {
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(der);
            return SelfSignatureFault(certificate, der)
                ?? NameFault(certificate, identifier)
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

    private static string? NameFault(X509Certificate2 certificate, Identifier identifier)
    {
        var extensions = Extensions(certificate, SubjectAltNameOid);
        if (extensions.Count != 1)
        {
            return $"it has {extensions.Count} subjectAltName extensions, 1 expected";
        }

        var reader = new AsnReader(extensions[0].RawData, AsnEncodingRules.DER);
        var names = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        var (tag, kind) = identifier is IpIdentifier ? (IpAddressTag, "iPAddress") : (DnsNameTag, "dNSName");
        var count = 0;
        ReadOnlyMemory<byte>? first = null;
        while (names.HasData)
        {
            count++;
            var isOfKind = names.PeekTag().HasSameClassAndValue(tag);
            var value = names.ReadEncodedValue();
            if (isOfKind)
            {
                first ??= value;
            }
        }

        return count != 1 ? $"it names {count} subjects, exactly one {kind} expected"
            : first is not { } subject ? $"the subject it names is no {kind}"
            : identifier is IpIdentifier ip ? AddressFault(subject, ip)
            : NameFault(subject, identifier.BaseText);
    }

    private static string? NameFault(ReadOnlyMemory<byte> subject, string name)
    {
        var found = AsnDecoder.ReadCharacterString(subject.Span, AsnEncodingRules.DER, UniversalTagNumber.IA5String, out _, DnsNameTag);
        return found.Equals(name, StringComparison.OrdinalIgnoreCase) ? null : $"it is for '{PrintableText.Shorten(found, 260)}', '{name}' expected";
    }

    private static string? AddressFault(ReadOnlyMemory<byte> subject, IpIdentifier ip)
    {
        var octets = AsnDecoder.ReadOctetString(subject.Span, AsnEncodingRules.DER, out _, IpAddressTag);
        var found = IpIdentifier.FromOctets(octets);
        return !found.IsValid ? $"its iPAddress cannot be used: {found.Reason}"
            : found.Value != ip ? $"it is for {found.Value.Text}, {ip.Text} expected"
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

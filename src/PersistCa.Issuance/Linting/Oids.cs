using System.Formats.Asn1;

namespace PersistCa.Issuance.Linting;

/// <summary>Object identifiers and tags that are read, and how the simplest extension values are.</summary>
internal static class Oids
{
    public const string SubjectKeyIdentifier = "2.5.29.14";
    public const string KeyUsage = "2.5.29.15";
    public const string SubjectAltName = "2.5.29.17";
    public const string BasicConstraints = "2.5.29.19";
    public const string CrlNumber = "2.5.29.20";
    public const string AuthorityKeyIdentifier = "2.5.29.35";
    public const string ExtendedKeyUsage = "2.5.29.37";
    public const string ExtensionRequest = "1.2.840.113549.1.9.14";
    public const string CommonName = "2.5.4.3";
    public const string CountryName = "2.5.4.6";
    public const string NameConstraints = "2.5.29.30";
    public const string CrlDistributionPoints = "2.5.29.31";
    public const string CertificatePolicies = "2.5.29.32";
    public const string IssuingDistributionPoint = "2.5.29.28";
    public const string ReasonCode = "2.5.29.21";
    public const string AuthorityInfoAccess = "1.3.6.1.5.5.7.1.1";
    public const string NoRevocationAvailable = "2.5.29.56";
    public const string TlsFeature = "1.3.6.1.5.5.7.1.24";
    public const string PrecertificatePoison = "1.3.6.1.4.1.11129.2.4.3";
    public const string SignedTimestamps = "1.3.6.1.4.1.11129.2.4.2";
    public const string OcspNoCheck = "1.3.6.1.5.5.7.48.1.5";
    public const string ServerAuth = "1.3.6.1.5.5.7.3.1";
    public const string ClientAuth = "1.3.6.1.5.5.7.3.2";
    public const string OcspSigning = "1.3.6.1.5.5.7.3.9";
    public const string RsaEncryption = "1.2.840.113549.1.1.1";
    public const string EcPublicKey = "1.2.840.10045.2.1";
    public const string Ed25519 = "1.3.101.112";

    // Choices of GeneralName (RFC 5280 section 4.2.1.6).
    public const int DnsNameTag = 2;
    public const int IpAddressTag = 7;

    /// <summary>Reads an extension value that is one OCTET STRING.</summary>
    public static byte[] ReadOctets(ReadOnlyMemory<byte> value)
    {
        var reader = new AsnReader(value, AsnEncodingRules.DER);
        var octets = reader.ReadOctetString();
        reader.ThrowIfNotEmpty();
        return octets;
    }

    /// <summary>Opens a value that is one SEQUENCE.</summary>
    public static AsnReader ReadList(ReadOnlyMemory<byte> value)
    {
        var outer = new AsnReader(value, AsnEncodingRules.DER);
        var list = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        return list;
    }

    /// <summary>Reads a named bit list: bit 0 is 0x80 of the result's low octet, bit 8 and above are in the octets above.</summary>
    public static int ReadBits(ReadOnlyMemory<byte> value)
    {
        var reader = new AsnReader(value, AsnEncodingRules.DER);
        var octets = reader.ReadBitString(out _);
        reader.ThrowIfNotEmpty();
        if (octets.Length is 0 or > 2)
        {
            throw new AsnContentException($"a key usage of {octets.Length} octets; one or two are expected");
        }

        return octets.Length == 1 ? octets[0] : octets[0] | (octets[1] << 8);
    }
}

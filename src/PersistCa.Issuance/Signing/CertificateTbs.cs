using System.Formats.Asn1;
using System.Security.Cryptography;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Math;

namespace PersistCa.Issuance.Signing;

/// <summary>What stands in a to-be-signed certificate besides its extensions.</summary>
internal sealed record CertificateTbs
{
    /// <summary>Serial number, hex of its content octets.</summary>
    public required string Serial { get; init; }

    /// <summary>Issuer name, DER; copied byte for byte, since two encodings of one name do not chain for every client.</summary>
    public required ReadOnlyMemory<byte> IssuerDer { get; init; }

    /// <summary>Subject name, DER.</summary>
    public required ReadOnlyMemory<byte> SubjectDer { get; init; }

    /// <summary>What the issuer signs with.</summary>
    public required SigningAlgorithm Algorithm { get; init; }

    /// <summary>Start of validity, whole seconds.</summary>
    public required DateTimeOffset NotBefore { get; init; }

    /// <summary>End of validity, inclusive, whole seconds.</summary>
    public required DateTimeOffset NotAfter { get; init; }

    /// <summary>SubjectPublicKeyInfo, DER.</summary>
    public required ReadOnlyMemory<byte> SubjectPublicKeyInfo { get; init; }

    /// <summary>Encodes it, with the extensions in the order given.</summary>
    public byte[] Encode(IEnumerable<(DerObjectIdentifier Oid, bool Critical, Asn1Encodable Value)> extensions)
    {
        var generator = new V3TbsCertificateGenerator();
        generator.SetSerialNumber(new DerInteger(new BigInteger(1, Convert.FromHexString(Serial))));
        generator.SetSignature(AlgorithmIdentifier.GetInstance(Asn1Object.FromByteArray(Algorithm.AlgorithmIdentifier.ToArray())));
        generator.SetIssuer(X509Name.GetInstance(Asn1Object.FromByteArray(IssuerDer.ToArray())));
        generator.SetStartDate(new Time(NotBefore.UtcDateTime));
        generator.SetEndDate(new Time(NotAfter.UtcDateTime));
        generator.SetSubject(X509Name.GetInstance(Asn1Object.FromByteArray(SubjectDer.ToArray())));
        generator.SetSubjectPublicKeyInfo(Org.BouncyCastle.Asn1.X509.SubjectPublicKeyInfo.GetInstance(Asn1Object.FromByteArray(SubjectPublicKeyInfo.ToArray())));

        var list = new X509ExtensionsGenerator();
        foreach (var (oid, critical, value) in extensions)
        {
            list.AddExtension(oid, critical, value);
        }

        generator.SetExtensions(list.Generate());
        return generator.GenerateTbsCertificate().GetEncoded(Asn1Encodable.Der);
    }

    /// <summary>Whole seconds: X.509 times have no fraction (RFC 5280 section 4.1.2.5).</summary>
    public static DateTimeOffset WholeSeconds(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);

    /// <summary>
    /// Key identifier: the left-most 160 bits of the SHA-256 of the subjectPublicKey bits (RFC 7093 section 2, method 1), where RFC 5280
    /// section 4.2.1.2 still suggests SHA-1.
    /// </summary>
    public static byte[] KeyIdentifier(ReadOnlyMemory<byte> subjectPublicKeyInfo)
    {
        var info = new AsnReader(subjectPublicKeyInfo, AsnEncodingRules.DER).ReadSequence();
        info.ReadEncodedValue();
        return SHA256.HashData(info.ReadBitString(out _))[..20];
    }

    /// <summary>CRLDistributionPoints with one fullName, no reasons and no cRLIssuer (Baseline Requirements section 7.1.2.11.2).</summary>
    public static (DerObjectIdentifier Oid, bool Critical, Asn1Encodable Value) CrlDistributionPoint(string url)
    {
        var name = new DistributionPointName(DistributionPointName.FullName, new GeneralNames(new GeneralName(GeneralName.UniformResourceIdentifier, url)));
        return (X509Extensions.CrlDistributionPoints, false, new CrlDistPoint([new DistributionPoint(name, null, null)]));
    }

    /// <summary>AuthorityInfoAccess with the place of the issuer's certificate (RFC 5280 section 4.2.2.1).</summary>
    public static (DerObjectIdentifier Oid, bool Critical, Asn1Encodable Value) CaIssuers(string url) => AuthorityInfo(null, url);

    /// <summary>AuthorityInfoAccess with the place where OCSP answers and that of the issuer's certificate, either of which may be missing (RFC 5280 section 4.2.2.1).</summary>
    public static (DerObjectIdentifier Oid, bool Critical, Asn1Encodable Value) AuthorityInfo(string? ocspUrl, string? certificateUrl)
    {
        var places = new List<AccessDescription>();
        if (ocspUrl is not null)
        {
            places.Add(new AccessDescription(AccessDescription.IdADOcsp, new GeneralName(GeneralName.UniformResourceIdentifier, ocspUrl)));
        }

        if (certificateUrl is not null)
        {
            places.Add(new AccessDescription(AccessDescription.IdADCAIssuers, new GeneralName(GeneralName.UniformResourceIdentifier, certificateUrl)));
        }

        return (X509Extensions.AuthorityInfoAccess, false, new AuthorityInformationAccess([.. places]));
    }
}

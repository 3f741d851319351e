using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace PersistCa.Validation.Tests.Challenges;

/// <summary>Certificates for servers under test: right for tls-alpn-01 unless the test says otherwise.</summary>
internal sealed record TestCertificates
{
    public const string AcmeIdentifierOid = "1.3.6.1.5.5.7.1.31";

    public IReadOnlyList<string> Names { get; init; } = ["www.example.com"];

    public string? IpAddress { get; init; }

    /// <summary>Value of the subjectAltName extension, where the builder would write none such; null for what the builder writes.</summary>
    public byte[]? RawNames { get; init; }

    public string? Oid { get; init; } = AcmeIdentifierOid;

    public bool Critical { get; init; } = true;

    public byte[] Value { get; init; } = OctetString(Digest(Sample.KeyAuthorization));

    public bool SignedByOther { get; init; }

    public string Subject { get; init; } = "CN=under test";

    public string? OtherIssuer { get; init; }

    public bool UseRsa { get; init; }

    public static byte[] Digest(string keyAuthorization) => SHA256.HashData(Encoding.ASCII.GetBytes(keyAuthorization));

    public static byte[] OctetString(byte[] octets)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteOctetString(octets);
        return writer.Encode();
    }

    public X509Certificate2 Create()
    {
        var subject = new X500DistinguishedName(Subject);
        var issuer = OtherIssuer is null ? subject : new X500DistinguishedName(OtherIssuer);
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);
        var request = UseRsa
            ? new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject, ecdsa, HashAlgorithmName.SHA256);
        if (RawNames is not null)
        {
            request.CertificateExtensions.Add(new X509Extension("2.5.29.17", RawNames, critical: false));
        }
        else if (Names.Count > 0 || IpAddress is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            foreach (var name in Names)
            {
                names.AddDnsName(name);
            }

            if (IpAddress is not null)
            {
                names.AddIpAddress(System.Net.IPAddress.Parse(IpAddress));
            }

            request.CertificateExtensions.Add(names.Build());
        }

        if (Oid is not null)
        {
            request.CertificateExtensions.Add(new X509Extension(Oid, Value, Critical));
        }

        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var generator = SignedByOther ? X509SignatureGenerator.CreateForECDsa(other)
            : UseRsa ? X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1)
            : X509SignatureGenerator.CreateForECDsa(ecdsa);
        var from = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
        using var certificate = request.Create(issuer, generator, from, from.AddYears(50), [1, 2, 3, 4]);
        using var withKey = UseRsa ? certificate.CopyWithPrivateKey(rsa) : certificate.CopyWithPrivateKey(ecdsa);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pfx), null);
    }
}

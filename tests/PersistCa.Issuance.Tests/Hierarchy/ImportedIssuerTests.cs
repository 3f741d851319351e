using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CsCheck;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;

namespace PersistCa.Issuance.Tests.Hierarchy;

public sealed class ImportedIssuerTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2030, 1, 2, 0, 0, 0, TimeSpan.Zero);
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDsa strong = ECDsa.Create(ECCurve.NamedCurves.nistP521);
    private readonly RSA rsa = RSA.Create(3072);

    public void Dispose()
    {
        key.Dispose();
        strong.Dispose();
        rsa.Dispose();
    }

    private (X509Certificate2 Root, X509Certificate2 Issuing) Make(string hash, bool ec)
    {
        var name = new HashAlgorithmName(hash);
        var request = ec ? new CertificateRequest("O=Foreign, CN=Foreign Root", strong, name) : new CertificateRequest("O=Foreign, CN=Foreign Root", rsa, name, RSASignaturePadding.Pkcs1);
        Authority(request);
        var root = request.CreateSelfSigned(Now.AddDays(-1), Now.AddYears(10));
        var below = new CertificateRequest(new X500DistinguishedName("O=Foreign, CN=Foreign Issuing"), new PublicKey(key), name);
        Authority(below);
        below.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(root, true, false));
        var signer = ec ? X509SignatureGenerator.CreateForECDsa(strong) : X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1);
        return (X509CertificateLoader.LoadCertificate(root.RawData), below.Create(root.SubjectName, signer, Now.AddDays(-1), Now.AddYears(5), [0x11, 0x22, 3, 4, 5, 6, 7, 8, 9]));
    }

    private static void Authority(CertificateRequest request)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
    }

    [Theory]
    [InlineData("SHA384", false)]
    [InlineData("SHA512", false)]
    [InlineData("SHA512", true)]
    [InlineData("SHA256", true)]
    public void A_chain_below_a_root_that_signs_otherwise_than_issuers_here_is_verified(string hash, bool ec)
    {
        var (root, issuing) = Make(hash, ec);
        using var own = FileSigningKey.Read(key.ExportPkcs8PrivateKey()).Value!;
        Assert.Null(Issuer.Load(issuing.RawData, [root.RawData], own, Now).Reason);
        var broken = issuing.RawData;
        broken[^1] ^= 1;
        Assert.Contains("does not hold for the key of certificate 1", Issuer.Load(broken, [root.RawData], own, Now).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_PKCS12_file_gives_key_certificate_and_chain_in_any_order()
    {
        var (root, issuing) = Make("SHA384", false);
        using var pair = issuing.CopyWithPrivateKey(key);
        var file = new X509Certificate2Collection { root, pair }.Export(X509ContentType.Pkcs12, "p12 passphrase")!;
        var read = ImportedIssuer.ReadPkcs12(file, "p12 passphrase").Value!;
        Assert.Equal(issuing.RawData, read.Certificate);
        Assert.Equal(root.RawData, Assert.Single(ImportedIssuer.Order(read.Certificate, read.Others).Value));
        using var own = FileSigningKey.Read(read.Pkcs8).Value!;
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), own.SubjectPublicKeyInfo);
        Assert.Equal("it is no PKCS #12 file, or the passphrase does not open it", ImportedIssuer.ReadPkcs12(file, "another").Reason);
    }

    [Fact]
    public void A_chain_that_ends_before_a_root_is_refused_by_the_name_that_is_missing()
    {
        var (_, issuing) = Make("SHA384", false);
        Assert.Contains("there is no certificate of CN=Foreign Root", ImportedIssuer.Order(issuing.RawData, [issuing.RawData]).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_are_read_in_every_form_of_PEM()
    {
        var encrypted = key.ExportEncryptedPkcs8PrivateKeyPem("passphrase", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));
        foreach (var pem in new[] { key.ExportPkcs8PrivateKeyPem(), key.ExportECPrivateKeyPem(), rsa.ExportRSAPrivateKeyPem(), encrypted })
        {
            using var read = FileSigningKey.Read(ImportedIssuer.ReadKey(Encoding.ASCII.GetBytes(pem), "passphrase").Value!).Value!;
            Assert.NotNull(read);
        }

        Assert.StartsWith("it is encrypted; give its passphrase", ImportedIssuer.ReadKey(Encoding.ASCII.GetBytes(encrypted), null).Reason, StringComparison.Ordinal);
        Assert.Equal("the passphrase does not open it", ImportedIssuer.ReadKey(Encoding.ASCII.GetBytes(encrypted), "wrong one").Reason);
        Assert.StartsWith("its PEM block is 'PUBLIC KEY'", ImportedIssuer.ReadKey(Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem()), null).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_of_no_kind_that_signs_here_is_refused() => Assert.StartsWith("the key has 521 bits and is of no kind that signs here", FileSigningKey.Read(strong.ExportPkcs8PrivateKey()).Reason, StringComparison.Ordinal);

    [Fact]
    public void A_file_above_its_length_is_refused()
    {
        Assert.StartsWith("it has 262145 octets", ImportedIssuer.ReadKey(new byte[ImportedIssuer.MaxOctets + 1], null).Reason, StringComparison.Ordinal);
        Assert.StartsWith("it has 262145 octets", ImportedIssuer.ReadPkcs12(new byte[ImportedIssuer.MaxOctets + 1], "").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_on_a_curve_that_the_platform_lacks_is_a_reason()
    {
        // RFC 5915 with the curve 1.2.840.10045.3.1.56, one octet from P-256.
        var der = key.ExportECPrivateKey();
        der[der.AsSpan().IndexOf(Convert.FromHexString("2a8648ce3d030107")) + 7] = 0x38;
        var pem = Encoding.ASCII.GetBytes(PemEncoding.WriteString("EC PRIVATE KEY", der));
        Assert.Contains("holds no private key", ImportedIssuer.ReadKey(pem, null).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_octets_are_a_key_or_a_reason_and_never_a_failure()
    {
        var pem = Encoding.ASCII.GetBytes(key.ExportECPrivateKeyPem());
        Gen.Select(Gen.Int[0, pem.Length - 1], Gen.Byte).Sample((at, octet) =>
        {
            var changed = pem.ToArray();
            changed[at] = octet;
            if (ImportedIssuer.ReadKey(changed, "x") is { IsValid: true } read)
            {
                _ = FileSigningKey.Read(read.Value).IsValid;
            }
        });
        Gen.Byte.Array.Sample(octets => Assert.False(ImportedIssuer.ReadPkcs12(octets, "x").IsValid));
        Gen.Byte.Array.Sample(octets => Assert.False(ImportedIssuer.Order(octets, [octets]).IsValid));
    }

    [Fact]
    public void A_key_that_is_taken_in_is_encrypted_anew_and_a_file_that_exists_is_left_alone()
    {
        var folder = Directory.CreateTempSubdirectory("persistca-import-").FullName;
        try
        {
            var store = new FileKeyStore(folder, new FileKeyStoreOptions { Pbkdf2Iterations = 1000 });
            store.Import("other", key.ExportPkcs8PrivateKey(), "the authority's").Value!.Dispose();
            using var opened = store.Open("other", "the authority's").Value!;
            Assert.Equal(key.ExportSubjectPublicKeyInfo(), opened.SubjectPublicKeyInfo);
            Assert.EndsWith("a key is never overwritten", store.Import("other", key.ExportPkcs8PrivateKey(), "the authority's").Reason, StringComparison.Ordinal);
            Assert.StartsWith("the passphrase has 5 characters", store.Import("next", key.ExportPkcs8PrivateKey(), "short").Reason, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

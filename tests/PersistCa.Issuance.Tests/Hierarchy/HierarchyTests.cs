using System.Numerics;
using System.Security.Cryptography.X509Certificates;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Signing;
using CrlDistPoint = Org.BouncyCastle.Asn1.X509.CrlDistPoint;

namespace PersistCa.Issuance.Tests.Hierarchy;

public sealed class HierarchyTests : IDisposable
{
    private static readonly DateTimeOffset Now = TestAuthority.Now;
    private readonly FileSigningKey rootKey = FileSigningKey.Generate(SigningAlgorithms.EcdsaP384);
    private readonly FileSigningKey issuingKey = FileSigningKey.Generate(SigningAlgorithms.EcdsaP256);
    private readonly HierarchyRequest request = new() { Organization = "Example", Now = Now };

    public void Dispose()
    {
        rootKey.Dispose();
        issuingKey.Dispose();
    }

    private async Task<(X509Certificate2 Root, X509Certificate2 Issuing)> MakeAsync(HierarchyRequest with)
    {
        var made = await HierarchyCreation.CreateAsync(with, rootKey, issuingKey);
        return (X509CertificateLoader.LoadCertificate(made.RootDer), X509CertificateLoader.LoadCertificate(made.IssuingDer));
    }

    private static T Extension<T>(X509Certificate2 certificate)
        where T : X509Extension => Assert.Single(certificate.Extensions.OfType<T>());

    [Fact]
    public async Task The_root_is_as_the_Baseline_Requirements_have_it()
    {
        var (root, _) = await MakeAsync(request);
        Assert.Equal(3, root.Version);
        Assert.Equal(root.SubjectName.RawData, root.IssuerName.RawData);
        Assert.Equal("CN=Example Root, O=Example", root.Subject);
        var constraints = Extension<X509BasicConstraintsExtension>(root);
        Assert.True(constraints.Critical && constraints.CertificateAuthority && !constraints.HasPathLengthConstraint);
        var usage = Extension<X509KeyUsageExtension>(root);
        Assert.True(usage.Critical);
        Assert.Equal(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, usage.KeyUsages);
        Assert.Empty(root.Extensions.OfType<X509EnhancedKeyUsageExtension>());
        Assert.Equal(Extension<X509SubjectKeyIdentifierExtension>(root).SubjectKeyIdentifierBytes.ToArray(), Extension<X509AuthorityKeyIdentifierExtension>(root).KeyIdentifier?.ToArray());
        Assert.Equal(Now.UtcDateTime, root.NotBefore.ToUniversalTime());
        Assert.InRange((root.NotAfter - root.NotBefore).TotalDays, 2922, 9132);
    }

    [Fact]
    public async Task The_issuing_authority_is_as_the_Baseline_Requirements_have_it()
    {
        var (root, issuing) = await MakeAsync(request with { Country = "GB", RootCertificateUrl = "http://ca.example/r.cer", RootCrlUrl = "http://ca.example/r.crl" });
        Assert.Equal(root.SubjectName.RawData, issuing.IssuerName.RawData);
        Assert.Equal("CN=Example Issuing 1, O=Example, C=GB", issuing.Subject);
        var constraints = Extension<X509BasicConstraintsExtension>(issuing);
        Assert.True(constraints.Critical && constraints.CertificateAuthority && constraints.HasPathLengthConstraint);
        Assert.Equal(0, constraints.PathLengthConstraint);
        var usage = Extension<X509KeyUsageExtension>(issuing);
        Assert.True(usage.Critical);
        Assert.Equal(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, usage.KeyUsages);
        Assert.Equal(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"], Extension<X509EnhancedKeyUsageExtension>(issuing).EnhancedKeyUsages.Cast<System.Security.Cryptography.Oid>().Select(o => o.Value));
        Assert.Equal(Extension<X509SubjectKeyIdentifierExtension>(root).SubjectKeyIdentifierBytes.ToArray(), Extension<X509AuthorityKeyIdentifierExtension>(issuing).KeyIdentifier?.ToArray());
        Assert.Equal(["http://ca.example/r.cer"], Extension<X509AuthorityInformationAccessExtension>(issuing).EnumerateCAIssuersUris());
        var points = CrlDistPoint.GetInstance(issuing.Extensions.Single(e => e.Oid?.Value == "2.5.29.31").RawData).GetDistributionPoints();
        Assert.Contains("http://ca.example/r.crl", Assert.Single(points).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serial_numbers_are_positive_different_and_of_127_bits()
    {
        var (root, issuing) = await MakeAsync(request);
        Assert.NotEqual(root.SerialNumber, issuing.SerialNumber);
        foreach (var certificate in new[] { root, issuing })
        {
            var serial = new BigInteger(certificate.SerialNumberBytes.Span, isBigEndian: true);
            Assert.True(serial.Sign > 0);
            Assert.Equal(127, serial.GetBitLength());
        }
    }

    [Fact]
    public async Task An_RSA_issuing_authority_is_made_by_option()
    {
        using var rsa = FileSigningKey.Generate(SigningAlgorithms.Rsa3072);
        var made = await HierarchyCreation.CreateAsync(request, rootKey, rsa);
        Assert.True(Issuer.Load(made.IssuingDer, [made.RootDer], rsa, Now).IsValid);
    }

    [Fact]
    public async Task The_issuing_authority_does_not_outlive_its_root()
    {
        var (root, issuing) = await MakeAsync(request with { RootValidity = TimeSpan.FromDays(100), IssuingValidity = TimeSpan.FromDays(200) });
        Assert.Equal(root.NotAfter, issuing.NotAfter);
        Assert.Equal(Now.AddDays(100).AddSeconds(-1).UtcDateTime, root.NotAfter.ToUniversalTime());
    }

    [Fact]
    public async Task One_key_for_both_is_refused() =>
        await Assert.ThrowsAsync<ArgumentException>(() => HierarchyCreation.CreateAsync(request, rootKey, rootKey).AsTask());

    [Fact]
    public async Task A_name_above_64_characters_is_refused()
    {
        var fits = new string('x', HierarchyCreation.MaxNameLength);
        await MakeAsync(request with { RootCommonName = fits });
        await Assert.ThrowsAsync<ArgumentException>(() => MakeAsync(request with { RootCommonName = fits + "x" }));
        await Assert.ThrowsAsync<ArgumentException>(() => MakeAsync(request with { Country = "gb" }));
    }

    [Fact]
    public async Task A_loaded_issuer_knows_its_identity()
    {
        var issuing = await TestAuthority.IssuingAsync();
        using var certificate = X509CertificateLoader.LoadCertificate(issuing.CertificateDer);
        Assert.Equal(certificate.SubjectName.RawData, issuing.SubjectDer.ToArray());
        Assert.Equal(Extension<X509SubjectKeyIdentifierExtension>(certificate).SubjectKeyIdentifierBytes.ToArray(), issuing.KeyIdentifier);
        Assert.Equal(Convert.ToHexStringLower(issuing.KeyIdentifier)[..16], issuing.IssuerId);
        Assert.True(issuing.ReachesRoot);
        Assert.Equal(2, issuing.Chain.Length);
    }

    [Fact]
    public async Task A_key_identifier_is_method_1_of_RFC_7093()
    {
        var issuing = await TestAuthority.IssuingAsync();
        using var certificate = X509CertificateLoader.LoadCertificate(issuing.CertificateDer);
        var expected = System.Security.Cryptography.SHA256.HashData(certificate.PublicKey.EncodedKeyValue.RawData)[..20];
        Assert.Equal(expected, issuing.KeyIdentifier);
    }

    [Fact]
    public async Task A_key_of_another_certificate_is_refused()
    {
        var made = await HierarchyCreation.CreateAsync(request, rootKey, issuingKey);
        Assert.Contains("public keys differ", Issuer.Load(made.IssuingDer, [made.RootDer], rootKey, Now).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_is_no_authority_is_refused()
    {
        var issuer = await TestAuthority.CertificateIssuerAsync();
        var leaf = await issuer.IssueAsync(IssuanceTicket.FromIntent(issuer.Prepare(TestAuthority.Request()).Value));
        Assert.Contains("cA TRUE is missing", Issuer.Load(leaf, [], issuingKey, Now.AddDays(1)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_out_of_its_time_is_refused()
    {
        var made = await HierarchyCreation.CreateAsync(request with { IssuingValidity = TimeSpan.FromDays(10) }, rootKey, issuingKey);
        Assert.Contains("is not valid before", Issuer.Load(made.IssuingDer, [made.RootDer], issuingKey, Now.AddSeconds(-1)).Reason, StringComparison.Ordinal);
        var end = Now.AddDays(10).AddSeconds(-1);
        Assert.True(Issuer.Load(made.IssuingDer, [made.RootDer], issuingKey, end).IsValid);
        Assert.Contains("the issuer's certificate expired at", Issuer.Load(made.IssuingDer, [made.RootDer], issuingKey, end.AddSeconds(1)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chain_of_other_names_or_keys_is_refused()
    {
        using var otherKey = FileSigningKey.Generate(SigningAlgorithms.EcdsaP384);
        var made = await HierarchyCreation.CreateAsync(request, rootKey, issuingKey);
        var otherNames = await HierarchyCreation.CreateAsync(request with { Organization = "Other" }, rootKey, issuingKey);
        var otherKeys = await HierarchyCreation.CreateAsync(request, otherKey, issuingKey);
        Assert.Contains("issuer name of certificate 0", Issuer.Load(made.IssuingDer, [otherNames.RootDer], issuingKey, Now).Reason, StringComparison.Ordinal);
        Assert.Contains("signature of certificate 0 does not hold", Issuer.Load(made.IssuingDer, [otherKeys.RootDer], issuingKey, Now).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_root_with_a_broken_signature_is_refused()
    {
        var made = await HierarchyCreation.CreateAsync(request, rootKey, issuingKey);
        made.RootDer[^1] ^= 1;
        Assert.Contains("root's signature does not hold", Issuer.Load(made.IssuingDer, [made.RootDer], issuingKey, Now).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_root_whose_path_is_too_short_is_refused()
    {
        var made = await HierarchyCreation.CreateAsync(request with { RootPathLength = 0 }, rootKey, issuingKey);
        Assert.Contains("pathLenConstraint of 0", Issuer.Load(made.IssuingDer, [made.RootDer], issuingKey, Now).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Octets_that_are_no_certificate_are_refused() =>
        Assert.StartsWith("the issuer's certificate cannot be read", Issuer.Load([1, 2, 3], [], issuingKey, Now).Reason, StringComparison.Ordinal);

    [Fact]
    public async Task A_chain_above_the_limit_is_refused()
    {
        var made = await HierarchyCreation.CreateAsync(request, rootKey, issuingKey);
        var above = Enumerable.Repeat(made.RootDer, Issuer.MaxChainLength).ToArray();
        Assert.Contains($"at most {Issuer.MaxChainLength}", Issuer.Load(made.IssuingDer, above, issuingKey, Now).Reason, StringComparison.Ordinal);
    }
}

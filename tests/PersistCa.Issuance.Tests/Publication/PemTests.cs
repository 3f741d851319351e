using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Publication;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Tests.Publication;

public sealed class PemTests
{
    [Fact]
    public async Task A_chain_is_the_leaf_and_what_is_between_without_the_root()
    {
        var issuer = await TestAuthority.CertificateIssuerAsync();
        var leaf = await issuer.IssueAsync(IssuanceTicket.FromIntent(issuer.Prepare(TestAuthority.Request()).Value));
        var text = Pem.Chain(leaf, issuer.Issuer);
        Assert.StartsWith("-----BEGIN CERTIFICATE-----\n", text, StringComparison.Ordinal);
        Assert.EndsWith("-----END CERTIFICATE-----\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\n\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', text);
        Assert.Equal(Hex([leaf, issuer.Issuer.CertificateDer]), Hex(Pem.ReadCertificates(text).Value));
        Assert.Equal(Hex([leaf, .. issuer.Issuer.Chain]), Hex(Pem.ReadCertificates(Pem.Chain(leaf, issuer.Issuer, withRoot: true)).Value));
        var collection = new X509Certificate2Collection();
        collection.ImportFromPem(text);
        Assert.Equal(2, collection.Count);
    }

    [Fact]
    public void Another_kind_of_block_is_refused()
    {
        using var key = ECDsa.Create();
        Assert.Equal("block 2 is 'PRIVATE KEY'; 'CERTIFICATE' is expected", Pem.ReadCertificates(Pem.Certificate([1]) + key.ExportPkcs8PrivateKeyPem()).Reason);
    }

    [Fact]
    public void A_text_without_a_block_is_refused() => Assert.Contains("no PEM block", Pem.ReadCertificates("hello").Reason, StringComparison.Ordinal);

    [Fact]
    public void The_limits_hold_to_the_last_one()
    {
        var two = Pem.Certificate([1]) + Pem.Certificate([2]);
        Assert.Equal("there are more than 1 certificates", Pem.ReadCertificates(two, new PemLimits { MaxCertificates = 1 }).Reason);
        Assert.True(Pem.ReadCertificates(two, new PemLimits { MaxCertificates = 2 }).IsValid);
        Assert.Contains("characters", Pem.ReadCertificates(two, new PemLimits { MaxCharacters = two.Length - 1 }).Reason, StringComparison.Ordinal);
        Assert.True(Pem.ReadCertificates(two, new PemLimits { MaxCharacters = two.Length }).IsValid);
    }

    [Fact]
    public async Task The_servers_own_certificate_is_good_for_the_loopback()
    {
        var issuing = await TestAuthority.IssuingAsync();
        var now = TestAuthority.Now.AddDays(1);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var der = await SelfCertificate.IssueAsync(issuing, SelfCertificateRequest.Loopback(key.ExportSubjectPublicKeyInfo(), now));
        using var certificate = X509CertificateLoader.LoadCertificate(der);
        Assert.True(certificate.MatchesHostname("localhost"));
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        Assert.Equal([IPAddress.Loopback, IPAddress.IPv6Loopback], names.EnumerateIPAddresses());
        var (holds, status) = await TestAuthority.ChainAsync(der, now);
        Assert.True(holds, status);
        Assert.Equal(TimeSpan.FromDays(30) - TimeSpan.FromSeconds(1), certificate.NotAfter - certificate.NotBefore);
        using var withKey = certificate.CopyWithPrivateKey(key);
        Assert.True(withKey.HasPrivateKey);
    }

    [Fact]
    public async Task The_servers_own_certificate_needs_a_name_and_a_sound_key_of_its_own()
    {
        var issuing = await TestAuthority.IssuingAsync();
        var good = SelfCertificateRequest.Loopback(TestAuthority.NewSpki(), TestAuthority.Now.AddDays(1));
        using var weak = RSA.Create(1024);
        await Throws("needs a name or an address", good with { Names = [], Addresses = [] });
        await Throws("must not be the issuer's", good with { SubjectPublicKeyInfo = issuing.Key.SubjectPublicKeyInfo });
        await Throws("1024 bits", good with { SubjectPublicKeyInfo = weak.ExportSubjectPublicKeyInfo() });
        await Throws("issuer expires at", good with { Now = issuing.NotAfter });
        await SelfCertificate.IssueAsync(issuing, good with { Names = [DnsName.Parse("ca.example").Value!], Addresses = [] });

        async Task Throws(string reason, SelfCertificateRequest request)
        {
            var thrown = await Assert.ThrowsAsync<ArgumentException>(() => SelfCertificate.IssueAsync(issuing, request).AsTask());
            Assert.Contains(reason, thrown.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_servers_own_certificate_has_no_name_that_the_issuers_constraints_exclude()
    {
        using var root = FileSigningKey.Generate(SigningAlgorithms.EcdsaP384);
        using var key = FileSigningKey.Generate(SigningAlgorithms.EcdsaP256);
        var made = await HierarchyCreation.CreateAsync(
            new HierarchyRequest { Organization = "Example", Now = TestAuthority.Now, IssuingNames = NameRestrictions.Read(["localhost", "127.0.0.0/8"], []).Value! }, root, key);
        var now = TestAuthority.Now.AddDays(1);
        var issuing = Issuer.Load(made.IssuingDer, [made.RootDer], key, now).Value!;
        var all = SelfCertificateRequest.Loopback(TestAuthority.NewSpki(), now);
        await SelfCertificate.IssueAsync(issuing, all with { Addresses = [IPAddress.Loopback] });
        Assert.Contains("none of the networks", (await Assert.ThrowsAsync<ArgumentException>(() => SelfCertificate.IssueAsync(issuing, all).AsTask())).Message, StringComparison.Ordinal);
        var named = all with { Names = [DnsName.Parse("ca.example").Value!], Addresses = [] };
        Assert.Contains("permits names under localhost only", (await Assert.ThrowsAsync<ArgumentException>(() => SelfCertificate.IssueAsync(issuing, named).AsTask())).Message, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Hex(IEnumerable<byte[]> certificates) => certificates.Select(Convert.ToHexString);
}

using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Publication;
using PersistCa.Issuance.Signing;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Hosting;

/// <summary>The server's own certificate obeys the constraints of the issuer that signs it: clients would refuse another one.</summary>
public sealed class TlsIdentityTests : IDisposable
{
    private readonly FileSigningKey rootKey = FileSigningKey.Generate(SigningAlgorithms.EcdsaP384);
    private readonly List<FileSigningKey> keys = [];

    public void Dispose()
    {
        rootKey.Dispose();
        keys.ForEach(k => k.Dispose());
    }

    [Fact]
    public async Task Addresses_of_localhost_that_the_issuer_may_not_certify_are_left_out()
    {
        var certificate = await MadeAsync("https://localhost:14000", await IssuerAsync("localhost", "127.0.0.0/8"));
        Assert.True(certificate.MatchesHostname("localhost"));
        Assert.Equal([IPAddress.Loopback], Addresses(certificate));
    }

    [Fact]
    public async Task The_first_issuer_that_may_certify_the_host_signs()
    {
        var second = await IssuerAsync("ca.example.com");
        var certificate = await MadeAsync("https://ca.example.com", await IssuerAsync("localhost"), second);
        Assert.Equal(second.SubjectDer.ToArray(), certificate.IssuerName.RawData);
        Assert.Empty(Addresses(certificate));
    }

    [Theory]
    [InlineData("https://ca.example.com", "permits names under localhost only")]
    [InlineData("https://10.0.0.1", "none of the networks")]
    [InlineData("https://ca_1.example.com", "no certificate can have its host")]
    public async Task A_host_that_no_issuer_may_certify_stops_the_start(string baseUrl, string reason)
    {
        var issuer = await IssuerAsync("localhost", "127.0.0.0/8");
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => MadeAsync(baseUrl, issuer));
        Assert.StartsWith("Server:BaseUrl", refused.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_root_of_a_file_is_trusted()
    {
        var issuer = await IssuerAsync();
        using var otherKey = FileSigningKey.Generate(SigningAlgorithms.EcdsaP256);
        var other = await HierarchyCreation.CreateAsync(new HierarchyRequest { Organization = "Other", Now = TimeProvider.System.GetUtcNow() }, otherKey, issuer.Key);
        var leaf = await SelfCertificate.IssueAsync(issuer, SelfCertificateRequest.Loopback((await MadeAsync("https://localhost", issuer)).PublicKey.ExportSubjectPublicKeyInfo(), TimeProvider.System.GetUtcNow()));
        var chain = Pem.Certificate(leaf) + Pem.Certificate(issuer.CertificateDer);
        Assert.NotNull(RootTrust.Verify(chain, Pem.Certificate(other.RootDer), "localhost"));
        Assert.Null(RootTrust.Verify(chain, Pem.Certificate(other.RootDer) + Pem.Certificate(issuer.Chain[^1]), "localhost"));
    }

    private static IEnumerable<IPAddress> Addresses(X509Certificate2 certificate) => certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().EnumerateIPAddresses();

    private async Task<Issuer> IssuerAsync(params string[] permitted)
    {
        var key = FileSigningKey.Generate(SigningAlgorithms.EcdsaP256);
        keys.Add(key);
        var now = TimeProvider.System.GetUtcNow();
        var made = await HierarchyCreation.CreateAsync(
            new HierarchyRequest { Organization = "Example", IssuingCommonName = $"Issuing {keys.Count}", Now = now, IssuingNames = NameRestrictions.Read(permitted, []).Value! }, rootKey, key);
        return Issuer.Load(made.IssuingDer, [made.RootDer], key, now).Value!;
    }

    private static async Task<X509Certificate2> MadeAsync(string baseUrl, params Issuer[] issuers)
    {
        await using var store = await TestStore.OpenAsync(StoreKind.Sqlite);
        var options = new PersistCaOptions();
        options.Server.BaseUrl = baseUrl;
        var book = new IssuerBook(issuers.Select((issuer, at) => new BookedIssuer($"i{at}", issuer, DateTimeOffset.MinValue, DateTimeOffset.MaxValue, [])));
        var identity = new TlsIdentity(options, book, store.Store, TimeProvider.System, NullLogger<TlsIdentity>.Instance);
        await identity.PrepareAsync(CancellationToken.None);
        return identity.Answer().ServerCertificateContext!.TargetCertificate;
    }
}

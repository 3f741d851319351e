using Org.BouncyCastle.X509;
using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Signing;
using PersistCa.Testing;

namespace PersistCa.Issuance.Tests.KeyStores;

/// <summary>What is particular about KMS.</summary>
public sealed class KmsKeyStoreTests : IAsyncLifetime
{
    private KmsDouble service = null!;

    private static CancellationToken None => CancellationToken.None;

    public async Task InitializeAsync() => service = await KmsDouble.StartAsync();

    public async Task DisposeAsync() => await service.DisposeAsync();

    [Fact]
    public async Task Only_a_digest_is_sent_of_what_an_EC_or_RSA_key_signs()
    {
        using var store = service.Store();
        using var ec = (await store.CreateAsync("a", SigningAlgorithms.EcdsaP256, None)).Value!;
        using var rsa = (await store.CreateAsync("b", SigningAlgorithms.Rsa2048, None)).Value!;
        await ec.SignAsync(new byte[5000], None);
        await rsa.SignAsync(new byte[5000], None);
        Assert.Equal(["DIGEST", "DIGEST"], service.MessageTypes);
    }

    [Theory]
    [InlineData("ML-DSA-44")]
    [InlineData("ML-DSA-65")]
    [InlineData("ML-DSA-87")]
    public async Task Of_a_long_message_an_ML_DSA_key_is_sent_the_representative_and_the_signature_holds_for_the_message(string algorithm)
    {
        using var store = service.Store();
        using var key = (await store.CreateAsync("a", SigningAlgorithms.Find(algorithm)!, None)).Value!;
        foreach (var (octets, type) in new[] { (4096, "RAW"), (4097, "EXTERNAL_MU"), (70_000, "EXTERNAL_MU") })
        {
            var message = System.Security.Cryptography.RandomNumberGenerator.GetBytes(octets);
            var signature = await key.SignAsync(message, None);
            Assert.True(SigningAlgorithms.Verify(key.SubjectPublicKeyInfo, key.Algorithm, message, signature));
            message[^1] ^= 1;
            Assert.False(SigningAlgorithms.Verify(key.SubjectPublicKeyInfo, key.Algorithm, message, signature));
            Assert.Equal(type, service.MessageTypes.Last());
        }
    }

    [Fact]
    public async Task A_list_of_many_entries_is_signed_by_an_ML_DSA_key_in_KMS()
    {
        using var store = service.Store();
        using var rootKey = FileSigningKey.Generate(SigningAlgorithms.MlDsa87);
        using var key = (await store.CreateAsync("issuing", SigningAlgorithms.MlDsa65, None)).Value!;
        var made = await HierarchyCreation.CreateAsync(new HierarchyRequest { Organization = "Example", Now = TestAuthority.Now }, rootKey, key);
        var issuer = Issuer.Load(made.IssuingDer, [made.RootDer], key, TestAuthority.Now).Value!;
        var revoked = Enumerable.Range(0, 2000).Select(i => new RevokedCertificate($"40{i:x14}", TestAuthority.Now, 4)).ToList();

        var list = await CrlBuilder.BuildAsync(issuer, 7, revoked, TestAuthority.Now, TestAuthority.Now.AddDays(7));
        Assert.InRange(list.Length, 60_000, 100_000);
        Assert.Equal("EXTERNAL_MU", service.MessageTypes.Last());
        var parsed = new X509CrlParser().ReadCrl(list);
        parsed.Verify(new X509CertificateParser().ReadCertificate(issuer.CertificateDer).GetPublicKey());
        Assert.Equal(revoked.Count, parsed.GetRevokedCertificates().Count);
    }

    [Fact]
    public async Task A_call_that_is_throttled_is_made_again()
    {
        using var store = service.Store();
        using var key = (await store.CreateAsync("a", SigningAlgorithms.EcdsaP256, None)).Value!;
        var times = 0;
        service.Behaviour = o => o == "Sign" && Interlocked.Increment(ref times) <= 2 ? KmsFault.Throttle : KmsFault.None;
        var signature = await key.SignAsync(new byte[] { 1 }, None);
        Assert.True(SigningAlgorithms.Verify(key.SubjectPublicKeyInfo, key.Algorithm, [1], signature));
        Assert.Equal(3, service.Calls.Count(c => c == "Sign"));
    }

    [Theory]
    [InlineData(KmsFault.Throttle, "ThrottlingException", 3)]
    [InlineData(KmsFault.Down, "KMSInternalException", 3)]
    [InlineData(KmsFault.Silent, "KMS", 3)]
    public async Task A_service_in_trouble_is_away_after_the_configured_retries(KmsFault fault, string reason, int calls)
    {
        using var store = service.Store(service.Options with { Timeout = TimeSpan.FromSeconds(2) });
        using var key = (await store.CreateAsync("a", SigningAlgorithms.EcdsaP256, None)).Value!;
        service.Behaviour = o => o == "Sign" ? fault : KmsFault.None;
        var away = await Assert.ThrowsAsync<KeyStoreAwayException>(() => key.SignAsync(new byte[] { 1 }, None).AsTask());
        Assert.Contains(reason, away.Message, StringComparison.Ordinal);
        Assert.Equal(calls, service.Calls.Count(c => c == "Sign"));
    }

    [Fact]
    public async Task A_signature_that_does_not_hold_becomes_no_certificate()
    {
        using var store = service.Store();
        using var key = (await store.CreateAsync("a", SigningAlgorithms.EcdsaP256, None)).Value!;
        service.Behaviour = _ => KmsFault.Garbage;
        await Assert.ThrowsAsync<InvalidOperationException>(() => SignedParts.SignAsync(new byte[] { 0x30, 0 }, key, None).AsTask());
    }

    [Fact]
    public async Task A_disabled_key_fails_the_probe()
    {
        using var store = service.Store();
        using var key = (await store.CreateAsync("a", SigningAlgorithms.EcdsaP256, None)).Value!;
        service.SetState("a", "Disabled");
        Assert.Contains("Disabled", await store.ProbeAsync(None), StringComparison.Ordinal);
        service.SetState("a", "Enabled");
        Assert.Null(await store.ProbeAsync(None));
    }

    [Fact]
    public async Task A_destroyed_key_waits_for_its_end()
    {
        using var store = service.Store();
        (await store.CreateAsync("a", SigningAlgorithms.EcdsaP256, None)).Value!.Dispose();
        Assert.Null(await store.DestroyAsync("a", None));
        Assert.Equal("PendingDeletion", service.OnlyState);
    }

    [Fact]
    public async Task Ed25519_is_refused_since_KMS_takes_no_long_message_for_it()
    {
        using var store = service.Store();
        Assert.Contains("KMS makes no Ed25519 keys", (await store.CreateAsync("a", SigningAlgorithms.Ed25519, None)).Reason, StringComparison.Ordinal);
    }
}

using System.Formats.Asn1;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.KeyStores.Pkcs11;
using PersistCa.Issuance.Signing;
using PersistCa.Testing;

namespace PersistCa.Issuance.Tests.KeyStores;

/// <summary>What is particular about tokens.</summary>
public sealed class Pkcs11KeyStoreTests
{
    private static CancellationToken None => CancellationToken.None;

    [SkippableFact]
    public async Task A_token_that_was_pulled_signs_again_when_it_is_back()
    {
        using var hsm = SoftHsm.Create();
        using var store = hsm.Store();
        using var key = (await store.CreateAsync("a", SigningAlgorithms.EcdsaP256, None)).Value!;
        await key.SignAsync(new byte[] { 1 }, None);

        hsm.Pull();
        await Assert.ThrowsAsync<KeyStoreAwayException>(() => key.SignAsync(new byte[] { 1 }, None).AsTask());
        Assert.NotNull(await store.ProbeAsync(None));

        hsm.PutBack();
        await BackAsync(store);
        var signature = await key.SignAsync(new byte[] { 1 }, None);
        Assert.True(SigningAlgorithms.Verify(key.SubjectPublicKeyInfo, key.Algorithm, [1], signature));
    }

    [SkippableFact]
    public async Task A_wrong_PIN_is_tried_once()
    {
        using var hsm = SoftHsm.Create();
        using var store = hsm.Store(pin: "wrong-pin");
        for (var i = 0; i < 10; i++)
        {
            Assert.Contains("refused the PIN", (await store.OpenAsync(KeyReference.Parse(hsm.Reference("a")).Value!, None)).Reason, StringComparison.Ordinal);
        }

        using var right = hsm.Store();
        Assert.Null(await right.ProbeAsync(None));
    }

    [SkippableFact]
    public async Task A_login_that_hangs_holds_up_nobody_beyond_the_time_limit()
    {
        using var hsm = SoftHsm.Create();
        using var hanging = new ManualResetEventSlim();
        using var store = new Pkcs11KeyStore(
            hsm.Options with { Timeout = TimeSpan.FromMilliseconds(300) },
            KeyReference.Parse(hsm.Reference("a")).Value!,
            () =>
            {
                hanging.Wait();
                return PersistCa.Protocol.Parsed<string>.Ok(SoftHsm.Pin);
            },
            TimeProvider.System);
        try
        {
            Assert.Contains("did not answer", await store.ProbeAsync(None), StringComparison.Ordinal);
            var second = Task.Run(() => store.ProbeAsync(None).AsTask());
            Assert.Contains("did not answer", await second.WaitAsync(TimeSpan.FromMinutes(1)), StringComparison.Ordinal);
        }
        finally
        {
            hanging.Set();
        }
    }

    [SkippableFact]
    public async Task Ed25519_signs_where_the_module_has_its_mechanism_and_is_refused_by_its_name_where_not()
    {
        using var hsm = SoftHsm.Create();
        using var store = hsm.Store();
        var made = await store.CreateAsync("a", SigningAlgorithms.Ed25519, None);
        if (!made.IsValid)
        {
            Assert.Contains("lacks the mechanism CKM_E", made.Reason, StringComparison.Ordinal);
            return;
        }

        using var key = made.Value;
        var signature = await key.SignAsync(new byte[] { 1 }, None);
        Assert.True(SigningAlgorithms.Verify(key.SubjectPublicKeyInfo, SigningAlgorithms.Ed25519, [1], signature));
    }

    [SkippableFact]
    public async Task An_algorithm_that_tokens_do_not_have_is_refused()
    {
        using var hsm = SoftHsm.Create();
        using var store = hsm.Store();
        Assert.Contains("PKCS #11 has no ML-DSA-65", (await store.CreateAsync("a", SigningAlgorithms.MlDsa65, None)).Reason, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_token_of_another_label_is_not_taken()
    {
        using var hsm = SoftHsm.Create();
        using var store = new Pkcs11KeyStore(hsm.Options with { Attempts = 1 }, KeyReference.Parse("pkcs11:token=other;object=a").Value!, () => PersistCa.Protocol.Parsed<string>.Ok(SoftHsm.Pin), TimeProvider.System);
        Assert.Equal("the token is not there", await store.ProbeAsync(None));
    }

    [SkippableFact]
    public async Task One_session_serves_all_signatures_where_only_one_is_allowed()
    {
        using var hsm = SoftHsm.Create();
        using var store = hsm.Store(hsm.Options with { Sessions = 1 });
        using var key = (await store.CreateAsync("a", SigningAlgorithms.EcdsaP256, None)).Value!;
        await Parallel.ForEachAsync(Enumerable.Range(0, 50), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, cancel) => await key.SignAsync(new byte[] { 1 }, cancel));
    }

    [Fact]
    public async Task A_module_that_is_not_there_is_named()
    {
        using var store = new Pkcs11KeyStore(new Pkcs11Options { Module = "/nowhere/module.so" }, KeyReference.Parse("pkcs11:object=a").Value!, () => PersistCa.Protocol.Parsed<string>.Ok("1234"), TimeProvider.System);
        Assert.Contains("/nowhere/module.so", await store.ProbeAsync(None), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0000000100000002", "3006020101020102")]
    [InlineData("80000000000000ff", "300b02050080000000020200ff")]
    public void A_signature_of_two_numbers_becomes_DER(string raw, string der)
    {
        var encoded = Pkcs11Objects.EcdsaSignature(Convert.FromHexString(raw));
        Assert.Equal(der, Convert.ToHexStringLower(encoded));
        new AsnReader(encoded, AsnEncodingRules.DER).ReadSequence();
    }

    /// <summary>Probes until the store is well: it looks for the token again after pauses of its own.</summary>
    private static async Task BackAsync(Pkcs11KeyStore store)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (await store.ProbeAsync(patience.Token) is not null)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
        }
    }
}

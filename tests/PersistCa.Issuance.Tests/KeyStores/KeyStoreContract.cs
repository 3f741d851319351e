using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Signing;
using PersistCa.Testing;

namespace PersistCa.Issuance.Tests.KeyStores;

/// <summary>What every key store does.</summary>
public abstract class KeyStoreContract : IAsyncLifetime
{
    private static CancellationToken None => CancellationToken.None;

    /// <summary>The store under test.</summary>
    protected abstract IKeyStore Store { get; }

    /// <summary>A second store over the same keys, as another process has it.</summary>
    protected abstract IKeyStore Again();

    /// <summary>The reference to a key of a name.</summary>
    protected abstract string Reference(string name);

    /// <summary>The algorithms it has.</summary>
    protected abstract IEnumerable<SigningAlgorithm> Algorithms { get; }

    public abstract Task InitializeAsync();

    public abstract Task DisposeAsync();

    [SkippableFact]
    public async Task A_key_made_in_the_store_opens_again_and_signs_for_the_same_public_key()
    {
        foreach (var algorithm in Algorithms)
        {
            var name = "k-" + algorithm.Name;
            using var made = Ok(await Store.CreateAsync(name, algorithm, None));
            using var other = Again();
            using var opened = Ok(await other.OpenAsync(Parse(name), None));
            Assert.Equal(algorithm, opened.Algorithm);
            Assert.Equal(made.SubjectPublicKeyInfo, opened.SubjectPublicKeyInfo);
            foreach (var key in new[] { made, opened })
            {
                var message = new byte[9000]; // longer than any store takes at once
                message[0] = 7;
                if (!MlDsa.Is(algorithm.Key))
                {
                    var whole = await key.SignAsync(message, None);
                    Assert.True(SigningAlgorithms.Verify(key.SubjectPublicKeyInfo, algorithm, message, whole));
                }

                var signature = await key.SignAsync(message.AsMemory(0, 100), None);
                Assert.True(SigningAlgorithms.Verify(key.SubjectPublicKeyInfo, algorithm, message.AsSpan(0, 100), signature));
                Assert.False(SigningAlgorithms.Verify(key.SubjectPublicKeyInfo, algorithm, message.AsSpan(0, 99), signature));
            }
        }
    }

    [SkippableFact]
    public async Task A_key_in_the_store_is_never_overwritten()
    {
        using var made = Ok(await Store.CreateAsync("a", SigningAlgorithms.EcdsaP256, None));
        Assert.Contains("never overwritten", (await Store.CreateAsync("a", SigningAlgorithms.EcdsaP256, None)).Reason, StringComparison.Ordinal);
        using var opened = Ok(await Store.OpenAsync(Parse("a"), None));
        Assert.Equal(made.SubjectPublicKeyInfo, opened.SubjectPublicKeyInfo);
    }

    [SkippableFact]
    public async Task The_keys_of_the_store_are_listed_by_name()
    {
        Assert.Empty((await Store.ListAsync(None)).Value!);
        foreach (var name in new[] { "b", "c", "a" })
        {
            Ok(await Store.CreateAsync(name, SigningAlgorithms.EcdsaP256, None)).Dispose();
        }

        Assert.Equal(["a", "b", "c"], (await Store.ListAsync(None)).Value!);
    }

    [SkippableFact]
    public async Task A_destroyed_key_is_gone_and_others_stay()
    {
        Ok(await Store.CreateAsync("a", SigningAlgorithms.EcdsaP256, None)).Dispose();
        Ok(await Store.CreateAsync("b", SigningAlgorithms.EcdsaP256, None)).Dispose();
        Assert.Null(await Store.DestroyAsync("a", None));
        Assert.Equal(["b"], (await Store.ListAsync(None)).Value!);
        Assert.False((await Store.OpenAsync(Parse("a"), None)).IsValid);
        Assert.NotNull(await Store.DestroyAsync("a", None));
        Ok(await Store.OpenAsync(Parse("b"), None)).Dispose();
    }

    [SkippableFact]
    public async Task A_key_that_is_not_there_is_refused_with_a_reason() =>
        Assert.NotEmpty((await Store.OpenAsync(Parse("nobody"), None)).Reason!);

    [SkippableFact]
    public async Task A_name_that_is_unsafe_in_paths_and_aliases_is_refused()
    {
        foreach (var name in new[] { "", "../a", "a b", "a.b", "a/b", new string('a', 101) })
        {
            Assert.Contains("letters, digits, hyphens and underscores", (await Store.CreateAsync(name, SigningAlgorithms.EcdsaP256, None)).Reason, StringComparison.Ordinal);
        }
    }

    [SkippableFact]
    public async Task A_store_that_is_well_passes_its_probe_with_and_without_an_open_key()
    {
        Assert.Null(await Store.ProbeAsync(None));
        using var made = Ok(await Store.CreateAsync("a", SigningAlgorithms.EcdsaP256, None));
        Assert.Null(await Store.ProbeAsync(None));
    }

    [SkippableFact]
    public async Task A_key_of_the_store_serves_many_threads_at_once()
    {
        using var key = Ok(await Store.CreateAsync("a", SigningAlgorithms.EcdsaP256, None));
        await Parallel.ForEachAsync(Enumerable.Range(0, 100), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, cancel) =>
        {
            byte[] message = [(byte)i];
            var signature = await key.SignAsync(message, cancel);
            Assert.True(SigningAlgorithms.Verify(key.SubjectPublicKeyInfo, key.Algorithm, message, signature));
        });
    }

    [SkippableFact]
    public async Task A_closed_key_of_the_store_does_not_sign()
    {
        var key = Ok(await Store.CreateAsync("a", SigningAlgorithms.EcdsaP256, None));
        key.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => key.SignAsync(new byte[] { 1 }, None).AsTask());
    }

    protected KeyReference Parse(string name) => KeyReference.Parse(Reference(name)).Value!;

    protected static ISigningKey Ok(PersistCa.Protocol.Parsed<ISigningKey> made)
    {
        Assert.True(made.IsValid, made.Reason);
        return made.Value!;
    }
}

/// <summary>The contract on files.</summary>
public sealed class FileContractTests : KeyStoreContract
{
    private readonly string folder = Directory.CreateTempSubdirectory("persistca-keys-").FullName;
    private IKeyStore? store;

    protected override IKeyStore Store => store!;

    protected override IEnumerable<SigningAlgorithm> Algorithms => SigningAlgorithms.All.Where(a => a.Key != KeyKind.Rsa || a.KeyBits == 2048);

    public override Task InitializeAsync()
    {
        store = Again();
        return Task.CompletedTask;
    }

    public override Task DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        return Task.CompletedTask;
    }

    protected override IKeyStore Again() => new UnlockedFolder(new FileKeyStore(folder, new FileKeyStoreOptions { Pbkdf2Iterations = 1000 }), "correct horse");

    protected override string Reference(string name) => "file:" + name;
}

/// <summary>The contract on a token of SoftHSM.</summary>
public sealed class Pkcs11ContractTests : KeyStoreContract
{
    private SoftHsm? hsm;
    private IKeyStore? store;

    protected override IKeyStore Store => store ??= Again();

    protected override IEnumerable<SigningAlgorithm> Algorithms => [SigningAlgorithms.EcdsaP256, SigningAlgorithms.EcdsaP384, SigningAlgorithms.Rsa2048];

    private SoftHsm Hsm => hsm ??= SoftHsm.Create();

    // Made by the test itself: a skip here would be a failure.
    public override Task InitializeAsync() => Task.CompletedTask;

    public override Task DisposeAsync()
    {
        store?.Dispose();
        hsm?.Dispose();
        return Task.CompletedTask;
    }

    protected override IKeyStore Again() => Hsm.Store();

    protected override string Reference(string name) => Hsm.Reference(name);
}

/// <summary>The contract on the double of KMS.</summary>
public sealed class KmsContractTests : KeyStoreContract
{
    private KmsDouble? service;
    private IKeyStore? store;

    protected override IKeyStore Store => store!;

    protected override IEnumerable<SigningAlgorithm> Algorithms =>
        [SigningAlgorithms.EcdsaP256, SigningAlgorithms.EcdsaP384, SigningAlgorithms.Rsa2048, SigningAlgorithms.MlDsa44, SigningAlgorithms.MlDsa65, SigningAlgorithms.MlDsa87];

    public override async Task InitializeAsync()
    {
        service = await KmsDouble.StartAsync();
        store = Again();
    }

    public override async Task DisposeAsync()
    {
        store!.Dispose();
        await service!.DisposeAsync();
    }

    protected override IKeyStore Again() => service!.Store();

    protected override string Reference(string name) => "aws-kms:alias/" + name;
}

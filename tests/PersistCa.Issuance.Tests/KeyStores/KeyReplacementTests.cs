using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.Tests.KeyStores;

/// <summary>Another passphrase for a key file.</summary>
public sealed class KeyReplacementTests : IDisposable
{
    private const string Before = "correct horse";
    private const string Next = "battery staple";
    private readonly string folder = Directory.CreateTempSubdirectory("persistca-keys-").FullName;
    private readonly FileKeyStore store;
    private readonly byte[] publicKey;

    public KeyReplacementTests()
    {
        store = new FileKeyStore(folder, new FileKeyStoreOptions { Pbkdf2Iterations = 1000 });
        using var made = store.Create("root", SigningAlgorithms.MlDsa44, Before).Value!;
        publicKey = made.SubjectPublicKeyInfo;
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private void Opens(string name, string passphrase)
    {
        var opened = store.Open(name, passphrase);
        Assert.Null(opened.Reason);
        Assert.Equal(publicKey, opened.Value!.SubjectPublicKeyInfo);
        opened.Value.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_replaced_key_opens_by_the_new_passphrase_alone_and_is_the_same(bool byPath)
    {
        var name = byPath ? store.PathOf("root") : "root";
        Assert.Null(store.PrepareReplacement(name, Before, Next));
        Opens(name, Before);
        Assert.True(store.HasReplacement(name));
        Assert.Null(store.FinishReplacement(name, Next));
        Opens(name, Next);
        Assert.False(store.Open(name, Before).IsValid);
        Assert.False(store.HasReplacement(name));
        Assert.Equal(["root"], store.List().Value!);
    }

    [Fact]
    public void The_file_before_is_overwritten_for_whoever_still_has_it_open()
    {
        var path = store.PathOf("root");
        var before = File.ReadAllBytes(path);
        using var held = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        Assert.Null(store.PrepareReplacement("root", Before, Next));
        Assert.Null(store.FinishReplacement("root", Next));
        var after = new byte[before.Length];
        held.ReadExactly(after);
        Assert.NotEqual(before, after);
    }

    [Fact]
    public void What_was_prepared_can_be_dropped_and_prepared_anew()
    {
        Assert.Null(store.DropReplacement("root"));
        Assert.Null(store.PrepareReplacement("root", Before, Next));
        Assert.Null(store.PrepareReplacement("root", Before, Next + "2"));
        Assert.Contains("does not open", store.FinishReplacement("root", Next), StringComparison.Ordinal);
        Assert.Null(store.DropReplacement("root"));
        Assert.Contains("does not exist", store.FinishReplacement("root", Next), StringComparison.Ordinal);
        Opens("root", Before);
    }

    [Fact]
    public void A_wrong_passphrase_or_one_that_is_too_short_prepares_nothing()
    {
        Assert.Contains("does not open", store.PrepareReplacement("root", Next, Next), StringComparison.Ordinal);
        Assert.Contains("at least", store.PrepareReplacement("root", Before, "short"), StringComparison.Ordinal);
        Assert.False(store.HasReplacement("root"));
    }
}

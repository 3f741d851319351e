using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Issuance.KeyStores;

/// <summary>A folder of keys and the passphrase that opens them, as a key store.</summary>
/// <param name="files">The folder.</param>
/// <param name="passphrase">Encrypts and decrypts its files; kept for the life of this object.</param>
public sealed class UnlockedFolder(FileKeyStore files, string passphrase) : IKeyStore
{
    /// <inheritdoc/>
    public string Scheme => KeyReference.File;

    /// <inheritdoc/>
    public ValueTask<Parsed<ISigningKey>> CreateAsync(string name, SigningAlgorithm algorithm, CancellationToken cancel) =>
        ValueTask.FromResult(Widen(files.Create(name, algorithm, passphrase)));

    /// <inheritdoc/>
    public ValueTask<Parsed<ISigningKey>> OpenAsync(KeyReference reference, CancellationToken cancel) =>
        ValueTask.FromResult(Widen(files.Open(reference.Target, passphrase)));

    /// <inheritdoc/>
    public ValueTask<Parsed<IReadOnlyList<string>>> ListAsync(CancellationToken cancel) => ValueTask.FromResult(files.List());

    /// <inheritdoc/>
    public ValueTask<string?> DestroyAsync(string name, CancellationToken cancel) => ValueTask.FromResult(files.Destroy(name));

    /// <summary>Nothing can happen to it: open keys are in memory, and sign whatever becomes of their files.</summary>
    public ValueTask<string?> ProbeAsync(CancellationToken cancel) => ValueTask.FromResult<string?>(null);

    /// <inheritdoc/>
    public void Dispose()
    {
        // It holds nothing open.
    }

    private static Parsed<ISigningKey> Widen(Parsed<FileSigningKey> made) =>
        made.IsValid ? Parsed<ISigningKey>.Ok(made.Value) : Parsed<ISigningKey>.Refused(made.Reason);
}

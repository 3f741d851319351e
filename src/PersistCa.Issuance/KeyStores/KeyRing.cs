using PersistCa.Issuance.KeyStores.Kms;
using PersistCa.Issuance.KeyStores.Pkcs11;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Issuance.KeyStores;

/// <summary>What a <see cref="KeyRing"/> opens its stores with.</summary>
public sealed record KeyRingOptions
{
    /// <summary>Folder of keys that are named without a path.</summary>
    public required string Folder { get; init; }

    /// <summary>Passphrase of key files.</summary>
    public required string Passphrase { get; init; }

    /// <summary>Limits and strengths of key files.</summary>
    public FileKeyStoreOptions File { get; init; } = new();

    /// <summary>The PKCS #11 module; null for none.</summary>
    public Pkcs11Options? Pkcs11 { get; init; }

    /// <summary>Finds the PIN of tokens.</summary>
    public Func<Parsed<string>> Pin { get; init; } = () => Parsed<string>.Refused("there is no PIN");

    /// <summary>AWS KMS.</summary>
    public KmsOptions Kms { get; init; } = new();

    /// <inheritdoc/>
    public override string ToString() => $"key ring of {Folder}"; // and never its passphrase
}

/// <summary>Opens any reference. A store is made when the first reference to it comes, and lives as long as the ring; so does each key that was opened.</summary>
/// <param name="options">What the stores are opened with.</param>
/// <param name="clock">The time.</param>
public sealed class KeyRing(KeyRingOptions options, TimeProvider clock) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, IKeyStore> stores = [];
    private readonly List<ISigningKey> keys = [];

    /// <summary>Opens a key, which the ring disposes.</summary>
    /// <returns>The key; a reason that names the reference.</returns>
    public async ValueTask<Parsed<ISigningKey>> OpenAsync(KeyReference reference, CancellationToken cancel)
    {
        var store = Store(reference);
        return store.IsValid ? Keep(await store.Value.OpenAsync(reference, cancel)) : Parsed<ISigningKey>.Refused(store.Reason);
    }

    /// <summary>Makes the key that a reference names, which the ring disposes.</summary>
    /// <returns>The key; a reason.</returns>
    public async ValueTask<Parsed<ISigningKey>> CreateAsync(KeyReference reference, SigningAlgorithm algorithm, CancellationToken cancel)
    {
        var store = Store(reference);
        if (!store.IsValid)
        {
            return Parsed<ISigningKey>.Refused(store.Reason);
        }

        return NameOf(reference) is { } name
            ? Keep(await store.Value.CreateAsync(name, algorithm, cancel))
            : Parsed<ISigningKey>.Refused($"'{reference}' gives no name to make a key by; write file:NAME, pkcs11:token=TOKEN;object=NAME or aws-kms:alias/NAME");
    }

    /// <summary>Destroys the key that a reference names, in whatever store it is.</summary>
    /// <returns>Null when it is destroyed, or its destruction is ordered where the store takes its time (AWS KMS); else a reason.</returns>
    public async ValueTask<string?> DestroyAsync(KeyReference reference, CancellationToken cancel)
    {
        var store = Store(reference);
        if (!store.IsValid)
        {
            return store.Reason;
        }

        return (reference.Scheme == KeyReference.File ? reference.Target : NameOf(reference)) is { } name
            ? await store.Value.DestroyAsync(name, cancel)
            : $"'{reference}' gives no name to destroy a key by; write file:NAME, pkcs11:token=TOKEN;object=NAME or aws-kms:alias/NAME";
    }

    /// <summary>Asks every store that is open.</summary>
    /// <returns>Null when all are well; else what the first one in trouble says.</returns>
    public async ValueTask<string?> ProbeAsync(CancellationToken cancel)
    {
        List<IKeyStore> all;
        lock (gate)
        {
            all = [.. stores.Values];
        }

        foreach (var store in all)
        {
            if (await store.ProbeAsync(cancel) is { } reason)
            {
                return $"{store.Scheme}: {reason}";
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            keys.ForEach(k => k.Dispose());
            keys.Clear();
            foreach (var store in stores.Values)
            {
                store.Dispose();
            }

            stores.Clear();
        }
    }

    private static string? NameOf(KeyReference reference) => reference.Scheme switch
    {
        KeyReference.Pkcs11 => reference.Selectors.ContainsKey("id") ? null : reference.Selector("object"), // a new key's id is made, not given
        KeyReference.Kms => reference.Target.StartsWith("alias/", StringComparison.Ordinal) ? reference.Target["alias/".Length..] : null,
        _ => KeyName.Judge(reference.Target) is null ? reference.Target : null,
    };

    private Parsed<ISigningKey> Keep(Parsed<ISigningKey> opened)
    {
        if (opened.IsValid)
        {
            lock (gate)
            {
                keys.Add(opened.Value);
            }
        }

        return opened;
    }

    private Parsed<IKeyStore> Store(KeyReference reference)
    {
        // A token is a store; files and KMS are one each.
        string[] selecting = ["token", "serial", "manufacturer", "model"];
        var key = reference.Scheme + string.Concat(selecting.Select(s => $";{s}={reference.Selector(s)}"));
        lock (gate)
        {
            if (stores.TryGetValue(key, out var known))
            {
                return Parsed<IKeyStore>.Ok(known);
            }

            var made = Make(reference);
            if (made.IsValid)
            {
                stores[key] = made.Value;
            }

            return made;
        }
    }

    private Parsed<IKeyStore> Make(KeyReference reference)
    {
        switch (reference.Scheme)
        {
            case KeyReference.File:
                return Parsed<IKeyStore>.Ok(new UnlockedFolder(new FileKeyStore(options.Folder, options.File), options.Passphrase));
            case KeyReference.Pkcs11:
                return options.Pkcs11 is { } module
                    ? Parsed<IKeyStore>.Ok(new Pkcs11KeyStore(module, reference, options.Pin, clock))
                    : Parsed<IKeyStore>.Refused("no PKCS #11 module is configured; name one by KeyStores:Pkcs11:Module");
            default:
                var kms = KmsKeyStore.Create(options.Kms);
                return kms.IsValid ? Parsed<IKeyStore>.Ok(kms.Value) : Parsed<IKeyStore>.Refused(kms.Reason);
        }
    }
}

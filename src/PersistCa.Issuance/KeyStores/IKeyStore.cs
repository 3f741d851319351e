using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Issuance.KeyStores;

/// <summary>
/// Where private keys live. Refusals are reasons for an operator; a store that does not answer is one too where a key is made, opened or listed, and
/// <see cref="KeyStoreAwayException"/> where an open key is to sign. Safe to use from several threads at once.
/// </summary>
public interface IKeyStore : IDisposable
{
    /// <summary>The scheme of references to its keys, such as pkcs11.</summary>
    public string Scheme { get; }

    /// <summary>Makes a key in the store and opens it. An existing key is never overwritten.</summary>
    /// <param name="name">1 to 100 letters, digits, hyphens and underscores.</param>
    /// <param name="algorithm">What it will sign with.</param>
    /// <param name="cancel">Stops waiting.</param>
    /// <returns>The open key; a reason when the name is unfit or taken, the store has no such algorithm, or does not answer.</returns>
    public ValueTask<Parsed<ISigningKey>> CreateAsync(string name, SigningAlgorithm algorithm, CancellationToken cancel);

    /// <summary>Opens a key.</summary>
    /// <param name="reference">A reference with this store's scheme.</param>
    /// <param name="cancel">Stops waiting.</param>
    /// <returns>The open key, which its receiver disposes; a reason when there is none, or it does not sign here.</returns>
    public ValueTask<Parsed<ISigningKey>> OpenAsync(KeyReference reference, CancellationToken cancel);

    /// <summary>The names of the keys in the store, sorted; those that have none are left out.</summary>
    public ValueTask<Parsed<IReadOnlyList<string>>> ListAsync(CancellationToken cancel);

    /// <summary>Destroys a key.</summary>
    /// <returns>Null when it is destroyed, or will be when the store's waiting time is over; else a reason.</returns>
    public ValueTask<string?> DestroyAsync(string name, CancellationToken cancel);

    /// <summary>Whether the store answers and the keys that were opened from it are there.</summary>
    /// <returns>Null when all is well; else a reason, without anything secret.</returns>
    public ValueTask<string?> ProbeAsync(CancellationToken cancel);
}

/// <summary>
/// The key store does not answer: a token pulled, a service that throttles or is down. Nobody's fault outside, and no verdict: what was to be signed is to be
/// tried again.
/// </summary>
/// <param name="reason">What happened, without anything secret.</param>
/// <param name="inner">The cause.</param>
public sealed class KeyStoreAwayException(string reason, Exception? inner = null) : Exception(reason, inner);

using System.Collections.Concurrent;
using Net.Pkcs11Interop.Common;
using Net.Pkcs11Interop.HighLevelAPI;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Issuance.KeyStores.Pkcs11;

/// <summary>
/// Keys in one token of a PKCS #11 module. They are made inside, sensitive and not extractable, and never leave it. RSA and ECDSA, and Ed25519 where the
/// module has CKM_EDDSA.
/// </summary>
public sealed class Pkcs11KeyStore : IKeyStore
{
    private readonly Pkcs11Token token;
    private readonly ConcurrentDictionary<Pkcs11SigningKey, bool> open = [];

    /// <summary>A store that reaches for its token at the first call.</summary>
    /// <param name="options">The module.</param>
    /// <param name="token">A reference whose token, serial, manufacturer and model select the token; its object and id do not matter.</param>
    /// <param name="pin">Finds the user's PIN, anew at each login; a reason when there is none.</param>
    /// <param name="clock">The time.</param>
    public Pkcs11KeyStore(Pkcs11Options options, KeyReference token, Func<Parsed<string>> pin, TimeProvider clock) =>
        this.token = new Pkcs11Token(options, token, pin, clock);

    /// <inheritdoc/>
    public string Scheme => KeyReference.Pkcs11;

    /// <inheritdoc/>
    public async ValueTask<Parsed<ISigningKey>> CreateAsync(string name, SigningAlgorithm algorithm, CancellationToken cancel)
    {
        if (KeyName.Judge(name) is { } unfit)
        {
            return Refuse(unfit);
        }

        if (Pkcs11Objects.Mechanisms(algorithm) is not { } mechanisms)
        {
            return Refuse($"PKCS #11 has no {algorithm.Name}; keep such a key in a file or in KMS");
        }

        return await AnswerAsync(async () =>
        {
            var refusal = await token.RunAsync(
                (session, connection) =>
                {
                    var has = connection.Slot.GetMechanismList();
                    if (!has.Contains(mechanisms.Make) || !has.Contains(mechanisms.Sign))
                    {
                        return $"the token makes no {algorithm.Name} keys: its module lacks the mechanism {Name(has.Contains(mechanisms.Make) ? mechanisms.Sign : mechanisms.Make)}";
                    }

                    if (Pkcs11Objects.Find(session, CKO.CKO_PRIVATE_KEY, name, null).Count > 0)
                    {
                        return $"the token has a key named {name}; a key is never overwritten";
                    }

                    Pkcs11Objects.Make(session, algorithm, name);
                    return null;
                },
                writing: true,
                cancel);
            return refusal is not null ? Refuse(refusal) : await OpenAsync(name, null, cancel);
        });
    }

    /// <inheritdoc/>
    public ValueTask<Parsed<ISigningKey>> OpenAsync(KeyReference reference, CancellationToken cancel) =>
        AnswerAsync(() => OpenAsync(reference.Selector("object"), reference.Selectors.GetValueOrDefault("id"), cancel));

    /// <inheritdoc/>
    public async ValueTask<Parsed<IReadOnlyList<string>>> ListAsync(CancellationToken cancel)
    {
        try
        {
            var names = await token.RunAsync(
                (session, _) => Pkcs11Objects.Find(session, CKO.CKO_PRIVATE_KEY, null, null).Select(h => Pkcs11Objects.Label(session, h)).ToList(), writing: false, cancel);
            return Parsed<IReadOnlyList<string>>.Ok([.. names.Where(n => n.Length > 0).Order(StringComparer.Ordinal)]);
        }
        catch (KeyStoreAwayException e)
        {
            return Parsed<IReadOnlyList<string>>.Refused(e.Message);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<string?> DestroyAsync(string name, CancellationToken cancel)
    {
        try
        {
            return await token.RunAsync(
                (session, _) =>
                {
                    var found = Pkcs11Objects.Find(session, CKO.CKO_PRIVATE_KEY, name, null);
                    if (found.Count != 1)
                    {
                        return $"the token has {found.Count} keys named {name}; one is expected";
                    }

                    var id = Pkcs11Objects.Id(session, found[0]);
                    session.DestroyObject(found[0]);
                    foreach (var half in Pkcs11Objects.Find(session, CKO.CKO_PUBLIC_KEY, name, id))
                    {
                        session.DestroyObject(half);
                    }

                    return null;
                },
                writing: true,
                cancel);
        }
        catch (KeyStoreAwayException e)
        {
            return e.Message;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<string?> ProbeAsync(CancellationToken cancel)
    {
        try
        {
            foreach (var key in open.Keys)
            {
                await key.TouchAsync(cancel);
            }

            if (open.IsEmpty)
            {
                await token.RunAsync((session, _) => session.GetSessionInfo().State, writing: false, cancel);
            }

            return null;
        }
        catch (KeyStoreAwayException e)
        {
            return e.Message;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => token.Dispose();

    internal void Closed(Pkcs11SigningKey key) => open.TryRemove(key, out _);

    private async ValueTask<Parsed<ISigningKey>> OpenAsync(string? label, byte[]? id, CancellationToken cancel)
    {
        var read = await token.RunAsync((session, _) => Read(session, label, id), writing: false, cancel);
        if (!read.IsValid)
        {
            return Refuse(read.Reason);
        }

        var key = new Pkcs11SigningKey(this, token, read.Value.Algorithm, read.Value.PublicKey, read.Value.Label, read.Value.Id);
        open[key] = true;
        return Parsed<ISigningKey>.Ok(key);
    }

    private static Parsed<Description> Read(ISession session, string? label, byte[]? id)
    {
        var which = label is not null ? $"named {label}" : $"with the id {Convert.ToHexStringLower(id ?? [])}";
        var found = Pkcs11Objects.Find(session, CKO.CKO_PRIVATE_KEY, label, id);
        if (found.Count != 1)
        {
            return Parsed<Description>.Refused($"the token has {found.Count} keys {which}; one is expected");
        }

        var (itsLabel, itsId) = (Pkcs11Objects.Label(session, found[0]), Pkcs11Objects.Id(session, found[0]));
        var halves = itsId.Length > 0
            ? Pkcs11Objects.Find(session, CKO.CKO_PUBLIC_KEY, null, itsId)
            : Pkcs11Objects.Find(session, CKO.CKO_PUBLIC_KEY, itsLabel, null);
        if (halves.Count != 1)
        {
            return Parsed<Description>.Refused($"the token has {halves.Count} public keys beside the key {which}; one of the same id is expected");
        }

        return Pkcs11Objects.PublicKey(session, halves[0]) is { } publicKey && SigningAlgorithms.ForPublicKey(publicKey) is { } algorithm
            ? Parsed<Description>.Ok(new Description(algorithm, publicKey, itsLabel, itsId))
            : Parsed<Description>.Refused($"the key {which} is of no kind that signs here; expected is a key for one of {string.Join(", ", SigningAlgorithms.All)}");
    }

    private static async ValueTask<Parsed<ISigningKey>> AnswerAsync(Func<ValueTask<Parsed<ISigningKey>>> call)
    {
        try
        {
            return await call();
        }
        catch (KeyStoreAwayException e)
        {
            return Refuse(e.Message);
        }
    }

    private static string Name(CKM mechanism) => mechanism == Pkcs11Objects.Eddsa ? "CKM_EDDSA" : Enum.IsDefined(mechanism) ? mechanism.ToString() : "CKM_EC_EDWARDS_KEY_PAIR_GEN";

    private static Parsed<ISigningKey> Refuse(string reason) => Parsed<ISigningKey>.Refused(reason);

    private sealed record Description(SigningAlgorithm Algorithm, byte[] PublicKey, string Label, byte[] Id);
}

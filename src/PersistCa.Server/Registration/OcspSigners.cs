using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Ocsp;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Status;

namespace PersistCa.Server.Registration;

/// <summary>
/// The delegated signers of OCSP answers, one for each issuer and the same on every node: certificate and sealed key are in the store, so that the issuing key
/// is used once in a fortnight and not once for each node. One is made when an answer first needs it, and replaced at half of its life.
/// </summary>
public sealed class OcspSigners(CaStore store, AuthorityKeys keys, PersistCaOptions options, TimeProvider clock) : IDisposable
{
    private const int IvOctets = 12;
    private const int TagOctets = 16;

    /// <summary>Between two attempts to replace a signer while the issuing key is away.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, OcspSigner> present = new();
    private readonly ConcurrentDictionary<string, DateTimeOffset> postponed = new();
    private readonly Dictionary<string, IntendedKey> intended = [];
    private readonly SemaphoreSlim gate = new(1, 1);

    /// <summary>The signer of an issuer.</summary>
    /// <exception cref="KeyStoreAwayException">One has to be made, and the issuing key is away.</exception>
    /// <exception cref="InvalidOperationException">None could be made or opened.</exception>
    public async ValueTask<OcspSigner> GetAsync(Issuer issuer, CancellationToken cancel)
    {
        if (!options.Issuance.Ocsp.Delegated)
        {
            return present.GetOrAdd(issuer.IssuerId, static (_, i) => OcspSigner.Of(i), issuer);
        }

        var now = clock.GetUtcNow();
        if (present.TryGetValue(issuer.IssuerId, out var signer)
            && (now < signer.ReplaceAt || (now < signer.NotAfter && now < postponed.GetValueOrDefault(issuer.IssuerId))))
        {
            return signer;
        }

        await gate.WaitAsync(cancel);
        try
        {
            // The one before is not closed: somebody may be signing with it. It has no handle that its end would not free.
            return present[issuer.IssuerId] = await FindAsync(issuer, cancel);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        gate.Dispose();
        foreach (var signer in present.Values.Where(s => s.IsDelegated))
        {
            signer.Key.Dispose(); // an issuer's own is the key ring's
        }
    }

    private async Task<OcspSigner> FindAsync(Issuer issuer, CancellationToken cancel)
    {
        var row = await store.ReadAsync(db => db.OcspSignerAsync(issuer.IssuerId, cancel), cancel);
        var kept = row is null ? null : Open(issuer, row);
        var now = clock.GetUtcNow();
        if (kept is not null && now < kept.ReplaceAt)
        {
            return kept;
        }

        try
        {
            return await MakeAsync(issuer, row, cancel);
        }
        catch (KeyStoreAwayException) when (kept is not null && now < kept.NotAfter)
        {
            // It is replaced at half of its life so that there is time for this: answers go on with it, and the issuing key is asked again in a while.
            postponed[issuer.IssuerId] = now + Pause;
            return kept;
        }
    }

    private async Task<OcspSigner> MakeAsync(Issuer issuer, OcspSignerRow? row, CancellationToken cancel)
    {
        var (key, ready) = await IntendAsync(issuer, cancel);
        var generation = (row?.Generation ?? 0) + 1;
        OcspSigner made;
        try
        {
            made = await OcspSigner.CreateAsync(issuer, key, clock.GetUtcNow(), OcspSigner.MaxValidity, cancel);
        }
        catch
        {
            key.Dispose();
            throw;
        }

        intended.Remove(issuer.IssuerId);
        var (fingerprint, sealedKey) = (ready.Fingerprint, ready.SealedKey);
        var outcome = await store.WriteAsync<OcspSignerRow>(
            Actor.Server,
            async t =>
            {
                // Another node may have been first: then its signer is everybody's.
                if (await t.Db.OcspSignerAsync(issuer.IssuerId, cancel) is { } newest && newest.Generation >= generation)
                {
                    return newest;
                }

                var added = new OcspSignerRow
                {
                    IssuerId = issuer.IssuerId,
                    Generation = generation,
                    CertificateDer = made.CertificateDer,
                    KeyFingerprint = fingerprint,
                    SealedKey = sealedKey,
                    NotAfter = made.NotAfter,
                };
                t.Db.OcspSigners.Add(added);
                t.Audit(
                    AuditKinds.OcspSignerIssued,
                    "issuer:" + issuer.IssuerId,
                    ("serial", made.Serial),
                    ("key", fingerprint),
                    ("sha256", Convert.ToHexStringLower(SHA256.HashData(made.CertificateDer))));
                return added;
            },
            cancel);
        var agreed = outcome.Value;
        if (agreed.KeyFingerprint == fingerprint || Open(issuer, agreed) is not { } other)
        {
            return made;
        }

        key.Dispose();
        return other;
    }

    /// <summary>
    /// A key for the next signer, whose intent is durable before the issuing key is touched, as for any other certificate. While the issuing key is away the same one is
    /// tried again: an absence writes one intent, however many questions come.
    /// </summary>
    private async Task<(FileSigningKey Key, IntendedKey Intended)> IntendAsync(Issuer issuer, CancellationToken cancel)
    {
        if (intended.TryGetValue(issuer.IssuerId, out var before))
        {
            return (Unseal(issuer, before.Fingerprint, before.SealedKey), before);
        }

        var key = FileSigningKey.Generate(AlgorithmFor(issuer), out var pkcs8);
        try
        {
            var fingerprint = PublicKeyFingerprint.Of(key.SubjectPublicKeyInfo);
            var made = new IntendedKey(fingerprint, Seal(issuer.IssuerId, fingerprint, pkcs8));
            await WriteAsync(t => t.Audit(AuditKinds.OcspSignerIntended, "issuer:" + issuer.IssuerId, ("key", fingerprint)), cancel);
            intended[issuer.IssuerId] = made;
            return (key, made);
        }
        catch
        {
            key.Dispose();
            throw;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }

    private async Task WriteAsync(Action<StoreTransaction> write, CancellationToken cancel)
    {
        var outcome = await store.WriteAsync<string>(
            Actor.Server,
            t =>
            {
                write(t);
                return Task.FromResult<Outcome<string>>("recorded");
            },
            cancel);
        _ = outcome.Value;
    }

    private byte[] Seal(string issuerId, string fingerprint, byte[] pkcs8)
    {
        var sealedKey = new byte[IvOctets + pkcs8.Length + TagOctets];
        RandomNumberGenerator.Fill(sealedKey.AsSpan(0, IvOctets));
        using var aes = new AesGcm(keys.SignerKeys, TagOctets);
        aes.Encrypt(sealedKey.AsSpan(0, IvOctets), pkcs8, sealedKey.AsSpan(IvOctets, pkcs8.Length), sealedKey.AsSpan(IvOctets + pkcs8.Length), Bound(issuerId, fingerprint));
        return sealedKey;
    }

    /// <summary>Opens a signer of the store; null when it was sealed under another secret or does not fit, and another has to be made.</summary>
    private OcspSigner? Open(Issuer issuer, OcspSignerRow row)
    {
        FileSigningKey? key = null;
        try
        {
            key = Unseal(issuer, row.KeyFingerprint, row.SealedKey);
            if (OcspSigner.Load(issuer, row.CertificateDer, key) is { IsValid: true } loaded)
            {
                return loaded.Value;
            }
        }
        catch (CryptographicException)
        {
            // It was sealed under another secret, and another has to be made.
        }

        key?.Dispose();
        return null;
    }

    /// <exception cref="CryptographicException">It was sealed under another secret, or for another row.</exception>
    private FileSigningKey Unseal(Issuer issuer, string fingerprint, byte[] sealedKey)
    {
        var body = sealedKey.AsSpan(IvOctets..);
        var pkcs8 = new byte[Math.Max(0, body.Length - TagOctets)];
        try
        {
            using var aes = new AesGcm(keys.SignerKeys, TagOctets);
            aes.Decrypt(sealedKey.AsSpan(0, IvOctets), body[..pkcs8.Length], body[pkcs8.Length..], pkcs8, Bound(issuer.IssuerId, fingerprint));
            return FileSigningKey.Import(pkcs8, AlgorithmFor(issuer));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }

    /// <summary>P-256 signs fastest and every client reads it; under an issuer that withstands quantum computers the signer has to as well.</summary>
    private static SigningAlgorithm AlgorithmFor(Issuer issuer) =>
        issuer.Key.Algorithm.Key is KeyKind.MlDsa44 or KeyKind.MlDsa65 or KeyKind.MlDsa87 ? issuer.Key.Algorithm : SigningAlgorithms.EcdsaP256;

    /// <summary>A key whose intent is written and whose certificate is not made yet.</summary>
    private sealed record IntendedKey(string Fingerprint, byte[] SealedKey);

    /// <summary>A sealed key that is moved to another row does not open.</summary>
    private static byte[] Bound(string issuerId, string fingerprint) => Encoding.ASCII.GetBytes($"ocsp-signer {issuerId} {fingerprint}");
}

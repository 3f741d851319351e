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
public sealed class OcspSigners(CaStore store, AuthorityKeys keys, TimeProvider clock) : IDisposable
{
    private const int IvOctets = 12;
    private const int TagOctets = 16;

    /// <summary>Between two attempts to replace a signer while the issuing key is away.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, OcspSigner> present = new();
    private readonly ConcurrentDictionary<string, DateTimeOffset> postponed = new();
    private readonly SemaphoreSlim gate = new(1, 1);

    /// <summary>The signer of an issuer.</summary>
    /// <exception cref="InvalidOperationException">None could be made or opened.</exception>
    public async ValueTask<OcspSigner> GetAsync(Issuer issuer, CancellationToken cancel)
    {
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
        foreach (var signer in present.Values)
        {
            signer.Key.Dispose();
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
        var key = FileSigningKey.Generate(AlgorithmFor(issuer), out var pkcs8);
        var fingerprint = PublicKeyFingerprint.Of(key.SubjectPublicKeyInfo);
        var generation = (row?.Generation ?? 0) + 1;

        // The intent is durable before the issuing key is touched, as for any other certificate.
        await WriteAsync(t => t.Audit(AuditKinds.OcspSignerIntended, "issuer:" + issuer.IssuerId, ("key", fingerprint)), cancel);
        var made = await OcspSigner.CreateAsync(issuer, key, clock.GetUtcNow(), OcspSigner.MaxValidity, cancel);
        var sealedKey = Seal(issuer.IssuerId, fingerprint, pkcs8);
        CryptographicOperations.ZeroMemory(pkcs8);
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
        return agreed.KeyFingerprint == fingerprint ? made : Open(issuer, agreed) ?? made;
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
        var body = row.SealedKey.AsSpan(IvOctets..);
        var pkcs8 = new byte[body.Length - TagOctets];
        try
        {
            using var aes = new AesGcm(keys.SignerKeys, TagOctets);
            aes.Decrypt(row.SealedKey.AsSpan(0, IvOctets), body[..pkcs8.Length], body[pkcs8.Length..], pkcs8, Bound(row.IssuerId, row.KeyFingerprint));
            return OcspSigner.Load(issuer, row.CertificateDer, FileSigningKey.Import(pkcs8, AlgorithmFor(issuer))).Value;
        }
        catch (CryptographicException)
        {
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }

    /// <summary>P-256 signs fastest and every client reads it; under an issuer that withstands quantum computers the signer has to as well.</summary>
    private static SigningAlgorithm AlgorithmFor(Issuer issuer) =>
        issuer.Key.Algorithm.Key is KeyKind.MlDsa44 or KeyKind.MlDsa65 or KeyKind.MlDsa87 ? issuer.Key.Algorithm : SigningAlgorithms.EcdsaP256;

    /// <summary>A sealed key that is moved to another row does not open.</summary>
    private static byte[] Bound(string issuerId, string fingerprint) => Encoding.ASCII.GetBytes($"ocsp-signer {issuerId} {fingerprint}");
}

using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Certificates;

namespace PersistCa.Storage.Status;

/// <summary>Keys that are never certified again.</summary>
public static class BlockedKeys
{
    /// <summary>Whether a key is blocked.</summary>
    /// <param name="db">The model.</param>
    /// <param name="fingerprint">SHA-256 of its SubjectPublicKeyInfo, lower-case hex.</param>
    /// <param name="cancel">Stops.</param>
    public static Task<bool> IsBlockedAsync(this CaDb db, string fingerprint, CancellationToken cancel) => db.BlockedKeys.AnyAsync(b => b.Fingerprint == fingerprint, cancel);

    /// <summary>Blocks a key for ever.</summary>
    /// <param name="t">The change.</param>
    /// <param name="fingerprint">The key.</param>
    /// <param name="serial">The certificate by whose revocation.</param>
    /// <param name="proven">Whether the key itself signed the request; what was proven stays so.</param>
    /// <param name="cancel">Stops.</param>
    public static async Task BlockKeyAsync(this StoreTransaction t, string fingerprint, string serial, bool proven, CancellationToken cancel)
    {
        if (await t.Db.BlockedKeys.FirstOrDefaultAsync(b => b.Fingerprint == fingerprint, cancel) is { } known)
        {
            known.Proven |= proven;
            return;
        }

        t.Db.BlockedKeys.Add(new BlockedKey { Fingerprint = fingerprint, BlockedAt = t.Now, Proven = proven, Serial = serial });
    }

    /// <summary>Certificates that are good and whose key was proven to be compromised, some at a time.</summary>
    public static Task<List<IssuedCertificate>> CompromisedCertificatesAsync(this CaDb db, DateTimeOffset now, int most, CancellationToken cancel) => db.Certificates
        .Where(c => db.BlockedKeys.Any(b => b.Proven && b.Fingerprint == c.KeyFingerprint) && c.Status == CertificateStatus.Issued && c.NotAfter >= now)
        .OrderBy(c => c.Id)
        .Take(most)
        .ToListAsync(cancel);
}

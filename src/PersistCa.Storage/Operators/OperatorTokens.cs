using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;

namespace PersistCa.Storage.Operators;

/// <summary>What is asked of the store about tokens.</summary>
public static class OperatorTokens
{
    /// <summary>The hash under which a secret is found, lower-case hex.</summary>
    public static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    /// <summary>
    /// The token of a secret, whatever its state; null when there is none. What is compared is the hash, by an index and then in constant time: how long it
    /// takes tells of a hash that nobody can aim at, and of no secret.
    /// </summary>
    public static async Task<OperatorToken?> OperatorTokenAsync(this CaDb db, string secret, CancellationToken cancel)
    {
        var hash = HashOf(secret);
        var found = await db.OperatorTokens.FirstOrDefaultAsync(t => t.SecretHash == hash, cancel);
        return found is not null && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(found.SecretHash), Encoding.ASCII.GetBytes(hash)) ? found : null;
    }

    /// <summary>Whether a token still opens doors: asked inside the change that it opens one for.</summary>
    public static async Task<bool> StillLiveAsync(this StoreTransaction t, string tokenId, CancellationToken cancel) =>
        await t.Db.OperatorTokens.FirstOrDefaultAsync(o => o.PublicId == tokenId, cancel) is { } token && token.IsLive(t.Now);

    /// <summary>Names of those who made the tokens that a name had at a time; those made on the host have no maker.</summary>
    public static Task<List<string>> MakersOfAsync(this CaDb db, string name, DateTimeOffset at, CancellationToken cancel) => db.OperatorTokens
        .Where(t => t.Name == name && t.MadeBy != null && t.CreatedAt <= at && t.ExpiresAt > at && (t.RevokedAt == null || t.RevokedAt > at))
        .Select(t => t.MadeBy!)
        .Distinct()
        .ToListAsync(cancel);

    /// <summary>Whether there is a live token of a role.</summary>
    public static Task<bool> AnyLiveAsync(this CaDb db, OperatorRole role, DateTimeOffset now, CancellationToken cancel) =>
        db.OperatorTokens.AnyAsync(t => t.Role == role && t.RevokedAt == null && t.ExpiresAt > now, cancel);
}

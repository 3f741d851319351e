using Microsoft.EntityFrameworkCore;

namespace PersistCa.Storage.Status;

/// <summary>The newest list of a part, without its octets.</summary>
/// <param name="Shard">The part.</param>
/// <param name="Number">CRL number.</param>
/// <param name="ThisUpdate">Its time.</param>
/// <param name="NextUpdate">When the next is out at the latest.</param>
public sealed record NewestCrl(int Shard, long Number, DateTimeOffset ThisUpdate, DateTimeOffset NextUpdate);

/// <summary>An entry of a list to be.</summary>
/// <param name="Serial">Serial number, lower-case hex.</param>
/// <param name="RevokedAt">When it was revoked.</param>
/// <param name="Reason">Reason code, null for none.</param>
public sealed record CrlEntryRow(string Serial, DateTimeOffset RevokedAt, int? Reason);

/// <summary>What is asked of the store to make revocation lists.</summary>
public static class CrlLists
{
    /// <summary>Parts of an issuer's list that ever had a pointer or a list. None is ever given up.</summary>
    public static async Task<IReadOnlyList<int>> CrlShardsAsync(this CaDb db, string issuerId, CancellationToken cancel)
    {
        var pointed = await db.CrlPoints.Where(p => p.IssuerId == issuerId).Select(p => p.Shard).Distinct().ToListAsync(cancel);
        var listed = await db.Crls.Where(c => c.IssuerId == issuerId).Select(c => c.Shard).Distinct().ToListAsync(cancel);
        return [.. pointed.Union(listed).Order()];
    }

    /// <summary>The newest list of each part of an issuer's.</summary>
    public static async Task<IReadOnlyDictionary<int, NewestCrl>> NewestCrlsAsync(this CaDb db, string issuerId, CancellationToken cancel)
    {
        var all = await db.Crls.Where(c => c.IssuerId == issuerId)
            .Select(c => new NewestCrl(c.Shard, c.Number, c.ThisUpdate, c.NextUpdate))
            .ToListAsync(cancel);
        return all.GroupBy(c => c.Shard).ToDictionary(g => g.Key, g => g.MaxBy(c => c.Number)!);
    }

    /// <summary>When the status of a certificate of a part last changed, null if never.</summary>
    public static Task<DateTimeOffset?> LastStatusChangeAsync(this CaDb db, string issuerId, int shard, CancellationToken cancel) => db.Certificates
        .Where(c => c.IssuerId == issuerId && c.CrlShard == shard && c.StatusChangedAt != null)
        .OrderByDescending(c => c.StatusChangedAt)
        .Select(c => c.StatusChangedAt)
        .FirstOrDefaultAsync(cancel);

    /// <summary>
    /// The next CRL number: one more than the last, and never less than the seconds since 1970. A database that was put back from a copy does not know the
    /// last numbers; since no part has a list each second, what it goes on with is above all of them.
    /// </summary>
    /// <param name="last">The last number known, 0 for none.</param>
    /// <param name="now">The time.</param>
    public static long NextCrlNumber(long last, DateTimeOffset now) => Math.Max(last + 1, now.ToUnixTimeSeconds());

    /// <summary>The number that the next list of an issuer is above although the store may know no list with it.</summary>
    public static Task<long> CrlNumberFloorAsync(this CaDb db, string issuerId, CancellationToken cancel) =>
        db.Issuers.Where(i => i.Id == issuerId).Select(i => i.CrlNumberFloor).FirstOrDefaultAsync(cancel);

    /// <summary>
    /// The entries of the next list: what is revoked and, of what expired, what no list of the schedule has shown since (RFC 5280 section 3.3: an entry stays
    /// until a regular list that is later than the end of the certificate).
    /// </summary>
    /// <param name="db">The model.</param>
    /// <param name="issuerId">Whose list.</param>
    /// <param name="shard">Which part.</param>
    /// <param name="endedAfter">Entries of certificates that ended before this are left out; null for none to be left out.</param>
    /// <param name="cancel">Stops.</param>
    public static async Task<IReadOnlyList<CrlEntryRow>> CrlEntriesAsync(this CaDb db, string issuerId, int shard, DateTimeOffset? endedAfter, CancellationToken cancel)
    {
        var after = endedAfter ?? DateTimeOffset.UnixEpoch;
        var known = await db.Certificates
            .Where(c => c.IssuerId == issuerId && c.CrlShard == shard && c.StatusChangedAt != null && c.RevokedAt != null && c.NotAfter >= after)
            .Select(c => new CrlEntryRow(c.Serial, c.RevokedAt!.Value, c.RevocationReason))
            .ToListAsync(cancel);

        // When such a certificate ends is not known: its entry stays as long as there are lists.
        var lost = await db.LostRevocations.Where(l => l.IssuerId == issuerId && l.Shard == shard).Select(l => new CrlEntryRow(l.Serial, l.RevokedAt, l.Reason)).ToListAsync(cancel);
        return [.. known, .. lost];
    }

    /// <summary>The URLs that certificates of a part have as their pointer, the newest first.</summary>
    public static async Task<IReadOnlyList<string>> CrlUrlsAsync(this CaDb db, string issuerId, int shard, CancellationToken cancel) => await db.CrlPoints
        .Where(p => p.IssuerId == issuerId && p.Shard == shard).OrderByDescending(p => p.AddedAt).ThenBy(p => p.Url).Select(p => p.Url).ToListAsync(cancel);

    /// <summary>Deletes the lists of a part but for the newest.</summary>
    /// <param name="t">The change.</param>
    /// <param name="issuerId">Whose.</param>
    /// <param name="shard">The part.</param>
    /// <param name="keep">How many of those in the store stay.</param>
    /// <param name="cancel">Stops.</param>
    public static async Task ForgetOldCrlsAsync(this StoreTransaction t, string issuerId, int shard, int keep, CancellationToken cancel)
    {
        var lists = t.Db.Crls.Where(c => c.IssuerId == issuerId && c.Shard == shard);
        var oldest = await lists.OrderByDescending(c => c.Number).Select(c => (long?)c.Number).Skip(keep - 1).FirstOrDefaultAsync(cancel);
        if (oldest is { } number)
        {
            await lists.Where(c => c.Number < number).ExecuteDeleteAsync(cancel);
        }
    }

    /// <summary>Remembers that certificates point at a URL, in the transaction that intends the first of them.</summary>
    /// <returns>True when it is new.</returns>
    public static async Task<bool> RememberCrlPointAsync(this StoreTransaction t, string issuerId, int shard, string url, CancellationToken cancel)
    {
        if (await t.Db.CrlPoints.AnyAsync(p => p.IssuerId == issuerId && p.Shard == shard && p.Url == url, cancel))
        {
            return false;
        }

        t.Db.CrlPoints.Add(new CrlPoint { IssuerId = issuerId, Shard = shard, Url = url, AddedAt = t.Now });
        return true;
    }
}

using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Limits;

namespace PersistCa.Storage.Limits;

/// <summary>The state of one limit for one subject. All nodes share it.</summary>
public sealed class LimitBucket
{
    /// <summary>Which limit, and whose.</summary>
    public required string Key { get; init; }

    /// <summary>When it would be full again, in microseconds since 1970.</summary>
    public long FullAt { get; init; }
}

/// <summary>
/// Takes tokens from buckets in the store. A token taken inside a change that is refused comes back with the rollback: only what happened counts.
/// </summary>
public static class LimitBuckets
{
    /// <summary>Longest key.</summary>
    public const int MaxKeyLength = 400;

    /// <summary>Takes a token.</summary>
    /// <returns>Null when there was one; else how long to wait for the next.</returns>
    public static async Task<TimeSpan?> TakeAsync(this StoreTransaction t, string key, RateLimit limit, CancellationToken cancel)
    {
        if (limit.IsOff)
        {
            return null;
        }

        var now = Microseconds(t.Now);
        var interval = limit.IntervalMicroseconds;

        // One statement, so that two nodes cannot take the same token.
        var sql = FormattableStringFactory.Create(
            "INSERT INTO limit_buckets (key, full_at) VALUES ({0}, {1}) ON CONFLICT (key) DO UPDATE SET full_at = "
            + "CASE WHEN limit_buckets.full_at > {2} THEN limit_buckets.full_at ELSE {2} END + {3} "
            + "WHERE limit_buckets.full_at <= {4} RETURNING *",
            key,
            now + interval,
            now,
            interval,
            now + limit.ToleranceMicroseconds);
        var taken = await t.Db.LimitBuckets.FromSql(sql).AsNoTracking().ToListAsync(cancel);
        return taken.Count > 0 ? null : await t.Db.WaitAsync(key, limit, t.Now, cancel) ?? TimeSpan.FromSeconds(1);
    }

    /// <summary>Gives a token back: what it was taken for did not come about.</summary>
    public static Task GiveBackAsync(this StoreTransaction t, string key, RateLimit limit, CancellationToken cancel)
    {
        var interval = limit.IntervalMicroseconds;
        return limit.IsOff
            ? Task.CompletedTask
            : t.Db.LimitBuckets.Where(b => b.Key == key).ExecuteUpdateAsync(s => s.SetProperty(b => b.FullAt, b => b.FullAt - interval), cancel);
    }

    /// <summary>How long to wait for a token.</summary>
    /// <returns>Null when there is one now.</returns>
    public static async Task<TimeSpan?> WaitAsync(this CaDb db, string key, RateLimit limit, DateTimeOffset now, CancellationToken cancel)
    {
        var full = await db.LimitBuckets.AsNoTracking().Where(b => b.Key == key).Select(b => (long?)b.FullAt).FirstOrDefaultAsync(cancel) ?? 0;
        var (taken, wait) = limit.Take(full, Microseconds(now));
        return taken is null ? wait : null;
    }

    /// <summary>A time as buckets keep it.</summary>
    public static long Microseconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds() * 1000;
}

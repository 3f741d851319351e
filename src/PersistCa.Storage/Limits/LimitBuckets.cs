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

        var reads = t.Read();
        var taken = reads.Token(key, limit, t.Now);
        await reads.RunAsync(cancel);
        return taken.Value ? null : await t.WaitAsync(key, limit, cancel);
    }

    /// <summary>How long to wait for a token that was not there.</summary>
    public static async Task<TimeSpan> WaitAsync(this StoreTransaction t, string key, RateLimit limit, CancellationToken cancel) =>
        await t.Db.WaitAsync(key, limit, t.Now, cancel) ?? TimeSpan.FromSeconds(1);

    /// <summary>Gives a token back, with the change: what it was taken for did not come about.</summary>
    public static void GiveBack(this StoreTransaction t, string key, RateLimit limit)
    {
        if (!limit.IsOff)
        {
            t.GiveBack(key, limit.IntervalMicroseconds);
        }
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

using System.Collections.Immutable;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Challenges;

/// <summary>
/// TXT records that a look-up for one of an account's dns-01 challenges saw a moment ago. A name and its wildcard have one owner name and two
/// digests; clients that clean up after the first take both away, and the second was there to be seen. Bound to the account, bounded in time and number.
/// </summary>
/// <param name="time">The time.</param>
/// <param name="span">How long a look-up counts.</param>
/// <param name="capacity">Most look-ups remembered.</param>
public sealed class RecentTxt(TimeProvider time, TimeSpan span, int capacity = 10_000)
{
    private readonly Dictionary<(string Account, string Owner), (DateTimeOffset At, ImmutableArray<string> Texts)> seen = [];
    private readonly Queue<((string Account, string Owner) Key, DateTimeOffset At)> order = [];
    private readonly Lock gate = new();

    /// <summary>Remembers a look-up.</summary>
    public void Saw(string accountId, string owner, ImmutableArray<DnsRecord> records)
    {
        var (key, now) = ((accountId, owner), time.GetUtcNow());
        lock (gate)
        {
            Forget(now);
            seen[key] = (now, [.. records.Select(r => r.Text)]);
            order.Enqueue((key, now));
        }
    }

    /// <summary>When a look-up for the account saw the text at the owner name; null when none did, lately.</summary>
    public DateTimeOffset? Find(string accountId, string owner, string text)
    {
        lock (gate)
        {
            Forget(time.GetUtcNow());
            return seen.TryGetValue((accountId, owner), out var found) && found.Texts.Contains(text) ? found.At : null;
        }
    }

    private void Forget(DateTimeOffset now)
    {
        while (order.TryPeek(out var oldest) && (now - oldest.At > span || order.Count > capacity))
        {
            order.Dequeue();
            if (seen.TryGetValue(oldest.Key, out var found) && found.At == oldest.At)
            {
                seen.Remove(oldest.Key);
            }
        }
    }
}

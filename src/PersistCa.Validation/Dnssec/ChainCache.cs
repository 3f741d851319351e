using System.Collections.Immutable;

namespace PersistCa.Validation.Dnssec;

/// <summary>What lies at a name, as the zone above it proves.</summary>
internal enum DelegationKind
{
    /// <summary>A signed zone.</summary>
    Secure = 1,

    /// <summary>A zone that is not signed.</summary>
    Insecure = 2,

    /// <summary>No zone of its own.</summary>
    None = 3,

    /// <summary>Nothing, and nothing beneath.</summary>
    Absent = 4,
}

/// <summary>A delegation that was found right, or its absence.</summary>
/// <param name="Above">The zone that says so.</param>
/// <param name="Kind">What lies there.</param>
/// <param name="Keys">Digests of the keys, where the zone is signed.</param>
internal sealed record Delegation(CanonicalName Above, DelegationKind Kind, ImmutableArray<DelegationRecord> Keys);

/// <summary>Keys and delegations whose signatures were found right, within their time to live. Answers to challenges are never in it.</summary>
/// <param name="limits">How many, and for how long.</param>
/// <param name="time">The time.</param>
internal sealed class ChainCache(ChainLimits limits, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Dictionary<(CanonicalName Name, int Type), (object Value, DateTimeOffset Until)> entries = [];

    /// <summary>Entries, those that are out of time included.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                return entries.Count;
            }
        }
    }

    /// <summary>Finds keys or a delegation.</summary>
    public T? Find<T>(CanonicalName name, int type)
        where T : class
    {
        lock (gate)
        {
            return entries.TryGetValue((name, type), out var entry) && entry.Until > time.GetUtcNow() ? (T)entry.Value : null;
        }
    }

    /// <summary>Keeps keys or a delegation.</summary>
    /// <param name="name">The zone's name.</param>
    /// <param name="type">DNSKEY or DS.</param>
    /// <param name="value">What was found.</param>
    /// <param name="life">How long it holds.</param>
    public void Keep(CanonicalName name, int type, object value, TimeSpan life)
    {
        var bounded = life < limits.CacheTime ? life : limits.CacheTime;
        if (bounded <= TimeSpan.Zero)
        {
            return;
        }

        var now = time.GetUtcNow();
        lock (gate)
        {
            if (entries.Count >= limits.CacheEntries && !entries.ContainsKey((name, type)))
            {
                // Names are a stranger's choice: what is out of time goes first, and if that does not help, everything. It is only asked again.
                foreach (var old in entries.Where(e => e.Value.Until <= now).Select(e => e.Key).ToList())
                {
                    entries.Remove(old);
                }

                if (entries.Count >= limits.CacheEntries)
                {
                    entries.Clear();
                }
            }

            entries[(name, type)] = (value, now + bounded);
        }
    }
}

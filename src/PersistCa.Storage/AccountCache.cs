using System.Collections.Concurrent;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Jose;

namespace PersistCa.Storage;

/// <summary>An account with the key it signs with, read once for many requests. Shared: nobody changes it.</summary>
/// <param name="Account">The account.</param>
/// <param name="Key">The key that signs for it.</param>
public sealed record KnownAccount(Account Account, Jwk Key);

/// <summary>
/// Accounts that were read a moment ago. What this process changes is forgotten with the change; what others change is seen when the entry is over.
/// </summary>
/// <param name="life">How long an entry is used; none for not at all.</param>
/// <param name="clock">The time.</param>
internal sealed class AccountCache(TimeSpan life, TimeProvider clock)
{
    /// <summary>Entries at most; when there are more, all are forgotten.</summary>
    public const int Most = 10_000;

    private readonly ConcurrentDictionary<string, Entry> entries = new(StringComparer.Ordinal);
    private long changes;

    /// <summary>How long an entry is used.</summary>
    public TimeSpan Life => life;

    /// <summary>To be taken before an account is read: one that is changed meanwhile is not kept.</summary>
    public long Ticket => Interlocked.Read(ref changes);

    /// <summary>An account that was read a moment ago; null for none.</summary>
    public KnownAccount? Find(string publicId) =>
        entries.TryGetValue(publicId, out var entry) && clock.GetElapsedTime(entry.ReadAt) < life ? entry.Account : null;

    /// <summary>Keeps an account.</summary>
    public KnownAccount Keep(Account account, long ticket)
    {
        var known = new KnownAccount(account, Jwk.FromCanonical(account.Keys.Last(k => k.Thumbprint == account.CurrentThumbprint).Jwk));
        if (life > TimeSpan.Zero && ticket == Ticket)
        {
            if (entries.Count >= Most)
            {
                entries.Clear();
            }

            entries[account.PublicId] = new Entry(known, clock.GetTimestamp());
            if (ticket != Ticket)
            {
                entries.TryRemove(account.PublicId, out _); // it was changed between the two
            }
        }

        return known;
    }

    /// <summary>An account was changed.</summary>
    public void Forget(string publicId)
    {
        Interlocked.Increment(ref changes);
        entries.TryRemove(publicId, out _);
    }

    private sealed record Entry(KnownAccount Account, long ReadAt);
}

using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Server.Workers;

/// <summary>
/// The places of a node for one kind of work, and who has them. Work that is queued here gets one by hand, if there is one and neither its account nor its domain has
/// its share already; else it is found in the queue.
/// </summary>
/// <param name="free">Counts the places that are free.</param>
/// <param name="shares">How many one account, and one domain, may have.</param>
internal sealed class WorkPlaces(SemaphoreSlim free, WorkShares shares)
{
    private readonly Lock gate = new();
    private readonly Dictionary<long, int> accounts = [];
    private readonly Dictionary<string, int> domains = new(StringComparer.Ordinal);

    /// <summary>Counts the places that are free.</summary>
    public SemaphoreSlim Free => free;

    /// <summary>Takes a place for work that is about to be queued.</summary>
    /// <returns>Null when there is none for it.</returns>
    public IHandover? Take(long accountId, string domain, QueueLease lease, Func<WorkItem, Task> run)
    {
        lock (gate)
        {
            if (accounts.GetValueOrDefault(accountId) >= shares.OfAccount || (domain.Length > 0 && domains.GetValueOrDefault(domain) >= shares.OfDomain) || !TryTake())
            {
                return null;
            }

            Count(accountId, domain, 1);
        }

        return new Handover(this, accountId, domain, lease, run);
    }

    /// <summary>Work that was leased from the queue begins; its place was taken from <see cref="Free"/>.</summary>
    public void Begin(long accountId, string domain)
    {
        lock (gate)
        {
            Count(accountId, domain, 1);
        }
    }

    /// <summary>Work ends, or does not come about.</summary>
    public void End(long accountId, string domain)
    {
        lock (gate)
        {
            Count(accountId, domain, -1);
        }

        try
        {
            free.Release();
        }
        catch (ObjectDisposedException)
        {
            // The loop has ended meanwhile: nobody waits for the place.
        }
    }

    private bool TryTake()
    {
        try
        {
            return free.Wait(TimeSpan.Zero);
        }
        catch (ObjectDisposedException)
        {
            return false; // the loop has ended meanwhile
        }
    }

    private void Count(long accountId, string domain, int by)
    {
        Add(accounts, accountId, by);
        if (domain.Length > 0)
        {
            Add(domains, domain, by);
        }
    }

    private static void Add<T>(Dictionary<T, int> counts, T key, int by)
        where T : notnull
    {
        var now = counts.GetValueOrDefault(key) + by;
        if (now == 0)
        {
            counts.Remove(key);
        }
        else
        {
            counts[key] = now;
        }
    }

    private sealed class Handover(WorkPlaces places, long accountId, string domain, QueueLease lease, Func<WorkItem, Task> run) : IHandover
    {
        private int state;

        public QueueLease Lease => lease;

        public void Begin(WorkItem item)
        {
            if (Interlocked.Exchange(ref state, 1) == 0)
            {
                _ = Task.Run(() => run(item));
            }
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref state, 1) == 0)
            {
                places.End(accountId, domain);
            }
        }
    }
}

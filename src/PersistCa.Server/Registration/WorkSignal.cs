using System.Threading.Channels;
using PersistCa.Storage;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Server.Registration;

/// <summary>Tells workers at once of work that was queued: this node's, or others' where this one has none or no place free. The queue is the truth; a lost signal costs a poll interval.</summary>
public sealed class WorkSignal(NodeBell bell)
{
    private readonly Dictionary<WorkKind, Place> places = Enum.GetValues<WorkKind>().ToDictionary(k => k, _ => new Place());

    /// <summary>There is work.</summary>
    public void Raise(WorkKind kind)
    {
        if (places[kind].IsServed)
        {
            Hear(kind);
        }
        else
        {
            bell.Work(kind);
        }
    }

    /// <summary>Another node says that there is work.</summary>
    public void Hear(WorkKind kind) => places[kind].Channel.Writer.TryWrite(true);

    /// <summary>A worker of this node begins to take such work, or ends.</summary>
    public void Serve(WorkKind kind, bool serves) => places[kind].IsServed = serves;

    /// <summary>Every place of this node is taken: others may help.</summary>
    public void Overflow(WorkKind kind) => bell.Work(kind);

    /// <summary>Takes a place of this node for work that is about to be queued, so that it need not be looked for; null when it has to go the usual way.</summary>
    /// <param name="kind">Which work.</param>
    /// <param name="accountId">Internal id of the account it is for.</param>
    /// <param name="domain">The domain it is about; empty for none.</param>
    public IHandover? Reserve(WorkKind kind, long accountId, string domain = "") => places[kind].Taker?.Invoke(accountId, domain);

    /// <summary>A worker of this node takes work by hand from now on; null for no more.</summary>
    public void TakeByHand(WorkKind kind, Func<long, string, IHandover?>? taker) => places[kind].Taker = taker;

    /// <summary>Waits for work, or for the time to look anyway.</summary>
    public async Task WaitAsync(WorkKind kind, TimeSpan most, TimeProvider clock, CancellationToken cancel)
    {
        var reader = places[kind].Channel.Reader;
        if (reader.TryRead(out _))
        {
            return;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await using var timer = clock.CreateTimer(static s => ((CancellationTokenSource)s!).Cancel(), limit, most, Timeout.InfiniteTimeSpan);
        try
        {
            await reader.ReadAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            // The time to look has come.
        }
    }

    private sealed class Place
    {
        public Channel<bool> Channel { get; } = System.Threading.Channels.Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

        public volatile bool IsServed;

        public volatile Func<long, string, IHandover?>? Taker;
    }
}

/// <summary>The way of one piece of work to a worker: by hand to a place of this node, or through the queue.</summary>
/// <param name="signal">Tells workers.</param>
/// <param name="kind">Which work.</param>
public sealed class WorkPlace(WorkSignal signal, WorkKind kind) : IDisposable
{
    private IHandover? place;

    /// <summary>The lease by which the work is queued; null when it has to be looked for.</summary>
    public QueueLease? Lease => place?.Lease;

    /// <summary>Takes a place, if there is one; what was taken before a change was tried again stays.</summary>
    public void Reserve(long accountId, string domain = "") => place ??= signal.Reserve(kind, accountId, domain);

    /// <summary>The work is queued.</summary>
    public void Begin(WorkItem item)
    {
        if (place is null)
        {
            signal.Raise(kind);
        }
        else
        {
            place.Begin(item);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => place?.Dispose();
}

/// <summary>A place that is kept for work which is being queued; given back when it is disposed without work.</summary>
public interface IHandover : IDisposable
{
    /// <summary>The lease by which the work is queued.</summary>
    public QueueLease Lease { get; }

    /// <summary>The work is queued: it is begun.</summary>
    public void Begin(WorkItem item);
}

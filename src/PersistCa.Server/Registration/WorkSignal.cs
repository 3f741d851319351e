using System.Threading.Channels;
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
    }
}

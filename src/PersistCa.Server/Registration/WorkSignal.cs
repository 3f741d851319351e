using System.Threading.Channels;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Server.Registration;

/// <summary>Tells this node's workers at once of work that was queued here. The queue is the truth; a lost signal costs a poll interval.</summary>
public sealed class WorkSignal
{
    private readonly Dictionary<WorkKind, Channel<bool>> channels = Enum.GetValues<WorkKind>()
        .ToDictionary(k => k, _ => Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }));

    /// <summary>There is work.</summary>
    public void Raise(WorkKind kind) => channels[kind].Writer.TryWrite(true);

    /// <summary>Waits for work, or for the time to look anyway.</summary>
    public async Task WaitAsync(WorkKind kind, TimeSpan most, TimeProvider clock, CancellationToken cancel)
    {
        var reader = channels[kind].Reader;
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
}

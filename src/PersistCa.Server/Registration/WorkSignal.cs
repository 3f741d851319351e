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

/// <summary>Lets answers to finalize wait for the certificate that another task of this node is making.</summary>
public sealed class OrderCompletions
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, List<Waiter>> waiting = [];

    /// <summary>Begins to listen; to be called before the order is queued.</summary>
    public Waiter Listen(string orderId)
    {
        var waiter = new Waiter(this, orderId);
        lock (gate)
        {
            if (!waiting.TryGetValue(orderId, out var others))
            {
                waiting[orderId] = others = [];
            }

            others.Add(waiter);
        }

        return waiter;
    }

    /// <summary>The order is final: whoever waits for it goes on.</summary>
    public void Announce(string orderId)
    {
        lock (gate)
        {
            foreach (var waiter in waiting.GetValueOrDefault(orderId) ?? [])
            {
                waiter.Wake();
            }
        }
    }

    private void Leave(Waiter waiter, string orderId)
    {
        lock (gate)
        {
            if (waiting.TryGetValue(orderId, out var others) && others.Remove(waiter) && others.Count == 0)
            {
                waiting.Remove(orderId);
            }
        }
    }

    /// <summary>One who waits. Several requests may wait for one order, each for itself.</summary>
    public sealed class Waiter : IDisposable
    {
        private readonly OrderCompletions owner;
        private readonly string orderId;
        private readonly TaskCompletionSource source = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Waiter(OrderCompletions owner, string orderId)
        {
            this.owner = owner;
            this.orderId = orderId;
        }

        /// <summary>Waits until the order is final, at most this long.</summary>
        /// <returns>True when it is final.</returns>
        public async Task<bool> WaitAsync(TimeSpan most, TimeProvider clock, CancellationToken cancel)
        {
            if (most <= TimeSpan.Zero)
            {
                return source.Task.IsCompleted;
            }

            try
            {
                await source.Task.WaitAsync(most, clock, cancel);
                return true;
            }
            catch (TimeoutException)
            {
                return false;
            }
        }

        /// <inheritdoc/>
        public void Dispose() => owner.Leave(this, orderId);

        internal void Wake() => source.TrySetResult();
    }
}

namespace PersistCa.Server.Registration;

/// <summary>Lets requests wait for the end of what another task works at, here or at another node: an order in processing, a validation. Ids are random, so that no two kinds share one.</summary>
public sealed class Completions(NodeBell bell)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, List<Waiter>> waiting = [];

    /// <summary>Begins to listen; to be called before the work is queued, or before it is looked at.</summary>
    public Waiter Listen(string id)
    {
        var waiter = new Waiter(this, id);
        lock (gate)
        {
            if (!waiting.TryGetValue(id, out var others))
            {
                waiting[id] = others = [];
            }

            others.Add(waiter);
        }

        return waiter;
    }

    /// <summary>The work is done: whoever waits for it goes on. Where nobody waits here, somebody may at another node.</summary>
    public void Announce(string id)
    {
        if (!Hear(id))
        {
            bell.Done(id);
        }
    }

    /// <summary>The work is done, here or elsewhere.</summary>
    /// <returns>Whether somebody waited for it.</returns>
    public bool Hear(string id)
    {
        lock (gate)
        {
            var waiters = waiting.GetValueOrDefault(id) ?? [];
            foreach (var waiter in waiters)
            {
                waiter.Wake();
            }

            return waiters.Count > 0;
        }
    }

    private void Leave(Waiter waiter, string id)
    {
        lock (gate)
        {
            if (waiting.TryGetValue(id, out var others) && others.Remove(waiter) && others.Count == 0)
            {
                waiting.Remove(id);
            }
        }
    }

    /// <summary>One who waits. Several requests may wait for one thing, each for itself.</summary>
    public sealed class Waiter : IDisposable
    {
        private readonly Completions owner;
        private readonly string id;
        private readonly TaskCompletionSource source = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Waiter(Completions owner, string id)
        {
            this.owner = owner;
            this.id = id;
        }

        /// <summary>Waits until the work is done, at most this long.</summary>
        /// <returns>True when it is done.</returns>
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
        public void Dispose() => owner.Leave(this, id);

        internal void Wake() => source.TrySetResult();
    }
}

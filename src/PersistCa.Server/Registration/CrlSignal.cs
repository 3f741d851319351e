namespace PersistCa.Server.Registration;

/// <summary>Tells the CRL worker of this node that something was revoked.</summary>
public sealed class CrlSignal : IDisposable
{
    private readonly SemaphoreSlim raised = new(0, 1);

    /// <summary>Something was revoked.</summary>
    public void Raise()
    {
        lock (raised)
        {
            if (raised.CurrentCount == 0)
            {
                raised.Release();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => raised.Dispose();

    /// <summary>Waits for a revocation, at most this long.</summary>
    public async Task WaitAsync(TimeSpan most, TimeProvider clock, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await using var timer = clock.CreateTimer(static s => ((CancellationTokenSource)s!).Cancel(), limit, most, Timeout.InfiniteTimeSpan);
        try
        {
            await raised.WaitAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            // The time to look has come.
        }
    }
}

namespace PersistCa.Server.Registration;

/// <summary>Tells the CRL worker, at whichever node it is, that something was revoked.</summary>
public sealed class CrlSignal(NodeBell bell) : IDisposable
{
    private readonly SemaphoreSlim raised = new(0, 1);

    /// <summary>Something was revoked.</summary>
    public void Raise()
    {
        Hear();
        bell.Ring(NodeBell.Revoked);
    }

    /// <summary>Something was revoked, here or elsewhere.</summary>
    public void Hear()
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
    /// <returns>Whether there was one.</returns>
    public async Task<bool> WaitAsync(TimeSpan most, TimeProvider clock, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await using var timer = clock.CreateTimer(static s => ((CancellationTokenSource)s!).Cancel(), limit, most, Timeout.InfiniteTimeSpan);
        try
        {
            await raised.WaitAsync(limit.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false; // the time to look has come
        }
    }
}

using PersistCa.Storage;
using PersistCa.Storage.Nodes;

namespace PersistCa.Server.Workers;

/// <summary>Whether this node is the one that does the periodic work: revocation lists, OCSP answers ahead of questions, revocations left unfinished, retention.</summary>
public sealed class PeriodicDuty
{
    private readonly Lock gate = new();
    private TaskCompletionSource<long> taken = New();

    /// <summary>The epoch in which this node has it; null when it has not.</summary>
    public long? Epoch { get; private set; }

    /// <summary>This node has it from now on.</summary>
    public void Begin(long epoch)
    {
        lock (gate)
        {
            Epoch = epoch;
            taken.TrySetResult(epoch);
        }
    }

    /// <summary>This node has it no more, or does not know.</summary>
    public void End()
    {
        lock (gate)
        {
            if (Epoch is not null)
            {
                Epoch = null;
                taken = New();
            }
        }
    }

    /// <summary>Waits until this node has it.</summary>
    /// <returns>The epoch.</returns>
    public Task<long> WaitAsync(CancellationToken cancel)
    {
        lock (gate)
        {
            return taken.Task.WaitAsync(cancel);
        }
    }

    /// <summary>Whether work that was begun in an epoch may still be recorded, asked in the transaction that does.</summary>
    public static Task<bool> HoldsAsync(StoreTransaction t, long epoch, CancellationToken cancel) => DutyBook.HoldsAsync(t, DutyBook.Periodic, epoch, cancel);

    private static TaskCompletionSource<long> New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

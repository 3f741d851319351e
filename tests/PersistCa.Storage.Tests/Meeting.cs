namespace PersistCa.Storage.Tests;

/// <summary>
/// Lets two writers look before either writes, so that they collide for certain: on PostgreSQL only, for on SQLite the second does not begin before the
/// first has ended.
/// </summary>
internal sealed class Meeting(StoreKind kind)
{
    private const int Writers = 2;

    private readonly TaskCompletionSource met = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int runs;

    /// <summary>How often a change ran, repetitions included.</summary>
    public int Runs => runs;

    /// <summary>How often the changes of two writers run: on PostgreSQL one of them looks again.</summary>
    public int ExpectedRuns => kind == StoreKind.PostgreSql ? Writers + 1 : Writers;

    /// <summary>Called by a change once it has looked.</summary>
    public Task LookedAsync()
    {
        if (Interlocked.Increment(ref runs) == Writers || kind == StoreKind.Sqlite)
        {
            met.TrySetResult();
        }

        return met.Task;
    }
}

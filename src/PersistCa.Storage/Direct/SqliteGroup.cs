using Microsoft.Data.Sqlite;

namespace PersistCa.Storage.Direct;

/// <summary>
/// Writes to the SQLite file, one at a time, several in one transaction: while others wait, a change that is done leaves the transaction to the next, and the last one
/// commits for all. Nobody is told that a change is done before it is on the disk, and a change that is refused or fails takes no other with it.
/// </summary>
/// <param name="pool">Where connections come from.</param>
internal sealed class SqliteGroup(IDirectPool pool) : IDisposable
{
    /// <summary>Changes in one transaction at most.</summary>
    public const int Most = 64;

    private readonly SemaphoreSlim gate = new(1, 1);
    private Group? open;
    private int waiting;

    /// <summary>Makes a change.</summary>
    /// <param name="change">The change, on the connection that has the transaction.</param>
    /// <param name="keep">Whether it is to be kept, by what it yielded; else it is rolled back.</param>
    /// <returns>What it yielded, once it is durable.</returns>
    /// <exception cref="GroupLostException">The database gave the whole transaction up, because of this change or of another.</exception>
    public async Task<T> RunAsync<T>(Func<DirectConnection, Task<T>> change, Func<T, bool> keep)
    {
        // Whoever waits does come: the one before it may have left the transaction open for it.
        Interlocked.Increment(ref waiting);
        await gate.WaitAsync(CancellationToken.None);
        Interlocked.Decrement(ref waiting);
        T result;
        Task done;
        var kept = false;
        try
        {
            var group = open ??= await BeginAsync();
            group.Connection.Mark();
            try
            {
                result = await change(group.Connection);
                kept = keep(result);
            }
            finally
            {
                group.Count++;
                group.IsLost |= !group.Connection.Settle(kept);
            }

            group.IsChanged |= kept;
            done = group.Done.Task;
        }
        finally
        {
            if (open is { } group && (Volatile.Read(ref waiting) == 0 || group.Count >= Most || group.IsLost))
            {
                open = null;
                await EndAsync(group);
            }

            gate.Release();
        }

        if (kept)
        {
            await done;
        }

        return result;
    }

    /// <inheritdoc/>
    public void Dispose() => gate.Dispose();

    private async Task<Group> BeginAsync()
    {
        var connection = (SqliteDirect)await pool.TakeAsync(CancellationToken.None);
        try
        {
            await connection.BeginAsync(CancellationToken.None);
            return new Group(connection);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static async Task EndAsync(Group group)
    {
        try
        {
            if (group.IsLost)
            {
                group.Done.SetException(new GroupLostException());
            }
            else
            {
                if (group.IsChanged)
                {
                    await group.Connection.CommitAsync(CancellationToken.None);
                }

                group.Done.SetResult();
            }
        }
        catch (SqliteException e)
        {
            group.Done.SetException(e); // told to each that has a part in it
        }
        finally
        {
            _ = group.Done.Task.Exception; // it may be that none has
            await group.Connection.DisposeAsync();
        }
    }

    private sealed class Group(SqliteDirect connection)
    {
        public SqliteDirect Connection => connection;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Count { get; set; }

        public bool IsChanged { get; set; }

        public bool IsLost { get; set; }
    }
}

/// <summary>A transaction of several changes was given up by the database; each may be tried again.</summary>
internal sealed class GroupLostException() : Exception("the database gave the transaction up");

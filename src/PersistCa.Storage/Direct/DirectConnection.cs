using System.Data.Common;

namespace PersistCa.Storage.Direct;

/// <summary>
/// A connection on which statements run without the model, for what every request needs: the model spends more on making a statement than the database on
/// running it. Disposing it gives it back to its pool; a transaction that was not committed is rolled back.
/// </summary>
internal abstract class DirectConnection : IAsyncDisposable
{
    /// <summary>Which database it is.</summary>
    public abstract StoreKind Kind { get; }

    /// <summary>The connection itself, for a context that joins its transaction.</summary>
    public abstract DbConnection Connection { get; }

    /// <summary>The transaction that is open; null for none.</summary>
    public DbTransaction? Transaction { get; protected set; }

    /// <summary>Begins a transaction that may write.</summary>
    public abstract Task BeginAsync(CancellationToken cancel);

    /// <summary>Commits it.</summary>
    public async Task CommitAsync(CancellationToken cancel)
    {
        var transaction = Transaction ?? throw new InvalidOperationException("there is no transaction");
        await transaction.CommitAsync(cancel);
        await transaction.DisposeAsync();
        Transaction = null;
    }

    /// <summary>Rolls back what was not committed; nothing to do where there is no transaction.</summary>
    public abstract ValueTask RollbackAsync();

    /// <summary>Runs statements in their order, and hands each its rows.</summary>
    /// <exception cref="DbException">One of them failed; then none counts.</exception>
    public abstract Task RunAsync(SqlBatch batch, CancellationToken cancel);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}

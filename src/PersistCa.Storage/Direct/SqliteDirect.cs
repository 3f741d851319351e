using System.Collections.Concurrent;
using System.Data.Common;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using PersistCa.Protocol.Acme;
using PersistCa.Storage.Sqlite;

namespace PersistCa.Storage.Direct;

/// <summary>Connections to the SQLite file that stay open, each with its prepared statements: SQLite has no other place to keep them.</summary>
internal sealed class SqliteDirectPool(string connectionString) : IDirectPool, IDisposable
{
    /// <summary>Connections that are kept while nobody uses them.</summary>
    private const int MostIdle = 16;

    /// <summary>What pays for connections that stay: fewer checkpoints (16 MiB of log between two), and 8 MiB of pages at hand.</summary>
    private const string Standing = "PRAGMA wal_autocheckpoint=4096; PRAGMA cache_size=-8192;";

    private readonly ConcurrentBag<SqliteDirect> idle = [];
    private int kept;
    private volatile bool closed;

    /// <inheritdoc/>
    public async ValueTask<DirectConnection> TakeAsync(CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        if (idle.TryTake(out var known))
        {
            Interlocked.Decrement(ref kept);
            return known;
        }

        var connection = new SqliteConnection(new SqliteConnectionStringBuilder(connectionString) { Pooling = false }.ToString());
        try
        {
            await connection.OpenAsync(cancel);
            SqlitePragmas.Set(connection);
            await using var command = connection.CreateCommand();
            command.CommandText = Standing;
            await command.ExecuteNonQueryAsync(cancel);
            return new SqliteDirect(this, connection);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        closed = true;
        while (idle.TryTake(out var connection))
        {
            connection.Close();
        }
    }

    internal void Return(SqliteDirect connection)
    {
        if (closed || Interlocked.Increment(ref kept) > MostIdle)
        {
            Interlocked.Decrement(ref kept);
            connection.Close();
            return;
        }

        idle.Add(connection);
        if (closed)
        {
            Dispose();
        }
    }
}

/// <summary>A connection to the SQLite file.</summary>
internal sealed class SqliteDirect(SqliteDirectPool pool, SqliteConnection connection) : DirectConnection
{
    private const string Change = "change";

    private readonly Dictionary<string, SqliteCommand> prepared = new(StringComparer.Ordinal);
    private bool broken;

    /// <inheritdoc/>
    public override StoreKind Kind => StoreKind.Sqlite;

    /// <inheritdoc/>
    public override DbConnection Connection => connection;

    /// <inheritdoc/>
    public override Task BeginAsync(CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        Transaction = connection.BeginTransaction();
        return Task.CompletedTask;
    }

    /// <summary>Marks where a change begins.</summary>
    public void Mark() => ((SqliteTransaction)Transaction!).Save(Change);

    /// <summary>Ends a change: keeps it in the transaction, or takes it back.</summary>
    /// <returns>False when the transaction is gone: SQLite gives it up by itself where the disk is full or broken.</returns>
    public bool Settle(bool keep)
    {
        if (SQLitePCL.raw.sqlite3_get_autocommit(connection.Handle) != 0)
        {
            return false;
        }

        try
        {
            var transaction = (SqliteTransaction)Transaction!;
            if (!keep)
            {
                transaction.Rollback(Change);
            }

            transaction.Release(Change);
            return true;
        }
        catch (SqliteException)
        {
            broken = true;
            return false;
        }
    }

    /// <inheritdoc/>
    public override Task RunAsync(SqlBatch batch, CancellationToken cancel)
    {
        foreach (var statement in batch.Statements)
        {
            cancel.ThrowIfCancellationRequested();
            var command = Prepare(statement);
            if (statement.Row is { } row)
            {
                using var reader = command.ExecuteReader();
                while (reader.Read())
                {
                    row(new SqlRow(reader, StoreKind.Sqlite));
                }
            }
            else
            {
                var changed = command.ExecuteNonQuery();
                statement.Changed?.Invoke(changed);
            }
        }

        batch.Judge();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override ValueTask RollbackAsync()
    {
        try
        {
            Transaction?.Dispose();
        }
        catch (SqliteException)
        {
            broken = true; // closing the connection rolls back, and nobody gets it again
        }

        Transaction = null;
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await RollbackAsync();
        if (broken)
        {
            Close();
        }
        else
        {
            pool.Return(this);
        }
    }

    internal void Close()
    {
        foreach (var command in prepared.Values)
        {
            command.Dispose();
        }

        connection.Dispose();
    }

    private SqliteCommand Prepare(SqlStatement statement)
    {
        if (!prepared.TryGetValue(statement.Sql, out var command))
        {
            command = connection.CreateCommand();
            command.CommandText = statement.Sql;
            for (var i = 0; i < statement.Args.Length; i++)
            {
                command.Parameters.Add(new SqliteParameter { ParameterName = "$" + (i + 1).ToString(System.Globalization.CultureInfo.InvariantCulture) });
            }

            prepared[statement.Sql] = command;
        }

        command.Transaction = (SqliteTransaction?)Transaction;
        for (var i = 0; i < statement.Args.Length; i++)
        {
            command.Parameters[i].Value = Value(statement.Args[i]);
        }

        return command;
    }

    private static object Value(SqlArg arg) => arg.Kind switch
    {
        SqlKind.Number or SqlKind.Integer or SqlKind.Bool => arg.Number,
        _ when arg.Value is null => DBNull.Value,
        SqlKind.Time => ((DateTimeOffset)arg.Value).ToUnixTimeMilliseconds(),
        SqlKind.Texts => JsonSerializer.Serialize((List<string>)arg.Value, AcmeJson.Wire.ListString),
        _ => arg.Value,
    };
}

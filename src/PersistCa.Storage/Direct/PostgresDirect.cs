using System.Data.Common;
using Npgsql;
using NpgsqlTypes;

namespace PersistCa.Storage.Direct;

/// <summary>Connections to PostgreSQL, from the pool of its driver, which keeps the prepared statements.</summary>
/// <param name="source">Where they come from, asked at the first use.</param>
internal sealed class PostgresDirectPool(Func<NpgsqlDataSource> source) : IDirectPool
{
    /// <inheritdoc/>
    public async ValueTask<DirectConnection> TakeAsync(CancellationToken cancel) => new PostgresDirect(await source().OpenConnectionAsync(cancel));
}

/// <summary>A connection to PostgreSQL.</summary>
internal sealed class PostgresDirect(NpgsqlConnection connection) : DirectConnection
{
    /// <inheritdoc/>
    public override StoreKind Kind => StoreKind.PostgreSql;

    /// <inheritdoc/>
    public override DbConnection Connection => connection;

    /// <inheritdoc/>
    public override async Task BeginAsync(CancellationToken cancel) => Transaction = await connection.BeginTransactionAsync(cancel);

    /// <inheritdoc/>
    public override async Task RunAsync(SqlBatch batch, CancellationToken cancel)
    {
        if (batch.Count == 0)
        {
            return;
        }

        await using var command = new NpgsqlBatch(connection, (NpgsqlTransaction?)Transaction);
        foreach (var statement in batch.Statements)
        {
            var part = new NpgsqlBatchCommand(statement.Sql);
            foreach (var arg in statement.Args)
            {
                part.Parameters.Add(Parameter(arg));
            }

            command.BatchCommands.Add(part);
        }

        await using (var reader = await command.ExecuteReaderAsync(cancel))
        {
            // The reader stops only at statements that return rows.
            var first = true;
            foreach (var statement in batch.Statements)
            {
                if (statement.Row is not { } row)
                {
                    continue;
                }

                if (!first && !await reader.NextResultAsync(cancel))
                {
                    throw new InvalidOperationException("a statement returned no rows: " + statement.Sql);
                }

                first = false;
                while (await reader.ReadAsync(cancel))
                {
                    row(new SqlRow(reader, StoreKind.PostgreSql));
                }
            }

            // To the end, so that the fault of a later statement is seen.
            while (await reader.NextResultAsync(cancel))
            {
            }
        }

        for (var i = 0; i < batch.Count; i++)
        {
            batch.Statements[i].Changed?.Invoke((int)command.BatchCommands[i].RecordsAffected);
        }

        batch.Judge();
    }

    /// <inheritdoc/>
    public override async ValueTask RollbackAsync()
    {
        if (Transaction is { } open)
        {
            Transaction = null;
            await open.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await RollbackAsync();
        await connection.DisposeAsync();
    }

    private static NpgsqlParameter Parameter(SqlArg arg) => arg.Kind switch
    {
        SqlKind.Number => new NpgsqlParameter<long> { TypedValue = arg.Number, NpgsqlDbType = NpgsqlDbType.Bigint },
        SqlKind.Integer => new NpgsqlParameter<int> { TypedValue = (int)arg.Number, NpgsqlDbType = NpgsqlDbType.Integer },
        SqlKind.Bool => new NpgsqlParameter<bool> { TypedValue = arg.Number != 0, NpgsqlDbType = NpgsqlDbType.Boolean },
        SqlKind.Time => arg.Value is DateTimeOffset time
            ? new NpgsqlParameter<DateTime> { TypedValue = time.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz }
            : new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz },
        SqlKind.Octets => new NpgsqlParameter { Value = arg.Value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bytea },
        SqlKind.Texts => new NpgsqlParameter { Value = arg.Value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
        _ => new NpgsqlParameter { Value = arg.Value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
    };
}

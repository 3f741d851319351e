using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;
using PersistCa.Protocol;

namespace PersistCa.Storage.Backup;

/// <summary>Brings the rows of a backup into an empty store, all of them or none.</summary>
/// <param name="factory">Makes contexts.</param>
public sealed class StoreLoad(IDbContextFactory<CaDb> factory)
{
    /// <summary>Why a backup cannot be brought into this store; null when it can. Changes nothing.</summary>
    public async Task<string?> RefuseAsync(VerifiedBackup backup, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var known = db.Database.GetMigrations().Select(BackupLayout.SchemaName).ToList();
        var schema = backup.Header.Schema;
        if (!known.Take(schema.Count).SequenceEqual(schema))
        {
            return schema.FirstOrDefault(s => !known.Contains(s)) is { } later
                ? $"the backup is of a newer version of this program, or of another (its schema has {later}); restore it with that version"
                : "the schema of the backup is none that this program ever had";
        }

        if (!await db.GetService<IRelationalDatabaseCreator>().ExistsAsync(cancel))
        {
            return null;
        }

        foreach (var table in (await StoreCatalog.TablesAsync(db, cancel)).Keys)
        {
            await using var command = await StoreCatalog.CommandAsync(db, $"SELECT EXISTS (SELECT 1 FROM {StoreCatalog.Quoted(table)})", cancel);
            if (Convert.ToBoolean(await command.ExecuteScalarAsync(cancel), System.Globalization.CultureInfo.InvariantCulture))
            {
                return $"the database is not empty (its table {table} has rows); a restore needs an empty one";
            }
        }

        return (await db.Database.GetAppliedMigrationsAsync(cancel)).Count() > schema.Count
            ? "the database has a newer schema than the backup; give a database that has none, and the schema is brought up to date after the restore"
            : null;
    }

    /// <summary>
    /// Brings the rows, and then the schema up to date. What was verified before is verified again as it is read: nothing stays of a file that changed meanwhile.
    /// The store is marked as not finished until it is reconciled.
    /// </summary>
    /// <param name="reader">The backup, from its beginning.</param>
    /// <param name="backup">What was found when it was verified.</param>
    /// <param name="file">Called for every file in it.</param>
    /// <param name="cancel">Stops; nothing stays then.</param>
    /// <returns>How many rows; or why there are none.</returns>
    public async Task<Parsed<long>> LoadAsync(BackupReader reader, VerifiedBackup backup, Action<string, byte[]> file, CancellationToken cancel)
    {
        await using (var db = await factory.CreateDbContextAsync(cancel))
        {
            var target = db.Database.GetMigrations().First(m => BackupLayout.SchemaName(m) == backup.Header.Schema[^1]);
            await db.GetService<IMigrator>().MigrateAsync(target, cancel);
        }

        long rows;
        await using (var db = await factory.CreateDbContextAsync(cancel))
        {
            await using var scope = await db.Database.BeginTransactionAsync(cancel);
            await RestoreMark.SetAsync(db, cancel);
            var read = await RowsAsync(db, reader, backup, file, cancel);
            if (!read.IsValid)
            {
                return read;
            }

            rows = read.Value;
            await scope.CommitAsync(cancel);
        }

        await using (var db = await factory.CreateDbContextAsync(cancel))
        {
            await db.GetService<IMigrator>().MigrateAsync(cancellationToken: cancel);
        }

        return Parsed<long>.Ok(rows);
    }

    private static async Task<Parsed<long>> RowsAsync(CaDb db, BackupReader reader, VerifiedBackup backup, Action<string, byte[]> file, CancellationToken cancel)
    {
        var header = reader.ReadHeader();
        if (!header.IsValid)
        {
            return Parsed<long>.Refused(header.Reason);
        }

        var catalog = await StoreCatalog.TablesAsync(db, cancel);
        if (backup.Manifest.Tables.Select(t => t.Name).Except(catalog.Keys).Concat(catalog.Keys.Except(backup.Manifest.Tables.Select(t => t.Name))).FirstOrDefault() is { } odd)
        {
            return Parsed<long>.Refused($"the table {odd} is in the backup or in its schema, but not in both");
        }

        var rows = 0L;
        var into = (RowSink?)null;
        try
        {
            while (true)
            {
                var part = reader.Read();
                if (!part.IsValid)
                {
                    return Parsed<long>.Refused(part.Reason);
                }

                if (part.Value is BackupPart.Row row)
                {
                    await into!.AddAsync(row.Values, cancel);
                    rows++;
                    continue;
                }

                if (into is not null)
                {
                    await into.EndAsync(cancel);
                    await into.DisposeAsync();
                    into = null;
                }

                switch (part.Value)
                {
                    case BackupPart.Table { Value: var table }:
                        var columns = catalog[table.Name];
                        if (columns.Count != table.Columns.Count || table.Columns.FirstOrDefault(c => !columns.Any(k => k.Name == c.Name && StoreCatalog.Fits(db.Kind, k.Type, c.Kind))) is not null)
                        {
                            return Parsed<long>.Refused($"the columns of the table {table.Name} are not those of its schema");
                        }

                        into = db.Kind == StoreKind.PostgreSql ? await PostgresSink.OpenAsync(db, table, columns, cancel) : await SqliteSink.OpenAsync(db, table, cancel);
                        break;
                    case BackupPart.File found:
                        file(found.Name, found.Octets);
                        break;
                    case BackupPart.End { Manifest: var manifest }:
                        return manifest.Tables.SequenceEqual(backup.Manifest.Tables) && manifest.Files.SequenceEqual(backup.Manifest.Files)
                            ? Parsed<long>.Ok(rows)
                            : Parsed<long>.Refused("the file changed while it was read");
                    default:
                        throw new InvalidOperationException("a backup has a part that is nothing");
                }
            }
        }
        catch (Exception e) when (e is SqliteException { SqliteErrorCode: 19 } or PostgresException { SqlState: ['2', '3', ..] or ['2', '2', ..] })
        {
            return Parsed<long>.Refused($"its rows do not fit together: {e.Message.ReplaceLineEndings(" ")}"); // what no store of this product can have written
        }
        finally
        {
            if (into is not null)
            {
                await into.DisposeAsync();
            }
        }
    }

    private abstract class RowSink : IAsyncDisposable
    {
        public abstract Task AddAsync(IReadOnlyList<object?> values, CancellationToken cancel);

        public abstract Task EndAsync(CancellationToken cancel);

        public abstract ValueTask DisposeAsync();
    }

    private sealed class SqliteSink(SqliteCommand insert) : RowSink
    {
        public static async Task<RowSink> OpenAsync(CaDb db, BackupTable table, CancellationToken cancel)
        {
            var insert = (SqliteCommand)await StoreCatalog.CommandAsync(
                db,
                $"INSERT INTO {StoreCatalog.Quoted(table.Name)} ({string.Join(", ", table.Columns.Select(c => StoreCatalog.Quoted(c.Name)))}) VALUES ({string.Join(", ", table.Columns.Select((_, at) => "$" + at))})",
                cancel);
            for (var at = 0; at < table.Columns.Count; at++)
            {
                insert.Parameters.Add(new SqliteParameter("$" + at, null));
            }

            return new SqliteSink(insert);
        }

        public override Task AddAsync(IReadOnlyList<object?> values, CancellationToken cancel)
        {
            for (var at = 0; at < values.Count; at++)
            {
                insert.Parameters[at].Value = BackupRow.ForSqlite(values[at]);
            }

            return insert.ExecuteNonQueryAsync(cancel);
        }

        public override Task EndAsync(CancellationToken cancel) => Task.CompletedTask;

        public override ValueTask DisposeAsync() => insert.DisposeAsync();
    }

    private sealed class PostgresSink(CaDb db, BackupTable table, IReadOnlyList<CatalogColumn> columns, NpgsqlBinaryImporter import) : RowSink
    {
        private readonly NpgsqlDbType[] types = [.. table.Columns.Select(c => TypeOf(columns.First(k => k.Name == c.Name).Type))];

        public static async Task<RowSink> OpenAsync(CaDb db, BackupTable table, IReadOnlyList<CatalogColumn> columns, CancellationToken cancel)
        {
            var connection = (NpgsqlConnection)db.Database.GetDbConnection();
            var import = await connection.BeginBinaryImportAsync(
                $"COPY {StoreCatalog.Quoted(table.Name)} ({string.Join(", ", table.Columns.Select(c => StoreCatalog.Quoted(c.Name)))}) FROM STDIN (FORMAT BINARY)", cancel);
            import.Timeout = TimeSpan.Zero;
            return new PostgresSink(db, table, columns, import);
        }

        public override async Task AddAsync(IReadOnlyList<object?> values, CancellationToken cancel)
        {
            await import.StartRowAsync(cancel);
            for (var at = 0; at < values.Count; at++)
            {
                switch (values[at])
                {
                    case null:
                        await import.WriteNullAsync(cancel);
                        break;
                    case long number when types[at] == NpgsqlDbType.Integer:
                        await import.WriteAsync(checked((int)number), NpgsqlDbType.Integer, cancel);
                        break;
                    case { } value:
                        await import.WriteAsync(value, types[at], cancel);
                        break;
                }
            }
        }

        public override async Task EndAsync(CancellationToken cancel)
        {
            await import.CompleteAsync(cancel);
            await import.DisposeAsync();

            // Numbers that the database gives go on behind those that came.
            foreach (var column in columns.Where(c => c.CountsUp))
            {
                await using var command = await StoreCatalog.CommandAsync(
                    db,
                    $"SELECT setval(pg_get_serial_sequence('{StoreCatalog.Quoted(table.Name)}', '{column.Name}'), GREATEST((SELECT max({StoreCatalog.Quoted(column.Name)}) FROM {StoreCatalog.Quoted(table.Name)}), 1))",
                    cancel);
                await command.ExecuteScalarAsync(cancel);
            }
        }

        public override ValueTask DisposeAsync() => import.DisposeAsync();

        private static NpgsqlDbType TypeOf(string name) => name switch
        {
            "int4" => NpgsqlDbType.Integer,
            "int8" => NpgsqlDbType.Bigint,
            "bool" => NpgsqlDbType.Boolean,
            "text" => NpgsqlDbType.Text,
            "varchar" => NpgsqlDbType.Varchar,
            "bytea" => NpgsqlDbType.Bytea,
            "timestamptz" => NpgsqlDbType.TimestampTz,
            "date" => NpgsqlDbType.Date,
            "_text" or "_varchar" => NpgsqlDbType.Array | NpgsqlDbType.Text,
            "_bytea" => NpgsqlDbType.Array | NpgsqlDbType.Bytea,
            _ => throw new InvalidOperationException($"a column of the type {name}"),
        };
    }
}

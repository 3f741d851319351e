using System.Data;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace PersistCa.Storage.Backup;

/// <summary>Writes everything in the store into a backup, as it was at one moment. Servers may be running.</summary>
/// <param name="factory">Makes contexts.</param>
/// <param name="clock">The time.</param>
public sealed class StoreDump(IDbContextFactory<CaDb> factory, TimeProvider clock)
{
    /// <summary>Writes the lines.</summary>
    /// <param name="stream">Where they go.</param>
    /// <param name="product">Version of the program.</param>
    /// <param name="files">Files that go along, by their names.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<BackupManifest> WriteAsync(Stream stream, string product, IReadOnlyList<(string Name, byte[] Octets)> files, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var moment = await BeginAsync(db, cancel);
        using var writer = new BackupWriter(stream);
        var applied = await db.Database.GetAppliedMigrationsAsync(cancel);
        writer.Head(new BackupHeader(BackupHeader.FormatName, BackupHeader.NewestVersion, product, clock.GetUtcNow(), db.Kind.ToString(), [.. applied.Select(BackupLayout.SchemaName)]));
        var marks = await ReadMarksAsync(db, clock.GetUtcNow(), cancel);
        await using var json = new Utf8JsonWriter(writer.Line);
        foreach (var table in BackupLayout.Of(db))
        {
            writer.BeginTable(table);
            var order = table.Columns.Any(c => c is { Name: "id", Kind: ColumnKind.Int }) ? " ORDER BY id" : "";
            await using var command = await StoreCatalog.CommandAsync(
                db, $"SELECT {string.Join(", ", table.Columns.Select(c => StoreCatalog.Quoted(c.Name)))} FROM {StoreCatalog.Quoted(table.Name)}{order}", cancel);
            await using var reader = await command.ExecuteReaderAsync(cancel);
            while (await reader.ReadAsync(cancel))
            {
                BackupRow.Write(writer.Line, json, reader, db.Kind, table.Columns);
                writer.EndRow();
            }

            writer.EndTable();
        }

        foreach (var (name, octets) in files)
        {
            writer.File(name, octets);
        }

        return writer.End(marks);
    }

    /// <summary>How far the store has come: little, cheap to read, and worth keeping elsewhere more often than a backup is made.</summary>
    public async Task<StoreMarks> MarksAsync(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var moment = await BeginAsync(db, cancel);
        return await ReadMarksAsync(db, clock.GetUtcNow(), cancel);
    }

    internal static async Task<StoreMarks> ReadMarksAsync(CaDb db, DateTimeOffset now, CancellationToken cancel)
    {
        var newest = await db.AuditEntries.AsNoTracking().OrderByDescending(e => e.Id).FirstOrDefaultAsync(cancel);
        var lists = await db.Crls.GroupBy(c => new { c.IssuerId, c.Shard }).Select(g => new { g.Key.IssuerId, g.Key.Shard, Number = g.Max(c => c.Number) }).ToListAsync(cancel);
        return new StoreMarks(
            now,
            newest is null ? null : new AuditMark(newest.Id, AuditDigest.Of(newest)),
            [.. lists.OrderBy(l => l.IssuerId, StringComparer.Ordinal).ThenBy(l => l.Shard).Select(l => new ListMark(l.IssuerId, l.Shard, l.Number))]);
    }

    // All statements see one moment. PostgreSQL has to be told so; on SQLite a transaction that reads does, if it does not begin as a writer.
    private static async Task<IAsyncDisposable> BeginAsync(CaDb db, CancellationToken cancel)
    {
        if (db.Kind == StoreKind.PostgreSql)
        {
            var scope = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancel);
            await db.Database.ExecuteSqlRawAsync("SET TRANSACTION READ ONLY", cancel);
            return scope;
        }

        await db.Database.OpenConnectionAsync(cancel);
        var transaction = ((SqliteConnection)db.Database.GetDbConnection()).BeginTransaction(deferred: true);
        await db.Database.UseTransactionAsync(transaction, cancel);
        return transaction;
    }
}

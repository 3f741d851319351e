using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Backup;
using PersistCa.Testing;
using static PersistCa.Storage.Tests.Sample;

namespace PersistCa.Storage.Tests.Backup;

/// <summary>A backup brings back everything, into either kind of database, or nothing.</summary>
public abstract class BackupTests(StoreKind kind)
{
    [SkippableTheory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.PostgreSql)]
    public async Task Every_row_comes_back_into_either_kind_of_database(StoreKind other)
    {
        await using var from = await TestStore.OpenAsync(kind);
        await BackupBed.FillAsync(from);
        var lines = await from.LinesAsync();
        await using var to = await TestStore.OpenEmptyAsync(other);

        Assert.Null(await to.Load().RefuseAsync(BackupBed.Verify(lines), None));
        var loaded = await to.LoadAsync(lines);

        Assert.True(loaded.IsValid, loaded.Reason);
        var (before, after) = (BackupBed.Verify(lines).Manifest, BackupBed.Verify(await to.LinesAsync()).Manifest);
        Assert.Equal(before.Tables, after.Tables);
        Assert.Equal(before.Marks.Audit, after.Marks.Audit);
        var issuer = await to.Store.ReadAsync(db => db.Issuers.SingleAsync(), None);
        Assert.Equal([[2, 3], [4]], issuer.ChainDer);
        Assert.Equal(["ä.test", "*.b.test"], (await to.Store.ReadAsync(db => db.Orders.OrderBy(o => o.Id).FirstAsync(), None)).Names);
    }

    [SkippableFact]
    public async Task Internal_ids_go_on_behind_those_that_came_back()
    {
        await using var from = await TestStore.OpenAsync(kind);
        await BackupBed.FillAsync(from);
        await using var to = await TestStore.OpenEmptyAsync(kind);
        await to.LoadAsync(await from.LinesAsync());

        var most = await to.Store.ReadAsync(db => db.Accounts.MaxAsync(a => a.Id), None);
        Assert.True((await to.AddAccountAsync()).Id > most);
    }

    [SkippableFact]
    public async Task A_restored_store_is_not_finished_before_it_is_reconciled()
    {
        await using var from = await TestStore.OpenAsync(kind);
        await BackupBed.FillAsync(from);
        await using var to = await TestStore.OpenEmptyAsync(kind);
        await to.LoadAsync(await from.LinesAsync());
        Assert.True(await to.Reconciliation().IsAwaitedAsync(None));

        Assert.True((await to.Reconciliation().ReconcileAsync(new KnownState { AcceptLoss = true }, null, None)).IsValid);

        Assert.False(await to.Reconciliation().IsAwaitedAsync(None));
    }

    [SkippableFact]
    public async Task A_database_that_is_not_empty_is_refused()
    {
        await using var from = await TestStore.OpenAsync(kind);
        var backup = BackupBed.Verify(await from.LinesAsync());
        Assert.Null(await from.Load().RefuseAsync(backup, None));
        await from.AddAccountAsync();
        Assert.Contains("is not empty", await from.Load().RefuseAsync(backup, None), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_backup_of_a_newer_schema_is_refused()
    {
        await using var from = await TestStore.OpenAsync(kind);
        var lines = BackupBed.Rewritten(await from.LinesAsync(), node =>
        {
            if (node is JsonObject && node["schema"] is JsonArray schema)
            {
                schema.Add("Tomorrow");
            }

            return node;
        });
        Assert.Contains("its schema has Tomorrow", await from.Load().RefuseAsync(BackupBed.Verify(lines), None), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_backup_of_an_older_schema_is_brought_up_to_date()
    {
        await using var from = await TestStore.OpenAsync(kind);
        await BackupBed.FillAsync(from);
        var (floor, issuers) = (-1, false);
        var lines = BackupBed.Rewritten(await from.LinesAsync(), node =>
        {
            switch (node)
            {
                case JsonObject when node["schema"] is JsonArray schema:
                    while (schema[^1]!.GetValue<string>() != "Nodes")
                    {
                        schema.RemoveAt(schema.Count - 1);
                    }

                    return node;
                case JsonObject when node["table"] is { } table:
                    issuers = table.GetValue<string>() == "issuers";
                    if (issuers)
                    {
                        var columns = node["columns"]!.AsArray();
                        floor = columns.Select(c => c![0]!.GetValue<string>()).ToList().IndexOf("crl_number_floor");
                        columns.RemoveAt(floor);
                    }

                    return table.GetValue<string>() == "lost_revocations" ? null : node;
                case JsonArray row when issuers:
                    row.RemoveAt(floor);
                    return node;
                default:
                    return node;
            }
        });
        await using var to = await TestStore.OpenEmptyAsync(kind);

        Assert.Null(await to.Load().RefuseAsync(BackupBed.Verify(lines), None));
        var loaded = await to.LoadAsync(lines);

        Assert.True(loaded.IsValid, loaded.Reason);
        Assert.Empty(await to.Upkeep.PendingMigrationsAsync(None));
        Assert.Equal(0, (await to.Store.ReadAsync(db => db.Issuers.SingleAsync(), None)).CrlNumberFloor);
    }

    [SkippableFact]
    public async Task Nothing_stays_of_a_file_that_is_another_when_it_is_read_again()
    {
        await using var from = await TestStore.OpenAsync(kind);
        await BackupBed.FillAsync(from);
        var first = await from.LinesAsync();
        await from.AddAccountAsync();
        await using var to = await TestStore.OpenEmptyAsync(kind);

        var loaded = await to.LoadAsync(await from.LinesAsync(), verified: first);

        Assert.Contains("changed while it was read", loaded.Reason, StringComparison.Ordinal);
        Assert.Null(await to.Load().RefuseAsync(BackupBed.Verify(first), None));
        Assert.False(await to.Reconciliation().IsAwaitedAsync(None));
    }

    [SkippableFact]
    public async Task Rows_that_refer_to_nothing_are_refused_and_nothing_stays()
    {
        await using var from = await TestStore.OpenAsync(kind);
        await BackupBed.FillAsync(from);
        var accounts = false;
        var lines = BackupBed.Rewritten(await from.LinesAsync(), node =>
        {
            accounts = node is JsonObject ? node["table"]?.GetValue<string>() == "accounts" : accounts;
            return accounts && node is JsonArray ? null : node;
        });
        await using var to = await TestStore.OpenEmptyAsync(kind);

        Assert.Contains("do not fit together", (await to.LoadAsync(lines)).Reason, StringComparison.Ordinal);
        Assert.Null(await to.Load().RefuseAsync(BackupBed.Verify(lines), None));
    }

    [SkippableFact]
    public async Task A_backup_holds_one_moment()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await BackupBed.FillAsync(s);
        var before = BackupBed.Verify(await s.LinesAsync()).Rows;
        var stream = new SideStream(() => s.AddAccountAsync());

        var during = await s.Dump().WriteAsync(stream, "test", [], None);

        Assert.True(stream.Ran);
        Assert.Equal(before, during.Tables.Sum(t => t.Rows));
        Assert.NotEqual(before, BackupBed.Verify(await s.LinesAsync()).Rows);
    }

    [SkippableFact]
    public async Task The_marks_of_a_backup_are_those_of_its_moment()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await BackupBed.FillAsync(s);
        var marks = BackupBed.Verify(await s.LinesAsync()).Manifest.Marks;
        var newest = await s.Store.ReadAsync(db => db.AuditEntries.OrderByDescending(e => e.Id).FirstAsync(), None);
        Assert.Equal(new AuditMark(newest.Id, AuditDigest.Of(newest)), marks.Audit);
        Assert.Equal([new ListMark(IssuerId, 0, 500)], marks.Lists);
        Assert.Equal(marks.Audit, StoreMarksText.Read(StoreMarksText.Write(await s.Dump().MarksAsync(None))).Value!.Audit);
    }

    /// <summary>Does something else once, when the first octets are written: the snapshot is taken by then.</summary>
    private sealed class SideStream(Func<Task> aside) : MemoryStream
    {
        private int writes;

        public bool Ran { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            // The header comes before the first query of the snapshot on SQLite has necessarily run; the first line of a table does not.
            if (++writes == 2)
            {
                var other = Task.Run(aside);
                Assert.True(((IAsyncResult)other).AsyncWaitHandle.WaitOne(Patience.Most));
                Ran = other.IsCompletedSuccessfully;
            }
        }
    }
}

public sealed class SqliteBackupTests() : BackupTests(StoreKind.Sqlite);

public sealed class PostgreSqlBackupTests() : BackupTests(StoreKind.PostgreSql);

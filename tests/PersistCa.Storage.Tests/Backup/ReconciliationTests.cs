using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Certificates;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Backup;
using PersistCa.Storage.Integrity;
using PersistCa.Storage.Status;
using PersistCa.Testing;
using static PersistCa.Storage.Tests.Sample;

namespace PersistCa.Storage.Tests.Backup;

/// <summary>What was published before a loss does not go back after a restore.</summary>
public abstract class ReconciliationTests(StoreKind kind)
{
    private const string Strange = "0d";

    private static readonly KnownState Accepted = new() { AcceptLoss = true };

    [SkippableFact]
    public async Task Without_a_known_entry_and_without_accepting_the_loss_nothing_is_done()
    {
        await using var s = await FilledAsync();
        Assert.Contains("--known-audit-entry", (await s.Reconciliation().ReconcileAsync(new KnownState(), null, None)).Reason, StringComparison.Ordinal);
        Assert.Equal(0, (await s.Store.ReadAsync(db => db.Issuers.SingleAsync(), None)).CrlNumberFloor);
    }

    [SkippableFact]
    public async Task A_log_that_holds_the_known_entry_has_lost_nothing()
    {
        await using var s = await FilledAsync();
        var newest = (await s.Dump().MarksAsync(None)).Audit!;
        var done = await s.Reconciliation().ReconcileAsync(new KnownState { Audit = newest }, null, None);
        Assert.Equal(0, done.Value!.LostEntries);
        Assert.All(await EntriesAfterAsync(s, newest.Id), e => Assert.InRange(e.Id, newest.Id + 1, newest.Id + 100));
    }

    [SkippableFact]
    public async Task A_log_that_ends_before_the_known_entry_is_refused_and_with_the_loss_accepted_its_ids_are_not_given_again()
    {
        await using var s = await FilledAsync();
        var newest = (await s.Dump().MarksAsync(None)).Audit!;
        var known = new AuditMark(newest.Id + 50, new string('0', 64));
        Assert.Contains($"ends at entry {newest.Id}", (await s.Reconciliation().ReconcileAsync(new KnownState { Audit = known }, null, None)).Reason, StringComparison.Ordinal);

        var done = await s.Reconciliation().ReconcileAsync(new KnownState { Audit = known, AcceptLoss = true }, null, None);

        Assert.Equal(50, done.Value!.LostEntries);
        var entries = await EntriesAfterAsync(s, newest.Id);
        Assert.All(entries, e => Assert.True(e.Id > known.Id));
        Assert.Contains("\"lost-entries\":\"50\"", Assert.Single(entries, e => e.Kind == AuditKinds.StoreReconciled).Facts, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Where_nobody_knows_the_newest_entry_ids_skip_ahead()
    {
        await using var s = await FilledAsync();
        var newest = (await s.Dump().MarksAsync(None)).Audit!;
        Assert.Null((await s.Reconciliation().ReconcileAsync(Accepted, null, None)).Value!.LostEntries);
        Assert.All(await EntriesAfterAsync(s, newest.Id), e => Assert.True(e.Id > newest.Id + StoreReconciliation.Jump));
    }

    [SkippableFact]
    public async Task A_log_with_another_entry_in_the_place_of_the_known_one_is_refused_whatever_is_accepted()
    {
        await using var s = await FilledAsync();
        var newest = (await s.Dump().MarksAsync(None)).Audit!;
        foreach (var id in new[] { newest.Id, newest.Id - 1 })
        {
            var done = await s.Reconciliation().ReconcileAsync(Accepted with { Audit = new AuditMark(id, new string('0', 64)) }, null, None);
            Assert.Contains("another entry", done.Reason, StringComparison.Ordinal);
        }
    }

    [SkippableFact]
    public async Task Numbers_of_lists_go_on_above_the_highest_that_is_known()
    {
        await using var s = await FilledAsync();
        var high = 3 * s.Store.Now.ToUnixTimeSeconds();
        await s.Reconciliation().ReconcileAsync(Accepted with { Numbers = new Dictionary<string, long> { [IssuerId] = high } }, null, None);
        Assert.Equal(high, await s.Store.ReadAsync(db => db.CrlNumberFloorAsync(IssuerId, None), None));
        Assert.Empty(await s.Store.ReadAsync(db => db.Crls.ToListAsync(), None)); // the old one was followed by others
    }

    [SkippableFact]
    public async Task Numbers_of_lists_skip_ahead_where_none_is_known()
    {
        await using var s = await FilledAsync();
        await s.Reconciliation().ReconcileAsync(Accepted, null, None);
        Assert.Equal(s.Store.Now.ToUnixTimeSeconds() + StoreReconciliation.Jump, await s.Store.ReadAsync(db => db.CrlNumberFloorAsync(IssuerId, None), None));
    }

    [SkippableFact]
    public async Task A_floor_is_never_lowered()
    {
        await using var s = await FilledAsync();
        await s.Reconciliation().ReconcileAsync(Accepted with { Number = 1_000_000_000_000 }, null, None);
        await s.Reconciliation().ReconcileAsync(Accepted with { Number = 7 }, null, None);
        Assert.Equal(1_000_000_000_000, await s.Store.ReadAsync(db => db.CrlNumberFloorAsync(IssuerId, None), None));
    }

    [SkippableFact]
    public async Task What_a_published_list_shows_as_revoked_stays_revoked()
    {
        await using var s = await FilledAsync();
        var since = s.Store.Now.AddHours(-1);
        var done = await s.Reconciliation().ReconcileAsync(Accepted with { Lists = [List(s, new(BackupBed.Issued, since, 4), new(BackupBed.Revoked, since, 4), new(Strange, since, null))] }, null, None);

        Assert.Equal((1, 0, 1), (done.Value!.Revoked, done.Value.Upgraded, done.Value.Unknown));
        var certificate = await s.Store.ReadAsync(db => db.Certificates.SingleAsync(c => c.Serial == BackupBed.Issued), None);
        Assert.Equal((CertificateStatus.Revoked, since, 4, s.Store.Now), (certificate.Status, certificate.RevokedAt, certificate.RevocationReason, certificate.StatusChangedAt));
        var listed = await s.Store.ReadAsync(db => db.CrlEntriesAsync(IssuerId, 0, null, None), None);
        Assert.Equal([BackupBed.Issued, BackupBed.Revoked, Strange], listed.Select(e => e.Serial).Order());
        Assert.Null(await s.Store.ReadAsync(db => db.OcspAnswerAsync(BackupBed.Issued, 1, s.Store.Now, None), None));
        Assert.Equal(900, (await s.Store.ReadAsync(db => db.Crls.SingleAsync(), None)).Number);
    }

    [SkippableFact]
    public async Task A_list_that_is_shown_twice_changes_nothing_the_second_time()
    {
        await using var s = await FilledAsync();
        var known = Accepted with { Lists = [List(s, new(BackupBed.Issued, s.Store.Now, 1), new(Strange, s.Store.Now, null))] };
        await s.Reconciliation().ReconcileAsync(known, null, None);
        var again = await s.Reconciliation().ReconcileAsync(known, null, None);
        Assert.Equal((0, 0, 0, 0), (again.Value!.Revoked, again.Value.Upgraded, again.Value.Unknown, again.Value.Abandoned));
        Assert.Single(await s.Store.ReadAsync(db => db.Crls.ToListAsync(), None));
    }

    [SkippableFact]
    public async Task A_reason_that_became_key_compromise_stays_so_and_the_key_is_blocked()
    {
        await using var s = await FilledAsync();
        var done = await s.Reconciliation().ReconcileAsync(Accepted with { Lists = [List(s, new(BackupBed.Issued, s.Store.Now, 1), new(BackupBed.Revoked, s.Store.Now, 1))] }, null, None);
        Assert.Equal((1, 1), (done.Value!.Revoked, done.Value.Upgraded));
        Assert.True(await s.Store.ReadAsync(db => db.IsBlockedAsync(new string('f', 64), None), None));
        Assert.Equal(2, await s.Store.ReadAsync(db => db.Certificates.CountAsync(c => c.RevocationReason == 1), None));
    }

    [SkippableFact]
    public async Task An_intent_is_given_up_with_its_order_and_its_work_since_its_serial_may_have_been_signed()
    {
        await using var s = await FilledAsync();
        var done = await s.Reconciliation().ReconcileAsync(Accepted with { Lists = [List(s, new KnownRevocation(BackupBed.Intended, s.Store.Now, 4))] }, null, None);

        Assert.Equal((1, 1), (done.Value!.Abandoned, done.Value.Unknown));
        var certificate = await s.Store.ReadAsync(db => db.Certificates.SingleAsync(c => c.Serial == BackupBed.Intended), None);
        Assert.Equal(CertificateStatus.Abandoned, certificate.Status);
        Assert.NotNull((await s.Store.ReadAsync(db => db.Orders.SingleAsync(o => o.Id == certificate.OrderId), None)).Error);
        Assert.Empty(await s.Store.ReadAsync(db => db.WorkItems.ToListAsync(), None));
        Assert.Contains(BackupBed.Intended, (await s.Store.ReadAsync(db => db.CrlEntriesAsync(IssuerId, 0, null, None), None)).Select(e => e.Serial));
        var findings = new List<StoreFinding>();
        await foreach (var finding in new StoreInspection(s.Factory).CheckAsync(StoreRules.All.Where(r => r.Id is "S01" or "S05" or "S06" or "S08" or "S09"), None))
        {
            findings.Add(finding);
        }

        Assert.Empty(findings);
    }

    [SkippableFact]
    public async Task Leases_of_nodes_that_are_gone_are_freed()
    {
        await using var s = await FilledAsync();
        await s.EnqueueAsync(7);
        await s.Leases.LeaseAsync(WorkQueue.WorkKind.Validate, "lost-node", 1, TimeSpan.FromDays(1), WorkQueue.WorkShares.Of(10), None);
        await s.Reconciliation().ReconcileAsync(Accepted, null, None);
        Assert.Null((await s.Store.ReadAsync(db => db.WorkItems.SingleAsync(), None)).LeasedBy);
    }

    private async Task<TestStore> FilledAsync()
    {
        var s = await TestStore.OpenAsync(kind);
        await BackupBed.FillAsync(s);
        return s;
    }

    private static KnownList List(TestStore s, params KnownRevocation[] entries) => new(IssuerId, 0, 900, new byte[] { 8 }, s.Store.Now, s.Store.Now.AddDays(1), entries);

    private static Task<List<AuditEntry>> EntriesAfterAsync(TestStore s, long id) => s.Store.ReadAsync(db => db.AuditEntries.Where(e => e.Id > id).ToListAsync(), None);
}

public sealed class SqliteReconciliationTests() : ReconciliationTests(StoreKind.Sqlite);

public sealed class PostgreSqlReconciliationTests() : ReconciliationTests(StoreKind.PostgreSql);

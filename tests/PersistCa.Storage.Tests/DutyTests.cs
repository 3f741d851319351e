using Microsoft.EntityFrameworkCore;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Nodes;
using PersistCa.Storage.Postgres;
using PersistCa.Testing;
using static PersistCa.Storage.Tests.Sample;

namespace PersistCa.Storage.Tests;

/// <summary>What one node at a time does: taken in epochs, so that who had it before records nothing more.</summary>
public abstract class DutyTests(StoreKind kind)
{
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    [SkippableFact]
    public async Task Whoever_takes_a_duty_ends_the_epoch_before_and_leaves_an_audit_entry()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var book = Book(s);
        var first = await book.TakeAsync("d", "a", null, None);
        Assert.True(await HoldsAsync(s, first!.Value));
        var second = await book.TakeAsync("d", "b", null, None);
        Assert.Equal((1L, 2L), (first!.Value, second!.Value));
        Assert.False(await HoldsAsync(s, first.Value));
        Assert.True(await HoldsAsync(s, second.Value));
        var entries = await s.Store.ReadAsync(db => db.AuditEntries.Where(e => e.Kind == AuditKinds.DutyTaken).OrderBy(e => e.Id).Select(e => e.Facts).ToListAsync(), None);
        Assert.Equal(["""{"epoch":"1","node":"a"}""", """{"epoch":"2","node":"b"}"""], entries);
    }

    [SkippableFact]
    public async Task A_duty_held_for_a_time_is_left_to_its_holder_until_then_and_longer_while_he_keeps_it()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var book = Book(s);
        var mine = (await book.TakeAsync("d", "a", Hold, None))!.Value;
        s.Time.Advance(Hold - Tick);
        Assert.Null(await book.TakeAsync("d", "b", Hold, None));
        Assert.True(await book.KeepAsync("d", mine, Hold, None));
        s.Time.Advance(Hold - Tick);
        Assert.Null(await book.TakeAsync("d", "b", Hold, None));
        s.Time.Advance(Tick);
        Assert.Equal(mine + 1, await book.TakeAsync("d", "b", Hold, None));
        Assert.False(await book.KeepAsync("d", mine, Hold, None));
    }

    [SkippableFact]
    public async Task A_duty_that_was_left_is_anybodys_at_once_and_a_node_that_died_finds_its_own_again()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var book = Book(s);
        var mine = (await book.TakeAsync("d", "a", Hold, None))!.Value;
        await book.LeaveAsync("d", mine, None);
        var theirs = await book.TakeAsync("d", "b", Hold, None);
        Assert.Equal(mine + 1, theirs);
        await book.LeaveAsync("d", mine, None); // of an epoch that is over: nothing
        Assert.Null(await book.TakeAsync("d", "a", Hold, None));
        Assert.Equal(mine + 2, await book.TakeAsync("d", "b", Hold, None));
    }

    private static DutyBook Book(TestStore s) => new(s.Factory, s.Store);

    private static async Task<bool> HoldsAsync(TestStore s, long epoch) =>
        (await s.Store.WriteAsync<ValueTuple<bool>>(Actor.Server, async t => ValueTuple.Create(await DutyBook.HoldsAsync(t, "d", epoch, None)), None)).Value.Item1;
}

public sealed class SqliteDutyTests() : DutyTests(StoreKind.Sqlite);

public sealed class PostgreSqlDutyTests() : DutyTests(StoreKind.PostgreSql)
{
    private const long Key = 7;

    [SkippableFact]
    public async Task A_lock_is_one_sessions_until_that_ends_and_news_reach_every_other_session()
    {
        await using var s = await TestStore.OpenAsync(StoreKind.PostgreSql);
        var connection = await s.Store.ReadAsync(db => Task.FromResult(db.Database.GetConnectionString()!), None);
        var first = await NodeSession.OpenAsync(connection, None);
        await using var second = await NodeSession.OpenAsync(connection, None);
        Assert.True(await first.TryLockAsync(Key, None));
        Assert.False(await second.TryLockAsync(Key, None));
        Assert.Equal(2, await second.BeatAsync(None));

        await s.Store.ReadAsync(db => NodeSession.TellAsync(db, "a\nb", None), None);
        Assert.Equal(["a\nb"], await first.WaitAsync(Patience.Most, None));
        Assert.Equal(["a\nb"], await second.WaitAsync(Patience.Most, None));

        await first.DisposeAsync();
        await Patience.UntilAsync(() => second.TryLockAsync(Key, None), "the lock of a session that has ended is not free");
        await second.UnlockAsync(Key, None);
        await using var third = await NodeSession.OpenAsync(connection, None);
        Assert.True(await third.TryLockAsync(Key, None));
    }

    [SkippableFact]
    public async Task A_duty_is_taken_from_nobody_while_a_transaction_rests_on_it()
    {
        await using var s = await TestStore.OpenAsync(StoreKind.PostgreSql);
        var book = new DutyBook(s.Factory, s.Store);
        var mine = (await book.TakeAsync("d", "a", null, None))!.Value;
        Task<long?>? taking = null;
        await s.WriteAsync(async t =>
        {
            Assert.True(await DutyBook.HoldsAsync(t, "d", mine, None));
            taking = book.TakeAsync("d", "b", null, None);
            await Patience.UntilAsync(
                () => s.Store.ReadAsync(async db => await db.Database.SqlQuery<int>($"SELECT count(*)::int AS \"Value\" FROM pg_locks WHERE NOT granted").SingleAsync(None) > 0, None),
                "nobody waits");
            Assert.False(taking.IsCompleted);
            return "recorded";
        });
        Assert.Equal(mine + 1, await taking!);
    }
}

using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Storage.WorkQueue;
using PersistCa.Testing;
using static PersistCa.Storage.Tests.Sample;

namespace PersistCa.Storage.Tests;

/// <summary>Queued work is done once: the lease decides who may conclude.</summary>
public abstract class WorkLeasesTests(StoreKind kind)
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);
    private static readonly AcmeProblem Lost = new(ProblemCatalog.ServerInternal, "the lease was lost");

    [SkippableTheory]
    [InlineData(false, 1)]
    [InlineData(true, 0)]
    public async Task Work_is_queued_with_its_change_or_not_at_all(bool refused, int depth)
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.TryAsync<string>(Actor.Server, async t =>
        {
            t.Enqueue(WorkKind.Issue, 7, 0, null, 1);
            await t.Db.SaveChangesAsync();
            return refused ? Lost : (Outcome<string>)"done";
        });
        Assert.Equal(depth, await s.Leases.DepthAsync(WorkKind.Issue, None));
        Assert.Equal(0, await s.Leases.DepthAsync(WorkKind.Validate, None));
    }

    [SkippableFact]
    public async Task A_leased_item_is_nobody_elses_before_its_lease_lapses()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var held = await LeasedAsync(s, "a");
        Assert.Equal(("a", s.Store.Now + Lease, 1), (held.LeasedBy, held.LeasedUntil, held.Attempts));
        s.Time.Advance(Lease - Tick);
        Assert.Empty(await LeaseAsync(s, "b"));
        Assert.Empty(await LeaseAsync(s, "a"));
    }

    [SkippableFact]
    public async Task A_leased_item_is_leased_again_after_its_lease_lapsed()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await LeasedAsync(s, "a");
        s.Time.Advance(Lease + Tick);
        var again = Assert.Single(await LeaseAsync(s, "b"));
        Assert.Equal(("b", s.Store.Now + Lease, 2), (again.LeasedBy, again.LeasedUntil, again.Attempts));
    }

    [SkippableFact]
    public async Task No_account_and_no_domain_has_more_places_than_its_share_and_others_pass_by()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.WriteAsync(t =>
        {
            for (var i = 0; i < 20; i++)
            {
                t.Enqueue(WorkKind.Validate, i, 0, null, 1, i < 10 ? "dead.test" : $"n{i}.test");
            }

            t.Enqueue(WorkKind.Validate, 20, 0, null, 2, "dead.test");
            t.Enqueue(WorkKind.Validate, 21, 0, null, 2, "alive.test");
            t.Enqueue(WorkKind.Validate, 22, 0, null, 3);
            return Task.FromResult("done");
        });
        var shares = new WorkShares(6, 2);

        var first = await s.Leases.LeaseAsync(WorkKind.Validate, "a", 20, Lease, shares, None);
        var second = await s.Leases.LeaseAsync(WorkKind.Validate, "a", 20, Lease, shares, None);
        var elsewhere = await s.Leases.LeaseAsync(WorkKind.Validate, "b", 20, Lease, shares, None);

        Assert.Equal(2, first.Count(w => w.Domain == "dead.test"));
        Assert.True(first.Count(w => w.AccountId == 1) <= 6);
        Assert.Contains(first, w => w.SubjectId == 21);
        Assert.Contains(first, w => w.SubjectId == 22);
        Assert.DoesNotContain(second, w => w.Domain == "dead.test");
        Assert.True(first.Concat(second).Count(w => w.AccountId == 1) <= 6);
        Assert.Equal(2, elsewhere.Count(w => w.Domain == "dead.test"));
    }

    [SkippableFact]
    public async Task Work_of_another_kind_is_not_leased()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.EnqueueAsync(1);
        Assert.Empty(await s.Leases.LeaseAsync(WorkKind.Issue, "a", 5, Lease, WorkShares.Of(1000), None));
    }

    [SkippableFact]
    public async Task Whoever_holds_the_lease_concludes_and_the_item_is_gone()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var held = await LeasedAsync(s, "a");
        Assert.False((await ConcludeAsync(s, held)).IsRefused);
        Assert.Equal((1, 0), await ConclusionsAsync(s));
        Assert.True((await ConcludeAsync(s, held)).IsRefused);
    }

    [SkippableTheory]
    [InlineData("b")]
    [InlineData("a")]
    public async Task Whoever_lost_the_lease_concludes_nothing_even_to_itself(string taker)
    {
        await using var s = await TestStore.OpenAsync(kind);
        var lost = await LeasedAsync(s, "a");
        s.Time.Advance(Lease + Tick);
        var held = Assert.Single(await LeaseAsync(s, taker));

        var outcome = await ConcludeAsync(s, lost);

        Assert.Same(Lost, outcome.Problem);
        Assert.Equal((0, 1), await ConclusionsAsync(s));
        Assert.False((await ConcludeAsync(s, held)).IsRefused);
        Assert.Equal((1, 0), await ConclusionsAsync(s));
    }

    [SkippableFact]
    public async Task A_lease_concludes_once_though_two_try_at_once()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var held = await LeasedAsync(s, "a");
        var outcomes = await Task.WhenAll(Task.Run(() => ConcludeAsync(s, held)), Task.Run(() => ConcludeAsync(s, held)));
        Assert.Single(outcomes, o => !o.IsRefused);
        Assert.Equal((1, 0), await ConclusionsAsync(s));
    }

    [SkippableFact]
    public async Task A_refused_conclusion_gives_the_item_and_its_lease_back()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var held = await LeasedAsync(s, "a");
        await s.TryAsync<string>(Actor.Server, async t =>
        {
            Assert.True(await WorkLeases.TakeAsync(t, held, None));
            return Lost;
        });
        Assert.Empty(await LeaseAsync(s, "b"));
        Assert.False((await ConcludeAsync(s, held)).IsRefused);
    }

    [SkippableFact]
    public async Task A_lease_holds_until_another_has_it()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var held = await LeasedAsync(s, "a");
        Assert.True(await HoldsAsync(s, held));
        s.Time.Advance(Lease + Tick);
        var taken = Assert.Single(await LeaseAsync(s, "b"));
        Assert.False(await HoldsAsync(s, held));
        Assert.True(await HoldsAsync(s, taken));
    }

    [SkippableFact]
    public async Task A_node_that_starts_again_frees_what_it_held_and_nothing_else()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.EnqueueAsync(1, 2);
        var lost = Assert.Single(await LeaseAsync(s, "a", 1));
        Assert.Single(await LeaseAsync(s, "b", 1));

        Assert.Equal(1, await s.Leases.ReleaseNodeAsync("a", None));

        Assert.True((await ConcludeAsync(s, lost)).IsRefused);
        Assert.Equal(lost.SubjectId, Assert.Single(await LeaseAsync(s, "c")).SubjectId);
    }

    [SkippableFact]
    public async Task A_postponed_item_comes_back_in_its_time()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var item = await LeasedAsync(s, "a");
        await s.Leases.PostponeAsync(item, TimeSpan.FromSeconds(30), None);
        s.Time.Advance(TimeSpan.FromSeconds(30) - Tick);
        Assert.Empty(await LeaseAsync(s, "a"));
        s.Time.Advance(Tick);
        Assert.Equal(2, Assert.Single(await LeaseAsync(s, "a")).Attempts);
    }

    [SkippableFact]
    public async Task Whoever_lost_the_lease_postpones_nothing()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var lost = await LeasedAsync(s, "a");
        s.Time.Advance(Lease + Tick);
        var held = Assert.Single(await LeaseAsync(s, "b"));
        await s.Leases.PostponeAsync(lost, TimeSpan.FromHours(1), None);
        Assert.True(await HoldsAsync(s, held));
    }

    [SkippableTheory]
    [InlineData(1, new long[] { 2 })]
    [InlineData(5, new long[] { 2, 3, 1 })]
    public async Task What_is_due_longest_is_leased_first_and_at_most_as_much_as_asked(int most, long[] expected)
    {
        await using var s = await TestStore.OpenAsync(kind);
        var first = await LeasedAsync(s, "a");
        await s.Leases.PostponeAsync(first, TimeSpan.FromSeconds(30), None);
        s.Time.Advance(TimeSpan.FromSeconds(10));
        await s.EnqueueAsync(2);
        s.Time.Advance(TimeSpan.FromSeconds(10));
        await s.EnqueueAsync(3);
        s.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(expected, (await LeaseAsync(s, "a", most)).Select(i => i.SubjectId));
    }

    [SkippableFact]
    public async Task Eight_nodes_lease_two_hundred_items_each_once()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.EnqueueAsync(Enumerable.Range(1, 200).Select(i => (long)i));
        var leased = await Task.WhenAll(Enumerable.Range(0, 8).Select(n => Task.Run(async () =>
        {
            var mine = new List<long>();
            while (await LeaseAsync(s, "node" + n, 7) is { Count: > 0 } items)
            {
                mine.AddRange(items.Select(i => i.SubjectId));
            }

            return mine;
        })));
        Assert.Equal(Enumerable.Range(1, 200).Select(i => (long)i), leased.SelectMany(l => l).Order());
    }

    [SkippableFact]
    public async Task Parked_work_is_tried_by_nobody_until_its_time_is_over_and_keeps_its_reason()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var item = await LeasedAsync(s, "a");
        await s.Leases.ParkAsync(item, TimeSpan.FromHours(5), new string('x', WorkItem.MaxReason + 1), None);
        Assert.Equal(1, await s.Leases.ParkedAsync(WorkKind.Validate, None));
        s.Time.Advance(TimeSpan.FromHours(5) - Tick);
        Assert.Empty(await LeaseAsync(s, "b"));
        s.Time.Advance(Tick);
        var last = Assert.Single(await LeaseAsync(s, "b"));
        Assert.NotNull(last.ParkedAt);
        Assert.Equal(new string('x', WorkItem.MaxReason), last.Reason);
    }

    [SkippableFact]
    public async Task Parked_work_that_is_released_is_due_at_once_with_all_its_attempts_before_it()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.Leases.ParkAsync(await LeasedAsync(s, "a"), TimeSpan.FromHours(5), "broken", None);
        await s.WriteAsync(async t =>
        {
            (await t.Db.WorkItems.SingleAsync()).Release(t.Now);
            return "released";
        });
        var again = Assert.Single(await LeaseAsync(s, "a"));
        Assert.Equal((1, null, "broken"), (again.Attempts, again.ParkedAt, again.Reason));
        Assert.Equal(0, await s.Leases.ParkedAsync(WorkKind.Validate, None));
    }

    [SkippableFact]
    public async Task A_node_frees_what_it_holds_without_knowing_and_nothing_of_others_or_of_what_it_works_at()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.EnqueueAsync(1, 2, 3);
        var mine = await LeaseAsync(s, "a", 2);
        var theirs = Assert.Single(await LeaseAsync(s, "b"));
        Assert.Equal(1, await s.Leases.ReleaseNodeAsync(WorkKind.Validate, "a", [mine[0].Id], None));
        Assert.True(await HoldsAsync(s, mine[0]));
        Assert.False(await HoldsAsync(s, mine[1]));
        Assert.True(await HoldsAsync(s, theirs));
    }

    [SkippableFact]
    public async Task Whoever_lost_the_lease_parks_nothing()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var lost = await LeasedAsync(s, "a");
        s.Time.Advance(Lease + Tick);
        var held = Assert.Single(await LeaseAsync(s, "b"));
        await s.Leases.ParkAsync(lost, TimeSpan.FromHours(1), "broken", None);
        Assert.True(await HoldsAsync(s, held));
        Assert.Equal(0, await s.Leases.ParkedAsync(WorkKind.Validate, None));
    }

    [SkippableFact]
    public async Task Work_that_a_clock_dated_ahead_before_it_was_set_back_is_due_and_its_lease_lapsed()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.EnqueueAsync(1, 2);
        var later = s.Store.Now.AddHours(1);
        await s.Store.ReadAsync(
            async db => await db.WorkItems.Where(w => w.SubjectId == 1).ExecuteUpdateAsync(x => x.SetProperty(w => w.DueAt, later))
                + await db.WorkItems.Where(w => w.SubjectId == 2).ExecuteUpdateAsync(x => x.SetProperty(w => w.LeasedUntil, later).SetProperty(w => w.LeasedBy, "gone")),
            None);
        Assert.Equal([1L, 2L], (await LeaseAsync(s, "a")).Select(i => i.SubjectId).Order());
    }

    private static Task<IReadOnlyList<WorkItem>> LeaseAsync(TestStore s, string node, int most = 5) =>
        s.Leases.LeaseAsync(WorkKind.Validate, node, most, Lease, WorkShares.Of(1000), None);

    /// <summary>One item, leased to a node.</summary>
    private static async Task<WorkItem> LeasedAsync(TestStore s, string node)
    {
        await s.EnqueueAsync(1);
        return Assert.Single(await LeaseAsync(s, node));
    }

    /// <summary>What a worker does at the end: the outcome, here an account, is written first, the item taken last.</summary>
    private static Task<Outcome<string>> ConcludeAsync(TestStore s, WorkItem item) => s.TryAsync<string>(Actor.Server, async t =>
    {
        t.Db.Accounts.Add(NewAccount(t.Now));
        await t.Db.SaveChangesAsync();
        return await WorkLeases.TakeAsync(t, item, None) ? (Outcome<string>)"done" : Lost;
    });

    private static async Task<(int Concluded, int Waiting)> ConclusionsAsync(TestStore s) =>
        (await s.Store.ReadAsync(db => db.Accounts.CountAsync(), None), await s.Leases.DepthAsync(WorkKind.Validate, None));

    private static async Task<bool> HoldsAsync(TestStore s, WorkItem item) =>
        (await s.Store.WriteAsync<ValueTuple<bool>>(Actor.Server, async t => ValueTuple.Create(await WorkLeases.HoldsAsync(t, item, None)), None)).Value.Item1;
}

public sealed class SqliteWorkLeasesTests() : WorkLeasesTests(StoreKind.Sqlite);

public sealed class PostgreSqlWorkLeasesTests() : WorkLeasesTests(StoreKind.PostgreSql)
{
    [SkippableFact]
    public async Task What_another_node_is_leasing_at_this_moment_is_passed_over_and_not_waited_for()
    {
        await using var s = await TestStore.OpenAsync(StoreKind.PostgreSql);
        await s.EnqueueAsync(1, 2);
        await using var another = await s.Factory.CreateDbContextAsync(None);
        await using var midway = await another.Database.BeginTransactionAsync(None);
        await another.Database.ExecuteSqlAsync($"SELECT id FROM work_items WHERE subject_id = 1 FOR UPDATE", None);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20)); // runs out only where the lease waits

        var leased = await s.Leases.LeaseAsync(WorkKind.Validate, "a", 5, TimeSpan.FromMinutes(1), WorkShares.Of(1000), patience.Token);

        Assert.Equal(2, Assert.Single(leased).SubjectId);
    }
}

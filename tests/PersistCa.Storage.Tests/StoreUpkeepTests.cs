using Microsoft.EntityFrameworkCore;
using PersistCa.Testing;
using static PersistCa.Storage.Tests.Sample;

namespace PersistCa.Storage.Tests;

/// <summary>Housekeeping.</summary>
public abstract class StoreUpkeepTests(StoreKind kind, string unreachable, string reason, string unreadable)
{
    [SkippableFact]
    public async Task Stale_nonces_are_forgotten_and_others_are_not()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.TryAddAccountAsync(new Actor("a", new NonceUse("stale", s.Store.Now.AddMinutes(1))));
        await s.TryAddAccountAsync(new Actor("a", new NonceUse("at its end", s.Store.Now.AddMinutes(2))));
        await s.TryAddAccountAsync(new Actor("a", new NonceUse("good", s.Store.Now.AddMinutes(3))));
        s.Time.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal(1, await s.Upkeep.ForgetStaleNoncesAsync(None));

        Assert.Equal(["at its end", "good"], await s.Store.ReadAsync(db => db.ConsumedNonces.Select(n => n.Nonce).OrderBy(n => n).ToListAsync(), None));
    }

    [SkippableFact]
    public async Task What_lapsed_without_evidence_is_forgotten_and_what_has_some_or_is_queued_or_in_time_stays()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await s.AddAccountAsync();
        var plain = await AddAsync("plain.test");
        var evidenced = await AddAsync("evidenced.test");
        var queued = await AddAsync("queued.test");
        await s.AddAsync(t => new ValidationRecord { AuthorizationId = evidenced.Authorization, ChallengeType = "dns-01", At = t.Now, Succeeded = false, Evidence = "{}" });
        await s.EnqueueAsync(queued.Authorization);
        s.Time.Advance(TimeSpan.FromHours(2));
        var fresh = await AddAsync("fresh.test");

        Assert.Equal(new Forgotten(1, 1), await s.Upkeep.ForgetLapsedAsync(s.Store.Now, 100, None));
        Assert.Equal(new Forgotten(0, 0), await s.Upkeep.ForgetLapsedAsync(s.Store.Now, 100, None));

        Assert.Equal([evidenced.Order, queued.Order, fresh.Order], await s.Store.ReadAsync(db => db.Orders.Select(o => o.Id).OrderBy(i => i).ToListAsync(), None));
        Assert.Equal(
            [evidenced.Authorization, queued.Authorization, fresh.Authorization],
            await s.Store.ReadAsync(db => db.Authorizations.Select(a => a.Id).OrderBy(i => i).ToListAsync(), None));
        Assert.NotEqual(0, plain.Order);

        Task<Opened> AddAsync(string name) => s.WriteAsync(async t =>
        {
            var order = NewOrder(account, t.Now, name);
            var authorization = NewAuthorization(account, name, false, t.Now);
            t.Db.Add(order);
            t.Db.Add(authorization);
            t.Db.Add(new OrderAuthorization { Order = order, Authorization = authorization });
            await t.Db.SaveChangesAsync();
            return new Opened(order.Id, authorization.Id);
        });
    }

    private sealed record Opened(long Order, long Authorization);

    [SkippableFact]
    public async Task A_database_that_answers_gives_no_reason()
    {
        await using var s = await TestStore.OpenEmptyAsync(kind);
        Assert.Null(await s.Upkeep.ProbeAsync(None));
    }

    [SkippableFact]
    public async Task An_unreachable_database_is_told_with_its_reason_and_not_thrown()
    {
        await using var s = TestStore.Over(kind, unreachable);
        Assert.Contains(reason, await s.Upkeep.ProbeAsync(None), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_connection_string_that_cannot_be_read_is_told_without_what_it_holds()
    {
        await using var s = TestStore.Over(kind, unreadable);
        Assert.Equal("the connection string cannot be read", await s.Upkeep.ProbeAsync(None));
    }
}

public sealed class SqliteStoreUpkeepTests() : StoreUpkeepTests(
    StoreKind.Sqlite,
    "Data Source=/no/such/folder/store.db",
    "unable to open database file",
    "Data Source=x;Sesame=secret");

public sealed class PostgreSqlStoreUpkeepTests() : StoreUpkeepTests(
    StoreKind.PostgreSql,
    "Host=127.0.0.1;Port=1;Timeout=2",
    "Connection refused",
    "Host=127.0.0.1;Sesame=secret")
{
    [SkippableFact]
    public async Task A_host_that_cannot_be_found_is_told_and_not_thrown()
    {
        // No resolver is asked: a label has at most 63 octets.
        await using var s = TestStore.Over(StoreKind.PostgreSql, $"Host={new string('x', 64)}.test;Timeout=2");
        Assert.NotNull(await s.Upkeep.ProbeAsync(None));
    }

    [SkippableFact]
    public async Task A_database_that_does_not_exist_is_told_by_its_name()
    {
        var database = await PostgresCluster.NewDatabaseAsync();
        await PostgresCluster.DropDatabaseAsync(database);
        await using var s = TestStore.Over(StoreKind.PostgreSql, database);
        Assert.Contains("does not exist", await s.Upkeep.ProbeAsync(None), StringComparison.Ordinal);
    }
}

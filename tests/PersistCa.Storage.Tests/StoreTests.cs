using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Orders;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.WorkQueue;
using PersistCa.Testing;

namespace PersistCa.Storage.Tests;

/// <summary>What the store does, the same on both databases.</summary>
public abstract class StoreTests(StoreKind kind)
{
    private const string Jwk = """{"kty":"test"}""";

    private static CancellationToken None => CancellationToken.None;

    [SkippableFact]
    public async Task Migrations_apply_once_and_cover_the_model()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.Upkeep.MigrateAsync(None);
        Assert.Empty(await s.Upkeep.PendingMigrationsAsync(None));
        await using var db = await s.Factory.CreateDbContextAsync(None);
        Assert.False(db.Database.HasPendingModelChanges());
    }

    [SkippableFact]
    public async Task An_order_comes_back_with_all_it_rests_on_in_the_order_of_its_names()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await AccountAsync(s);
        var error = new AcmeProblem(ProblemCatalog.Dns, "detail") { Subproblems = [new AcmeProblem(ProblemCatalog.Caa, "inner") { Identifier = AcmeIdentifier.Dns("a.test") }] };
        var id = PublicId.Next();
        await WriteAsync(s, t =>
        {
            var order = new Order(id, account.Id, ["z.test", "*.a.test"], t.Now, t.Now.AddDays(1), "00-trace", t.Now, t.Now.AddHours(1));
            var first = Authorization(account, "z.test", false, t.Now);
            var second = Authorization(account, "a.test", true, t.Now);
            second.Accept(second.Challenges[1], t.Now);
            second.Fail(second.Challenges[1], error);
            t.Db.AddRange(order, second, first);
            t.Db.OrderAuthorizations.AddRange(
                new OrderAuthorization { Order = order, Authorization = second, Position = 1 },
                new OrderAuthorization { Order = order, Authorization = first, Position = 0 });
        });

        var (order, authorizations) = (await s.Store.ReadAsync(db => db.OrderAsync(id, None), None))!;

        Assert.Equal(["z.test", "*.a.test"], order.Names);
        Assert.Equal(["z.test", "*.a.test"], authorizations.Select(a => a.CertificateName));
        Assert.Equal((s.Store.Now, s.Store.Now.AddDays(1), "00-trace"), (order.NotBefore, order.NotAfter, order.TraceParent));
        Assert.Equal([0, 1], authorizations[1].Challenges.Select(c => c.Ordinal));
        var failed = authorizations[1].Challenges[1];
        Assert.Equal((ChallengeStatus.Invalid, "detail", "inner", "a.test"), (failed.Status, failed.Error!.Detail, failed.Error.Subproblems[0].Detail, failed.Error.Subproblems[0].Identifier!.Value));
        Assert.Equal(OrderStatus.Invalid, order.StatusAt(s.Store.Now, authorizations));
    }

    [SkippableFact]
    public async Task A_refused_change_leaves_nothing_behind()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var nonce = new NonceUse("n", s.Store.Now.AddHours(1));
        var ran = false;
        var outcome = await s.Store.WriteAsync<Account>(
            new Actor("key:x", nonce),
            async t =>
            {
                t.Db.Accounts.Add(Account(t.Now));
                t.Audit(AuditKinds.AccountCreated, "account:x");
                t.AfterCommit(() => ran = true);
                await t.Db.SaveChangesAsync();
                return new AcmeProblem(ProblemCatalog.Malformed, "no");
            },
            None);

        Assert.Equal("no", outcome.Problem!.Detail);
        Assert.False(ran);
        await EmptyAsync(s);
    }

    [SkippableFact]
    public async Task A_change_that_throws_leaves_nothing_behind()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => s.Store.WriteAsync<Account>(
            Actor.Server,
            async t =>
            {
                t.Db.Accounts.Add(Account(t.Now));
                await t.Db.SaveChangesAsync();
                throw new InvalidTimeZoneException("broken surroundings");
            },
            None));
        await EmptyAsync(s);
    }

    [SkippableFact]
    public async Task A_change_without_an_audit_entry_is_a_bug()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await Assert.ThrowsAsync<InvalidOperationException>(() => s.Store.WriteAsync<Account>(
            Actor.Server,
            t =>
            {
                var account = Account(t.Now);
                t.Db.Accounts.Add(account);
                return Task.FromResult<Outcome<Account>>(account);
            },
            None));
        await EmptyAsync(s);
    }

    [SkippableFact]
    public async Task A_nonce_is_spent_once_and_the_second_change_does_not_happen()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var nonce = new NonceUse("nonce", s.Store.Now.AddHours(1));
        Assert.False((await AddAsync(s, new Actor("a", nonce))).IsRefused);

        var second = await AddAsync(s, new Actor("a", nonce));

        Assert.Equal(ProblemCatalog.BadNonce, second.Problem!.Type);
        Assert.Equal(1, await s.Store.ReadAsync(db => db.Accounts.CountAsync(), None));
        Assert.Equal(1, await s.Store.ReadAsync(db => db.AuditEntries.CountAsync(), None));
    }

    [SkippableTheory]
    [InlineData("key", false, true)]
    [InlineData("another key", false, false)]
    [InlineData("key", true, false)]
    public async Task An_account_changes_state_only_while_it_is_valid_and_has_the_key_that_signed(string thumbprint, bool closed, bool accepted)
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await AccountAsync(s, "key");
        if (closed)
        {
            await s.Store.WriteAsync<Account>(
                Actor.Server,
                async t =>
                {
                    var current = (await t.Db.AccountAsync(account.Id, None))!;
                    current.Deactivate(t.Now);
                    t.Audit(AuditKinds.AccountDeactivated, "account:x");
                    return current;
                },
                None);
        }

        var outcome = await AddAsync(s, Actor.Account(account.PublicId, thumbprint, null));

        Assert.Equal(accepted, !outcome.IsRefused);
        Assert.Equal(accepted ? null : 401, outcome.Problem?.Status);
        Assert.Equal(accepted ? 2 : 1, await s.Store.ReadAsync(db => db.Accounts.CountAsync(), None));
    }

    [SkippableFact]
    public async Task Stale_nonces_are_forgotten_and_others_are_not()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await AddAsync(s, new Actor("a", new NonceUse("old", s.Store.Now.AddMinutes(1))));
        await AddAsync(s, new Actor("a", new NonceUse("new", s.Store.Now.AddMinutes(10))));
        s.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, await s.Upkeep.ForgetStaleNoncesAsync(None));
        Assert.Equal("new", await s.Store.ReadAsync(db => db.ConsumedNonces.Select(n => n.Nonce).SingleAsync(), None));
    }

    [SkippableFact]
    public async Task Changes_at_the_same_time_are_all_seen()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await AccountAsync(s);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(() => s.Store.WriteAsync<Account>(
            Actor.Server,
            async t =>
            {
                var current = (await t.Db.AccountAsync(account.Id, None))!;
                current.ChangeContacts([.. current.Contacts, $"mailto:{i}@x.test"]);
                t.Audit(AuditKinds.AccountUpdated, "account:x");
                return current;
            },
            None))));

        var read = (await s.Store.ReadAsync(db => db.AccountAsync(account.Id, None), None))!;
        Assert.Equal(["mailto:0@x.test", "mailto:1@x.test", "mailto:2@x.test", "mailto:3@x.test"], read.Contacts.Order());
        Assert.Equal(4, read.Version);
    }

    [SkippableFact]
    public async Task Many_writers_all_succeed()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Run(() => AddAsync(s, Actor.Server))));
        Assert.Equal(32, await s.Store.ReadAsync(db => db.Accounts.CountAsync(), None));
    }

    [SkippableFact]
    public async Task Every_key_an_account_had_is_kept_newest_first_after_the_current_one()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await AccountAsync(s, "first");
        foreach (var thumbprint in new[] { "second", "third" })
        {
            await s.Store.WriteAsync<Account>(
                Actor.Server,
                async t =>
                {
                    var current = (await t.Db.AccountAsync(account.Id, None))!;
                    current.ReplaceKey(thumbprint, Jwk, t.Now);
                    t.Audit(AuditKinds.AccountKeyChanged, "account:x");
                    return current;
                },
                None);
        }

        var read = (await s.Store.ReadAsync(db => db.AccountByKeyAsync("third", None), None))!;
        Assert.Equal<string>(["third", "second", "first"], [.. read.Facts("u").Thumbprints]);
        Assert.Null(await s.Store.ReadAsync(db => db.AccountByKeyAsync("first", None), None));
    }

    [SkippableTheory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task An_order_has_one_certificate_and_a_serial_is_used_once(bool sameOrder, bool sameSerial)
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await AccountAsync(s);
        await WriteAsync(s, t => t.Db.Issuers.Add(new IssuerRow { Id = "i", CertificateDer = [1], ChainDer = [[2], [3]], AddedAt = t.Now }));
        var orders = new List<Order>();
        for (var i = 0; i < 2; i++)
        {
            await WriteAsync(s, t =>
            {
                orders.Add(new Order(PublicId.Next(), account.Id, ["a.test"], null, null, null, t.Now, t.Now.AddHours(1)));
                t.Db.Orders.Add(orders[^1]);
            });
        }

        await WriteAsync(s, t => t.Db.Certificates.Add(Certificate(account, orders[0], "01", t.Now)));
        await Assert.ThrowsAsync<DbUpdateException>(() => WriteAsync(s, t => t.Db.Certificates.Add(Certificate(account, orders[sameOrder ? 0 : 1], sameSerial ? "01" : "02", t.Now))));
        Assert.Equal([[2], [3]], (await s.Store.ReadAsync(db => db.Issuers.SingleAsync(), None)).ChainDer);
    }

    [SkippableFact]
    public async Task An_unreachable_database_is_told_and_not_thrown()
    {
        await using var s = TestStore.Over(kind, kind == StoreKind.Sqlite ? "Data Source=/no/such/folder/store.db" : "Host=127.0.0.1;Port=1;Timeout=2");
        Assert.NotNull(await s.Upkeep.ProbeAsync(None));
    }

    [SkippableFact]
    public async Task Work_is_queued_with_its_change_or_not_at_all()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.Store.WriteAsync<string>(
            Actor.Server,
            async t =>
            {
                t.Enqueue(WorkKind.Issue, 7, 0, null);
                t.Audit(AuditKinds.OrderFinalized, "order:x");
                await t.Db.SaveChangesAsync();
                return new AcmeProblem(ProblemCatalog.Malformed, "no");
            },
            None);
        Assert.Equal(0, await s.Leases.DepthAsync(WorkKind.Issue, None));
        await EnqueueAsync(s, 1);
        Assert.Equal(1, await s.Leases.DepthAsync(WorkKind.Validate, None));
    }

    [SkippableFact]
    public async Task A_leased_item_is_nobody_elses_until_its_lease_lapses_or_its_node_starts_again()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await EnqueueAsync(s, 1);
        var lease = TimeSpan.FromMinutes(1);
        var held = Assert.Single(await s.Leases.LeaseAsync(WorkKind.Validate, "a", 5, lease, None));
        Assert.Empty(await s.Leases.LeaseAsync(WorkKind.Validate, "b", 5, lease, None));
        Assert.Empty(await s.Leases.LeaseAsync(WorkKind.Issue, "b", 5, lease, None));

        s.Time.Advance(lease + TimeSpan.FromSeconds(1));
        var taken = Assert.Single(await s.Leases.LeaseAsync(WorkKind.Validate, "b", 5, lease, None));
        Assert.Equal(2, taken.Attempts);
        Assert.False(await TakeAsync(s, held));
        Assert.Equal(1, await s.Leases.ReleaseNodeAsync("b", None));
        Assert.False(await TakeAsync(s, taken));
        Assert.True(await TakeAsync(s, Assert.Single(await s.Leases.LeaseAsync(WorkKind.Validate, "a", 5, lease, None))));
        Assert.Equal(0, await s.Leases.DepthAsync(WorkKind.Validate, None));
    }

    [SkippableFact]
    public async Task A_postponed_item_comes_back_in_its_time()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await EnqueueAsync(s, 1);
        var item = Assert.Single(await s.Leases.LeaseAsync(WorkKind.Validate, "a", 5, TimeSpan.FromMinutes(1), None));
        await s.Leases.PostponeAsync(item, TimeSpan.FromSeconds(30), None);
        Assert.Empty(await s.Leases.LeaseAsync(WorkKind.Validate, "a", 5, TimeSpan.FromMinutes(1), None));
        s.Time.Advance(TimeSpan.FromSeconds(31));
        Assert.Single(await s.Leases.LeaseAsync(WorkKind.Validate, "a", 5, TimeSpan.FromMinutes(1), None));
    }

    [SkippableFact]
    public async Task Eight_nodes_lease_two_hundred_items_each_once()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await EnqueueAsync(s, 200);
        var leased = await Task.WhenAll(Enumerable.Range(0, 8).Select(n => Task.Run(async () =>
        {
            var mine = new List<long>();
            while (await s.Leases.LeaseAsync(WorkKind.Validate, "node" + n, 7, TimeSpan.FromMinutes(1), None) is { Count: > 0 } items)
            {
                mine.AddRange(items.Select(i => i.SubjectId));
            }

            return mine;
        })));
        Assert.Equal(Enumerable.Range(1, 200).Select(i => (long)i), leased.SelectMany(l => l).Order());
    }

    private static Account Account(DateTimeOffset now, string? thumbprint = null) => new(PublicId.Next(), thumbprint ?? PublicId.Next(), Jwk, [], true, now);

    private static Authorization Authorization(Account account, string name, bool wildcard, DateTimeOffset now) =>
        new(PublicId.Next(), account.Id, name, wildcard, [(ChallengeType.Dns01, "t1"), (ChallengeType.DnsPersist01, "t2")], now, now.AddHours(1));

    private static IssuedCertificate Certificate(Account account, Order order, string serial, DateTimeOffset now) =>
        new(PublicId.Next(), serial, "i", order.Id, account.Id, "f", [1], now, now.AddDays(1), now);

    private static async Task<Account> AccountAsync(TestStore s, string? thumbprint = null)
    {
        var account = Account(s.Store.Now, thumbprint);
        await WriteAsync(s, t => t.Db.Accounts.Add(account));
        return account;
    }

    private static async Task<Outcome<Account>> AddAsync(TestStore s, Actor actor) => await s.Store.WriteAsync<Account>(
        actor,
        t =>
        {
            var account = Account(t.Now);
            t.Db.Accounts.Add(account);
            t.Audit(AuditKinds.AccountCreated, "account:" + account.PublicId);
            return Task.FromResult<Outcome<Account>>(account);
        },
        None);

    private static async Task WriteAsync(TestStore s, Action<StoreTransaction> change)
    {
        var outcome = await s.Store.WriteAsync<string>(
            Actor.Server,
            t =>
            {
                change(t);
                t.Audit(AuditKinds.AccountUpdated, "test");
                return Task.FromResult<Outcome<string>>("done");
            },
            None);
        Assert.Equal("done", outcome.Value);
    }

    private static Task EnqueueAsync(TestStore s, int count) => WriteAsync(s, t =>
    {
        for (var i = 1; i <= count; i++)
        {
            t.Enqueue(WorkKind.Validate, i, 0, null);
        }
    });

    private static async Task<bool> TakeAsync(TestStore s, WorkItem item)
    {
        var taken = false;
        await s.Store.WriteAsync<string>(
            Actor.Server,
            async t =>
            {
                taken = await WorkLeases.TakeAsync(t, item, None);
                return "done";
            },
            None);
        return taken;
    }

    private static async Task EmptyAsync(TestStore s)
    {
        Assert.Equal(0, await s.Store.ReadAsync(db => db.Accounts.CountAsync(), None));
        Assert.Equal(0, await s.Store.ReadAsync(db => db.AuditEntries.CountAsync(), None));
        Assert.Equal(0, await s.Store.ReadAsync(db => db.ConsumedNonces.CountAsync(), None));
    }
}

public sealed class SqliteStoreTests() : StoreTests(StoreKind.Sqlite);

public sealed class PostgreSqlStoreTests() : StoreTests(StoreKind.PostgreSql);

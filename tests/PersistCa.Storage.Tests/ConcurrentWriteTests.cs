using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Testing;
using static PersistCa.Storage.Tests.Sample;

namespace PersistCa.Storage.Tests;

/// <summary>Writers in each other's way: none is lost, none sees half of another.</summary>
public abstract class ConcurrentWriteTests(StoreKind kind)
{
    [SkippableFact]
    public async Task Two_changes_of_an_account_at_once_are_both_kept()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await s.AddAccountAsync();
        var meeting = new Meeting(kind);

        await TwoAsync(i => s.WriteAsync(t => AddContactAsync(t, account, meeting, i)));

        await BothContactsAsync(s, account);
        Assert.Equal(meeting.ExpectedRuns, meeting.Runs);
    }

    [SkippableFact]
    public async Task Two_changes_by_and_of_an_account_at_once_are_both_kept_though_each_held_the_row()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await s.AddAccountAsync("key");
        var meeting = new Meeting(kind);

        // On PostgreSQL each writer shares a lock on the row that the other wants to change: a deadlock, which the database ends by refusing one.
        var outcomes = await TwoAsync(i => s.TryAsync<Account>(
            Actor.Account(account.PublicId, "key", new NonceUse("nonce" + i, s.Store.Now.AddHours(1))),
            async t => await AddContactAsync(t, account, meeting, i)));

        Assert.All(outcomes, outcome => Assert.Null(outcome.Problem));
        await BothContactsAsync(s, account);
        Assert.Equal(meeting.ExpectedRuns, meeting.Runs);
    }

    [SkippableFact]
    public async Task Many_changes_of_one_account_at_once_wait_for_each_other_and_none_is_tried_twice()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await s.AddAccountAsync("key");
        var runs = 0;

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => s.TryAsync<Account>(
            Actor.Account(account.PublicId, "key", new NonceUse("nonce" + i, s.Store.Now.AddHours(1))).AsOwner(),
            async t =>
            {
                Interlocked.Increment(ref runs);
                var current = (await t.Db.AccountAsync(account.Id, None))!;
                current.ChangeContacts([.. current.Contacts, $"mailto:c{i}@x.test"]);
                return current;
            })));

        Assert.All(outcomes, outcome => Assert.Null(outcome.Problem));
        Assert.Equal(64, runs);
        Assert.Equal(64, (await s.Store.ReadAsync(db => db.AccountAsync(account.Id, None), None))!.Contacts.Count);
    }

    [SkippableFact]
    public async Task Of_two_orders_that_take_an_authorization_in_advance_at_once_one_gets_it()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await s.AddAccountAsync();
        await s.AddAsync(t => new PersistCa.Protocol.Authorizations.Authorization(
            PublicId.Next(), account.Id, "a.test", false, [], t.Now, t.Now.AddHours(1), null, PersistCa.Protocol.Authorizations.AuthorizationReach.AnyOrder));
        var meeting = new Meeting(kind);

        var got = await TwoAsync(_ => s.WriteAsync(async t =>
        {
            var found = await t.Db.Authorizations.SingleOrDefaultAsync(a => a.IsPreAuthorization);
            await meeting.LookedAsync();
            found?.TakeByOrder();
            return found is null ? "none" : "taken";
        }));

        Assert.Equal(["none", "taken"], got.Order());
    }

    [SkippableFact]
    public async Task Of_two_ends_of_an_order_at_once_the_second_sees_the_first()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await s.AddAccountAsync();
        var opened = await s.AddAsync(t => NewOrder(account, t.Now));
        await s.WriteAsync(async t =>
        {
            var order = await t.Db.Orders.SingleAsync();
            order.Finalize([1], t.Now, Proven(order, t.Now));
            return "done";
        });
        var meeting = new Meeting(kind);

        var seen = await TwoAsync(i => s.WriteAsync(async t =>
        {
            var order = await t.Db.Orders.SingleAsync(o => o.Id == opened.Id);
            var before = order.CertificateId ?? "";
            await meeting.LookedAsync();
            if (before.Length == 0)
            {
                order.Complete("certificate" + i);
            }

            return before;
        }));

        var kept = (await s.Store.ReadAsync(db => db.Orders.SingleAsync(), None)).CertificateId;
        Assert.Equal(["", kept], seen.Order());
        Assert.Equal(meeting.ExpectedRuns, meeting.Runs);
    }

    [SkippableFact]
    public async Task A_nonce_used_in_two_changes_at_once_is_spent_by_one()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var meeting = new Meeting(kind);

        var outcomes = await TwoAsync(_ => s.TryAsync<Account>(new Actor("a", new NonceUse("nonce", s.Store.Now.AddHours(1))), async t =>
        {
            await meeting.LookedAsync();
            var account = NewAccount(t.Now);
            t.Db.Accounts.Add(account);
            return account;
        }));

        Assert.Equal(ProblemCatalog.BadNonce, Assert.Single(outcomes, o => o.IsRefused).Problem!.Type);
        Assert.Equal(1, await s.Store.ReadAsync(db => db.Accounts.CountAsync(), None));
        Assert.Equal(1, await s.Store.ReadAsync(db => db.AuditEntries.CountAsync(), None));
    }

    [SkippableFact]
    public async Task A_key_registered_twice_at_once_opens_one_account_and_the_second_finds_it()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var meeting = new Meeting(kind);

        var found = await TwoAsync(_ => s.WriteAsync(async t =>
        {
            var known = await t.Db.AccountByKeyAsync("key", None);
            await meeting.LookedAsync();
            if (known is null)
            {
                t.Db.Accounts.Add(known = NewAccount(t.Now, "key"));
            }

            return known;
        }));

        Assert.Equal(found[0].PublicId, found[1].PublicId);
        Assert.Equal(1, await s.Store.ReadAsync(db => db.Accounts.CountAsync(), None));
        Assert.Equal(meeting.ExpectedRuns, meeting.Runs);
    }

    [SkippableFact]
    public async Task A_conflict_that_stays_is_thrown_after_the_last_attempt()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.AddAccountAsync("key");
        var runs = 0;

        await Assert.ThrowsAsync<DbUpdateException>(() => s.AddAsync(t =>
        {
            runs++;
            return NewAccount(t.Now, "key");
        }));

        Assert.Equal(CaStore.WriteAttempts, runs);
    }

    [SkippableFact]
    public async Task Thirty_two_writers_at_once_all_succeed()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 32).Select(i => Task.Run(() =>
            s.TryAddAccountAsync(new Actor("a", new NonceUse("nonce" + i, s.Store.Now.AddHours(1)))))));
        Assert.All(outcomes, outcome => Assert.Null(outcome.Problem));
        Assert.Equal(32, await s.Store.ReadAsync(db => db.Accounts.CountAsync(), None));
        Assert.Equal(32, await s.Store.ReadAsync(db => db.AuditEntries.CountAsync(), None));
    }

    private static Task<T[]> TwoAsync<T>(Func<int, Task<T>> write) => Task.WhenAll(Task.Run(() => write(0)), Task.Run(() => write(1)));

    private static async Task<Account> AddContactAsync(StoreTransaction t, Account account, Meeting meeting, int writer)
    {
        var current = (await t.Db.AccountAsync(account.Id, None))!;
        await meeting.LookedAsync();
        current.ChangeContacts([.. current.Contacts, $"mailto:{writer}@x.test"]);
        return current;
    }

    private static async Task BothContactsAsync(TestStore s, Account account)
    {
        var read = (await s.Store.ReadAsync(db => db.AccountAsync(account.Id, None), None))!;
        Assert.Equal(["mailto:0@x.test", "mailto:1@x.test"], read.Contacts.Order());
        Assert.Equal(2, read.Version);
    }
}

public sealed class SqliteConcurrentWriteTests() : ConcurrentWriteTests(StoreKind.Sqlite)
{
    [SkippableFact]
    public async Task A_command_writes_to_the_file_of_a_running_server()
    {
        await using var s = await TestStore.OpenAsync(StoreKind.Sqlite);
        var connection = await s.Store.ReadAsync(db => Task.FromResult(db.Database.GetConnectionString()!), None);
        await using var beside = TestStore.Over(StoreKind.Sqlite, connection); // its own queue of writers: only the file's lock keeps them apart

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Task.Run(() => (i % 2 == 0 ? s : beside).TryAddAccountAsync(Actor.Operator))));

        Assert.All(outcomes, outcome => Assert.Null(outcome.Problem));
        Assert.Equal(24, await s.Store.ReadAsync(db => db.Accounts.CountAsync(), None));
    }
}

public sealed class PostgreSqlConcurrentWriteTests() : ConcurrentWriteTests(StoreKind.PostgreSql);

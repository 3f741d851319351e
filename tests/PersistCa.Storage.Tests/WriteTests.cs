using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Storage.AuditLog;
using PersistCa.Testing;
using static PersistCa.Storage.Tests.Sample;

namespace PersistCa.Storage.Tests;

/// <summary>A change happens whole, with its audit entry and its nonce, or not at all.</summary>
public abstract class WriteTests(StoreKind kind)
{
    private static readonly AcmeProblem Refusal = new(ProblemCatalog.Malformed, "no");

    [SkippableFact]
    public async Task A_change_leaves_its_row_its_audit_entry_and_its_spent_nonce()
    {
        await using var s = await TestStore.OpenAsync(kind);
        Assert.False((await s.TryAddAccountAsync(new Actor("a", Nonce(s)))).IsRefused);
        await CountsAsync(s, accounts: 1, entries: 1, nonces: 1);
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_refused_change_leaves_nothing_behind(bool savedBefore)
    {
        await using var s = await TestStore.OpenAsync(kind);
        var outcome = await s.Store.WriteAsync<Account>(
            new Actor("a", Nonce(s)),
            async t =>
            {
                t.Db.Accounts.Add(NewAccount(t.Now));
                t.Audit(AuditKinds.AccountCreated, "account:x");
                await SaveAsync(t, savedBefore);
                return Refusal;
            },
            None);

        Assert.Same(Refusal, outcome.Problem);
        await CountsAsync(s, accounts: 0, entries: 0, nonces: 0);
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_change_that_throws_leaves_nothing_behind(bool savedBefore)
    {
        await using var s = await TestStore.OpenAsync(kind);
        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => s.Store.WriteAsync<Account>(
            new Actor("a", Nonce(s)),
            async t =>
            {
                t.Db.Accounts.Add(NewAccount(t.Now));
                t.Audit(AuditKinds.AccountCreated, "account:x");
                await SaveAsync(t, savedBefore);
                throw new InvalidTimeZoneException("broken surroundings");
            },
            None));
        await CountsAsync(s, accounts: 0, entries: 0, nonces: 0);
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_change_without_an_audit_entry_is_a_bug_even_if_it_saved_by_itself(bool savedBefore)
    {
        await using var s = await TestStore.OpenAsync(kind);
        var bug = await Assert.ThrowsAsync<InvalidOperationException>(() => s.Store.WriteAsync<Account>(
            new Actor("a", Nonce(s)),
            async t =>
            {
                var account = NewAccount(t.Now);
                t.Db.Accounts.Add(account);
                await SaveAsync(t, savedBefore);
                return account;
            },
            None));

        Assert.Equal("a change of state must have its audit entry", bug.Message);
        await CountsAsync(s, accounts: 0, entries: 0, nonces: 0);
    }

    [SkippableFact]
    public async Task A_change_that_saved_by_itself_spends_its_nonce_all_the_same()
    {
        await using var s = await TestStore.OpenAsync(kind);
        Assert.False((await s.Store.WriteAsync<Account>(new Actor("a", Nonce(s)), AddAndSaveAsync, None)).IsRefused);
        var second = await s.Store.WriteAsync<Account>(new Actor("a", Nonce(s)), AddAndSaveAsync, None);
        Assert.Equal(ProblemCatalog.BadNonce, second.Problem?.Type);
        await CountsAsync(s, accounts: 1, entries: 1, nonces: 1);

        static async Task<Outcome<Account>> AddAndSaveAsync(StoreTransaction t)
        {
            var account = NewAccount(t.Now);
            t.Db.Accounts.Add(account);
            t.Audit(AuditKinds.AccountCreated, "account:x");
            await t.Db.SaveChangesAsync();
            return account;
        }
    }

    [SkippableFact]
    public async Task A_request_that_changes_nothing_spends_no_nonce_and_needs_no_audit_entry()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var outcome = await s.Store.WriteAsync<string>(new Actor("a", Nonce(s)), _ => Task.FromResult<Outcome<string>>("looked"), None);
        Assert.Equal("looked", outcome.Value);
        await CountsAsync(s, accounts: 0, entries: 0, nonces: 0);
    }

    [SkippableFact]
    public async Task What_is_to_run_after_the_commit_runs_once_the_change_is_durable()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var seen = new List<int>();
        await s.WriteAsync(async t =>
        {
            t.Db.Accounts.Add(NewAccount(t.Now));
            t.AfterCommit(() =>
            {
                using var another = s.Factory.CreateDbContext();
                seen.Add(another.Accounts.Count());
            });
            await t.Db.SaveChangesAsync();
            Assert.Empty(seen);
            return "done";
        });
        Assert.Equal([1], seen);
    }

    [SkippableTheory]
    [InlineData("refused")]
    [InlineData("thrown")]
    [InlineData("not audited")]
    [InlineData("nonce spent")]
    public async Task What_is_to_run_after_the_commit_does_not_run_without_one(string end)
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.TryAddAccountAsync(new Actor("a", Nonce(s)));
        var ran = false;
        var write = s.Store.WriteAsync<Account>(
            new Actor("a", Nonce(s, end == "nonce spent" ? "nonce" : "another")),
            t =>
            {
                var account = NewAccount(t.Now);
                t.Db.Accounts.Add(account);
                t.AfterCommit(() => ran = true);
                if (end != "not audited")
                {
                    t.Audit(AuditKinds.AccountCreated, "account:x");
                }

                return end == "thrown" ? throw new InvalidOperationException(end) : Task.FromResult(end == "refused" ? Refusal : (Outcome<Account>)account);
            },
            None);

        if (end is "refused" or "nonce spent")
        {
            Assert.True((await write).IsRefused);
        }
        else
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => write);
        }

        Assert.False(ran);
        await CountsAsync(s, accounts: 1, entries: 1, nonces: 1);
    }

    [SkippableFact]
    public async Task A_nonce_is_spent_once_and_the_second_change_does_not_happen()
    {
        await using var s = await TestStore.OpenAsync(kind);
        Assert.False((await s.TryAddAccountAsync(new Actor("a", Nonce(s)))).IsRefused);

        var second = await s.TryAddAccountAsync(new Actor("a", Nonce(s)));

        Assert.Equal(ProblemCatalog.BadNonce, second.Problem?.Type);
        await CountsAsync(s, accounts: 1, entries: 1, nonces: 1);
    }

    [SkippableTheory]
    [InlineData("key", false, null)]
    [InlineData("another key", false, 401)]
    [InlineData("key", true, 401)]
    public async Task An_account_changes_state_only_while_it_is_valid_and_has_the_key_that_signed(string thumbprint, bool closed, int? status)
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await s.AddAccountAsync("key");
        if (closed)
        {
            await s.ChangeAccountAsync(account, (a, t) => a.Deactivate(t.Now));
        }

        var outcome = await s.TryAddAccountAsync(Actor.Account(account.PublicId, thumbprint, Nonce(s)));

        Assert.Equal(status, outcome.Problem?.Status);
        Assert.Equal(status is null ? null : ProblemCatalog.Unauthorized, outcome.Problem?.Type);
        await CountsAsync(s, status is null ? 2 : 1, (status is null ? 2 : 1) + (closed ? 1 : 0), status is null ? 1 : 0);
    }

    private static NonceUse Nonce(TestStore s, string value = "nonce") => new(value, s.Store.Now.AddHours(1));

    private static Task SaveAsync(StoreTransaction t, bool now) => now ? t.Db.SaveChangesAsync() : Task.CompletedTask;

    private static async Task CountsAsync(TestStore s, int accounts, int entries, int nonces) => Assert.Equal(
        (accounts, entries, nonces),
        await s.Store.ReadAsync(async db => (await db.Accounts.CountAsync(), await db.AuditEntries.CountAsync(), await db.ConsumedNonces.CountAsync()), None));
}

public sealed class SqliteWriteTests() : WriteTests(StoreKind.Sqlite);

public sealed class PostgreSqlWriteTests() : WriteTests(StoreKind.PostgreSql);

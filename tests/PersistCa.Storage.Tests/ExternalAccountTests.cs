using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Storage.ExternalAccounts;
using PersistCa.Testing;
using static PersistCa.Storage.Tests.Sample;

namespace PersistCa.Storage.Tests;

/// <summary>External account keys in the store: what several nodes do at once, and what the database itself refuses.</summary>
public abstract class ExternalAccountTests(StoreKind kind)
{
    [SkippableFact]
    public async Task Of_many_that_bind_at_once_a_key_for_one_account_takes_one()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var key = await s.AddAsync(t => NewExternalKey(t.Now, singleUse: true));

        var bound = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Task.Run(() => BindAsync(s, key))));

        Assert.Single(bound, b => b);
        Assert.Equal((1, 1), await s.Store.ReadAsync(async db => ((await db.ExternalKeyAsync(key.PublicId, None))!.Bound, await db.OpenAccountsAsync(key.Id, None)), None));
    }

    [SkippableFact]
    public async Task Of_many_that_bind_at_once_as_many_are_taken_as_there_are_places()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var key = await s.AddAsync(t => NewExternalKey(t.Now, maxAccounts: 2));

        var bound = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Task.Run(() => BindAsync(s, key))));

        Assert.Equal(2, bound.Count(b => b));
        Assert.Equal(2, await s.Store.ReadAsync(db => db.OpenAccountsAsync(key.Id, None), None));
    }

    [SkippableFact]
    public async Task An_account_has_the_scope_that_its_key_has_now()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var key = await s.AddAsync(t => NewExternalKey(t.Now));
        Assert.True(await BindAsync(s, key));
        var account = (await s.Store.ReadAsync(db => db.Accounts.SingleAsync(None), None))!;
        Assert.Equal([".corp.test", "10.0.0.0/8"], (await ScopeAsync(s, account)).Names.Select(n => n.Text));
        await s.WriteAsync(async t =>
        {
            var current = (await t.HoldExternalKeyAsync(key.PublicId, None))!;
            current.Change(current.Terms() with { Names = ["other.test"] });
            return current;
        });
        Assert.Equal(["other.test"], (await ScopeAsync(s, account)).Names.Select(n => n.Text));
        Assert.Same(AccountScope.Unbound, await ScopeAsync(s, await s.AddAccountAsync()));
    }

    [SkippableTheory]
    [InlineData("a.test b.test", true)]
    [InlineData("b.test a.test", true)]
    [InlineData("a.test", false)]
    [InlineData("a.test b.test c.test", false)]
    public async Task A_renewal_is_for_exactly_the_names_of_a_live_certificate(string names, bool renewal)
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await s.AddAccountAsync();
        await IssueAsync(s, account, "0a", "a.test", "b.test");
        Assert.Equal(renewal, await HasAsync(s, account, names));
        Assert.False(await HasAsync(s, await s.AddAccountAsync(), names));
        Assert.False(await s.Store.ReadAsync(db => db.HasLiveCertificateAsync(account.Id, names.Split(' '), s.Store.Now.AddDays(2), None), None));
        await s.WriteAsync(async t =>
        {
            var current = await t.Db.Certificates.SingleAsync();
            current.Revoke(4, t.Now);
            return current;
        });
        Assert.False(await HasAsync(s, account, names));
    }

    [SkippableTheory]
    [InlineData("UPDATE external_account_keys SET bound = 2, last_bound_at = created_at", "ck_external_account_keys_single_use")]
    [InlineData("UPDATE external_account_keys SET bound = 1, last_bound_at = NULL", "ck_external_account_keys_bound")]
    public async Task The_database_itself_refuses_a_row_that_cannot_be(string sql, string constraint)
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.AddAsync(t => NewExternalKey(t.Now, singleUse: true));
        Assert.Contains(constraint, await ViolatedAsync(s, sql), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_key_with_accounts_is_not_deleted()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var key = await s.AddAsync(t => NewExternalKey(t.Now));
        Assert.True(await BindAsync(s, key));
        Assert.Matches("FOREIGN KEY|fk_accounts_external_account_keys", await ViolatedAsync(s, "DELETE FROM external_account_keys"));
    }

    private static async Task<bool> BindAsync(TestStore s, ExternalAccountKey key)
    {
        var outcome = await s.TryAsync<Account>(Actor.Server, async t =>
        {
            var current = (await t.HoldExternalKeyAsync(key.PublicId, None))!;
            if ((current.SingleUse && current.Bound > 0) || await t.Db.OpenAccountsAsync(current.Id, None) >= current.MaxAccounts)
            {
                return new AcmeProblem(ProblemCatalog.Unauthorized, "no place");
            }

            current.Bind(t.Now);
            var account = new Account(PublicId.Next(), PublicId.Next(), Jwk, [], true, t.Now, current.Id, "{}");
            t.Db.Accounts.Add(account);
            return account;
        });
        return !outcome.IsRefused;
    }

    private static Task<AccountScope> ScopeAsync(TestStore s, Account account) => s.Store.ReadAsync(db => db.ScopeAsync(account, None), None);

    private static Task<bool> HasAsync(TestStore s, Account account, string names) =>
        s.Store.ReadAsync(db => db.HasLiveCertificateAsync(account.Id, names.Split(' '), s.Store.Now, None), None);

    private static async Task IssueAsync(TestStore s, Account account, string serial, params string[] names)
    {
        await s.AddAsync(t => NewIssuer(t.Now));
        var order = await s.AddAsync(t =>
        {
            var opened = NewOrder(account, t.Now, names);
            opened.Finalize([1], t.Now, Proven(opened, t.Now));
            return opened;
        });
        await s.AddAsync(t =>
        {
            var made = NewCertificate(order, serial, t.Now);
            made.Record([1, 2], t.Now);
            return made;
        });
    }

    private static async Task<string> ViolatedAsync(TestStore s, string sql)
    {
        await using var db = await s.Factory.CreateDbContextAsync(None);
        var e = await Assert.ThrowsAnyAsync<Exception>(() => db.Database.ExecuteSqlRawAsync(sql));
        return e switch
        {
            SqliteException q => q.Message,
            PostgresException p => p.ConstraintName ?? "",
            _ => e.ToString(),
        };
    }
}

public sealed class SqliteExternalAccountTests() : ExternalAccountTests(StoreKind.Sqlite);

public sealed class PostgreSqlExternalAccountTests() : ExternalAccountTests(StoreKind.PostgreSql);

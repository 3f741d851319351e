using PersistCa.Storage.AuditLog;
using PersistCa.Testing;
using static PersistCa.Storage.Tests.Sample;

namespace PersistCa.Storage.Tests;

/// <summary>Accounts that are remembered from one request to the next.</summary>
public abstract class AccountMemoryTests(StoreKind kind)
{
    [SkippableFact]
    public async Task An_account_is_read_with_its_keys_and_the_key_that_signs()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await s.AddAccountAsync(PersistCa.Protocol.Jose.Jwk.FromCanonical(Jwk).Thumbprint);
        var known = await s.Store.AccountAsync(account.PublicId, None);
        Assert.Equal((account.Id, account.CurrentThumbprint), (known!.Account.Id, known.Account.CurrentThumbprint));
        Assert.Equal(account.CurrentThumbprint, known.Key.Thumbprint);
        Assert.Null(await s.Store.AccountAsync("0000000000000000", None));
    }

    [SkippableFact]
    public async Task What_this_process_changes_is_seen_at_once()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await s.AddAccountAsync();
        Assert.True((await s.Store.AccountAsync(account.PublicId, None))!.Account.IsValid);
        await CloseAsync(s, account.PublicId);
        Assert.False((await s.Store.AccountAsync(account.PublicId, None))!.Account.IsValid);
    }

    [SkippableFact]
    public async Task What_another_changes_is_seen_when_the_time_is_over_and_not_before()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await s.AddAccountAsync();
        await s.Store.AccountAsync(account.PublicId, None);
        await using (var other = await s.Factory.CreateDbContextAsync())
        {
            (await other.AccountAsync(account.PublicId, None))!.Deactivate(s.Store.Now);
            await other.SaveChangesAsync();
        }

        s.Time.Advance(StorageRegistration.AccountLife - TimeSpan.FromMilliseconds(1));
        Assert.True((await s.Store.AccountAsync(account.PublicId, None))!.Account.IsValid);
        s.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.False((await s.Store.AccountAsync(account.PublicId, None))!.Account.IsValid);
    }

    [SkippableFact]
    public async Task A_change_by_an_account_that_another_closed_is_refused_though_it_is_remembered()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await s.AddAccountAsync();
        await s.Store.AccountAsync(account.PublicId, None);
        await using (var other = await s.Factory.CreateDbContextAsync())
        {
            (await other.AccountAsync(account.PublicId, None))!.Deactivate(s.Store.Now);
            await other.SaveChangesAsync();
        }

        var actor = Actor.Account(account.PublicId, account.CurrentThumbprint, null);
        var refused = await s.Store.WriteTogetherAsync<string>(
            actor,
            async t =>
            {
                var reads = t.Read();
                reads.Account(account.Id);
                await reads.RunAsync(None);
                t.Audit(AuditKinds.OrderCreated, "order:x");
                return "written";
            },
            None);
        Assert.Equal(401, refused.Problem!.Status);
        Assert.Equal(0, await s.Store.ReadAsync(db => Task.FromResult(db.AuditEntries.Count(e => e.Subject == "order:x")), None));
    }

    private static Task<string> CloseAsync(TestStore s, string publicId) => s.WriteAsync(async t =>
    {
        (await t.Db.AccountAsync(publicId, None))!.Deactivate(t.Now);
        t.Audit(AuditKinds.AccountDeactivated, "account:" + publicId);
        return "closed";
    });
}

public sealed class SqliteAccountMemoryTests() : AccountMemoryTests(StoreKind.Sqlite);

public sealed class PostgreSqlAccountMemoryTests() : AccountMemoryTests(StoreKind.PostgreSql);

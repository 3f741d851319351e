using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Orders;
using PersistCa.Storage.WorkQueue;
using PersistCa.Testing;
using static PersistCa.Storage.Tests.Sample;

namespace PersistCa.Storage.Tests;

/// <summary>Rules that the database itself holds, whatever the code above it does.</summary>
public abstract class IntegrityTests(StoreKind kind)
{
    [SkippableFact]
    public async Task Two_accounts_cannot_have_one_current_key()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.AddAccountAsync("key");
        await RefusedAsync("current_thumbprint", () => s.AddAccountAsync("key"));
    }

    [SkippableFact]
    public async Task An_account_cannot_roll_over_to_the_current_key_of_another()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.AddAccountAsync("key");
        var other = await s.AddAccountAsync();
        await RefusedAsync("current_thumbprint", () => s.ChangeAccountAsync(other, (a, t) => a.ReplaceKey("key", Jwk, t.Now)));
    }

    [SkippableFact]
    public async Task An_order_cannot_have_two_certificates()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var (_, first, _) = await IssuedAsync(s);
        await RefusedAsync("order_id", () => s.AddAsync(t => NewCertificate(first, "02", t.Now)));
    }

    [SkippableFact]
    public async Task A_serial_is_used_once()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var (_, _, second) = await IssuedAsync(s);
        await RefusedAsync("serial", () => s.AddAsync(t => NewCertificate(second, "01", t.Now)));
    }

    [SkippableFact]
    public async Task A_serial_stays_used_when_its_intent_was_abandoned()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var (_, _, second) = await IssuedAsync(s);
        await s.WriteAsync(async t =>
        {
            (await t.Db.Certificates.SingleAsync()).Abandon();
            return "done";
        });
        await RefusedAsync("serial", () => s.AddAsync(t => NewCertificate(second, "01", t.Now)));
    }

    [SkippableFact]
    public async Task Two_orders_can_have_a_certificate_each()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var (_, _, second) = await IssuedAsync(s);
        await s.AddAsync(t => NewCertificate(second, "02", t.Now));
        Assert.Equal(2, await s.Store.ReadAsync(db => db.Certificates.CountAsync(), None));
    }

    [SkippableFact]
    public async Task The_same_work_is_not_queued_twice()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.EnqueueAsync(7);
        await RefusedAsync("work_items", () => s.EnqueueAsync(7));
        Assert.Equal(1, await s.Leases.DepthAsync(WorkKind.Validate, None));
    }

    [SkippableFact]
    public async Task A_crl_number_is_used_once_for_an_issuer()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.AddAsync(t => NewIssuer(t.Now));
        await s.AddAsync(Crl);
        await RefusedAsync("crls", () => s.AddAsync(Crl));

        static CrlRow Crl(StoreTransaction t) => new() { IssuerId = IssuerId, Number = 1, Der = [1], ThisUpdate = t.Now, NextUpdate = t.Now };
    }

    [SkippableFact]
    public async Task An_order_without_an_account_is_refused()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await RefusedAsync("foreign key", () => s.AddAsync(t => NewOrder(NewAccount(t.Now), t.Now)));
    }

    private static async Task<(Account Account, Order First, Order Second)> IssuedAsync(TestStore s)
    {
        var account = await s.AddAccountAsync();
        await s.AddAsync(t => NewIssuer(t.Now));
        var first = await s.AddAsync(t => NewOrder(account, t.Now));
        var second = await s.AddAsync(t => NewOrder(account, t.Now));
        await s.AddAsync(t => NewCertificate(first, "01", t.Now));
        return (account, first, second);
    }

    private static async Task RefusedAsync(string rule, Func<Task> write)
    {
        var refused = await Assert.ThrowsAnyAsync<Exception>(write);
        var cause = Assert.IsAssignableFrom<DbException>(refused is DbUpdateException ? refused.InnerException : refused);
        Assert.Contains(rule, cause.Message, StringComparison.OrdinalIgnoreCase);
    }
}

public sealed class SqliteIntegrityTests() : IntegrityTests(StoreKind.Sqlite);

public sealed class PostgreSqlIntegrityTests() : IntegrityTests(StoreKind.PostgreSql);

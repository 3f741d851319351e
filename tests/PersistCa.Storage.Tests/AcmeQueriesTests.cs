using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Orders;
using PersistCa.Testing;
using static PersistCa.Storage.Tests.Sample;

namespace PersistCa.Storage.Tests;

/// <summary>What several rooms ask for comes in the order in which clients see it.</summary>
public abstract class AcmeQueriesTests(StoreKind kind)
{
    private static readonly string[] Names = ["z.test", "*.a.test", "m.test", "a.test"];

    [SkippableFact]
    public async Task The_authorizations_of_an_order_follow_the_positions_of_its_identifiers()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var order = await OrderAsync(s);

        Assert.Equal(Names, (await s.Store.ReadAsync(db => db.OrderAsync(order.PublicId, None), None))!.Authorizations.Select(a => a.CertificateName));
        Assert.Equal(Names, (await s.Store.ReadAsync(db => db.OrderAsync(order.Id, None), None))!.Authorizations.Select(a => a.CertificateName));
    }

    [SkippableFact]
    public async Task An_order_comes_without_the_authorizations_of_another()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await OrderAsync(s);
        var account = await s.AddAccountAsync();
        var other = await s.AddAsync(t => NewOrder(account, t.Now));
        Assert.Empty((await s.Store.ReadAsync(db => db.OrderAsync(other.Id, None), None))!.Authorizations);
    }

    [SkippableFact]
    public async Task Challenges_come_by_ordinal_whichever_was_changed_last()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var order = await OrderAsync(s);
        var first = (await s.Store.ReadAsync(db => db.OrderAsync(order.Id, None), None))!.Authorizations[0];
        await s.ChangeAuthorizationAsync(first, (a, t) => a.Accept(a.Challenges[0], t.Now));
        await s.ChangeAuthorizationAsync(first, (a, _) => a.Fail(a.Challenges[0], new AcmeProblem(ProblemCatalog.Dns, "no answer")));

        var found = new[]
        {
            (await s.Store.ReadAsync(db => db.AuthorizationAsync(first.Id, None), None))!,
            (await s.Store.ReadAsync(db => db.AuthorizationAsync(first.PublicId, None), None))!,
            (await s.Store.ReadAsync(db => db.OrderAsync(order.Id, None), None))!.Authorizations[0],
        };

        Assert.All(found, a => Assert.Equal(
            [(0, ChallengeStatus.Invalid), (1, ChallengeStatus.Pending), (2, ChallengeStatus.Pending)],
            a.Challenges.Select(c => (c.Ordinal, c.Status))));
    }

    [SkippableFact]
    public async Task An_account_is_found_by_its_current_key_only_and_keeps_every_key_it_had()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await s.AddAccountAsync("first");
        await s.ChangeAccountAsync(account, (a, t) => a.ReplaceKey("second", Jwk, t.Now));
        await s.ChangeAccountAsync(account, (a, t) => a.ReplaceKey("third", Jwk, t.Now));

        var read = (await s.Store.ReadAsync(db => db.AccountByKeyAsync("third", None), None))!;

        Assert.Equal(["first", "second", "third"], read.Keys.Select(k => k.Thumbprint));
        Assert.Equal<string>(["third", "second", "first"], [.. read.Facts("u").Thumbprints]);
        Assert.Null(await s.Store.ReadAsync(db => db.AccountByKeyAsync("first", None), None));
    }

    [SkippableTheory]
    [InlineData("former", false, true)]
    [InlineData("current", false, true)]
    [InlineData("former", true, false)]
    [InlineData("unknown", false, false)]
    public async Task A_key_stays_its_first_accounts_and_is_no_others(string thumbprint, bool itself, bool held)
    {
        await using var s = await TestStore.OpenAsync(kind);
        var holder = await s.AddAccountAsync("former");
        await s.ChangeAccountAsync(holder, (a, t) => a.ReplaceKey("current", Jwk, t.Now));
        var other = await s.AddAccountAsync();

        var found = await s.Store.ReadAsync(db => db.OtherHolderOfKeyAsync(thumbprint, itself ? holder.Id : other.Id, None), None);
        var anybody = await s.Store.ReadAsync(db => db.OtherHolderOfKeyAsync(thumbprint, null, None), None);

        Assert.Equal(held ? holder.PublicId : null, found?.PublicId);
        Assert.Equal(thumbprint == "unknown" ? null : holder.PublicId, anybody?.PublicId);
    }

    [SkippableFact]
    public async Task What_does_not_exist_is_null()
    {
        await using var s = await TestStore.OpenAsync(kind);
        Assert.Null(await s.Store.ReadAsync(db => db.AccountAsync(PublicId.Next(), None), None));
        Assert.Null(await s.Store.ReadAsync(db => db.OrderAsync(PublicId.Next(), None), None));
        Assert.Null(await s.Store.ReadAsync(db => db.AuthorizationAsync(PublicId.Next(), None), None));
    }

    /// <summary>An order whose authorizations were written in another order than that of its names.</summary>
    private static async Task<Order> OrderAsync(TestStore s)
    {
        var account = await s.AddAccountAsync();
        var order = await s.AddAsync(t => NewOrder(account, t.Now, Names));
        foreach (var position in new[] { 2, 0, 3, 1 })
        {
            var wildcard = Names[position].StartsWith("*.", StringComparison.Ordinal);
            var authorization = await s.AddAsync(t => NewAuthorization(account, wildcard ? Names[position][2..] : Names[position], wildcard, t.Now));
            await s.WriteAsync(async t =>
            {
                t.Db.OrderAuthorizations.Add(new OrderAuthorization
                {
                    Order = await t.Db.Orders.FindAsync([order.Id], None),
                    Authorization = await t.Db.Authorizations.FindAsync([authorization.Id], None),
                    Position = position,
                });
                return "done";
            });
        }

        return order;
    }
}

public sealed class SqliteAcmeQueriesTests() : AcmeQueriesTests(StoreKind.Sqlite);

public sealed class PostgreSqlAcmeQueriesTests() : AcmeQueriesTests(StoreKind.PostgreSql);

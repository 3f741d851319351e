using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Records;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Renewal;

/// <summary>RFC 9773 section 5: orders that say what they replace.</summary>
public sealed class ReplacementTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task An_order_shows_what_it_replaces_and_its_certificate_can_be_replaced_in_turn()
    {
        await using var authority = await RenewalBed.StartAsync();
        using var client = await authority.RegisteredAsync();
        var first = RenewalBed.IdOf(await authority.IssueAsync(client, "a.test"));
        authority.Publish(client, "a.test", PersistDialect.Draft02);

        var order = await client.ReplaceAsync(first, "a.test");
        Assert.Equal((201, first), (order.Status, order.Json["replaces"]!.GetValue<string>()));
        Assert.Equal(first, (await client.FetchAsync(order.Location!, None)).Json["replaces"]!.GetValue<string>());
        Assert.False((await client.OrderAsync(["a.test"], None)).Json.ContainsKey("replaces"));
        var second = RenewalBed.IdOf(await client.CompleteAsync(order, "a.test"));
        Assert.Equal(first, (await client.FetchAsync(order.Location!, None)).Json["replaces"]!.GetValue<string>());
        authority.Publish(client, "a.test", PersistDialect.Draft02);
        Assert.Equal(201, (await client.ReplaceAsync(second, "a.test", "b.test")).Status);
    }

    [Fact]
    public async Task A_certificate_is_replaced_by_one_order_that_is_not_invalid()
    {
        await using var authority = await RenewalBed.StartAsync();
        using var client = await authority.RegisteredAsync();
        var id = RenewalBed.IdOf(await authority.IssueAsync(client, "a.test"));
        var first = await client.ReplaceAsync(id, "a.test", "c.test");
        Assert.Equal("pending", first.Json["status"]!.GetValue<string>());

        var refused = await client.ReplaceAsync(id, "a.test");
        Assert.Equal((409, "alreadyReplaced"), (refused.Status, refused.Problem));

        // Made invalid by its client: the certificate is free again.
        var authorizations = first.Json["authorizations"]!.AsArray();
        await client.PostAsync(authorizations[^1]!.GetValue<string>(), """{"status":"deactivated"}""", None);
        Assert.Equal("invalid", (await client.FetchAsync(first.Location!, None)).Json["status"]!.GetValue<string>());
        var second = await client.ReplaceAsync(id, "a.test", "d.test");
        Assert.Equal(201, second.Status);

        // Made invalid by time.
        Assert.Equal("alreadyReplaced", (await client.ReplaceAsync(id, "a.test")).Problem);
        authority.Clock.Ahead = authority.Options.Acme.OrderLifetime + TimeSpan.FromMinutes(1);
        authority.Publish(client, "a.test", PersistDialect.Draft02);
        var third = await client.ReplaceAsync(id, "a.test");
        await client.CompleteAsync(third, "a.test");
        authority.Clock.Ahead += TimeSpan.FromDays(2);
        var fourth = await client.ReplaceAsync(id, "a.test");
        Assert.Equal((409, "alreadyReplaced"), (fourth.Status, fourth.Problem));
        Assert.Contains("which is valid", fourth.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_many_orders_at_once_one_replaces_the_certificate()
    {
        await using var authority = await RenewalBed.StartAsync();
        using var client = await authority.RegisteredAsync();
        var id = RenewalBed.IdOf(await authority.IssueAsync(client, "a.test"));
        var clients = Enumerable.Range(0, 5).Select(_ => new PersistCa.Server.Demo.AcmeClient(authority.Http(), authority.DirectoryUrl, Copy(client.AccountKey)) { AccountUrl = client.AccountUrl }).ToList();
        var answers = await Task.WhenAll(clients.Select(c => c.ReplaceAsync(id, "a.test")));
        clients.ForEach(c => c.Dispose());
        Assert.Single(answers, a => a.Status == 201);
        Assert.Equal(4, answers.Count(a => a.Problem == "alreadyReplaced"));
    }

    [Fact]
    public async Task What_cannot_be_replaced_is_refused_and_no_order_is_made()
    {
        await using var authority = await RenewalBed.StartAsync();
        using var client = await authority.RegisteredAsync();
        using var stranger = await authority.RegisteredAsync();
        var id = RenewalBed.IdOf(await authority.IssueAsync(client, "a.test"));
        var theirs = RenewalBed.IdOf(await authority.IssueAsync(stranger, "a.test"));
        var unknown = (CertificateId.Parse(id).Value! with { Serial = "0123456789" }).ToString();
        var orders = await CountAsync(authority);
        foreach (var (replaces, name, status, problem, detail) in new[]
        {
            (theirs, "a.test", 403, "unauthorized", "belongs to another account"),
            (unknown, "a.test", 400, "malformed", "was not issued here"),
            (id, "b.test", 400, "malformed", "none of the order's identifiers"),
            ("", "a.test", 400, "malformed", "is no id of a certificate"),
            (id + "=", "a.test", 400, "malformed", "padded"),
        })
        {
            var refused = await client.ReplaceAsync(replaces, name);
            Assert.Equal((status, problem), (refused.Status, refused.Problem));
            Assert.Contains(detail, refused.Body, StringComparison.Ordinal);
        }

        var number = await RenewalBed.TryAsync(async () => await client.PostAsync(await client.UrlAsync("newOrder", None), """{"identifiers":[{"type":"dns","value":"a.test"}],"replaces":1}""", None));
        Assert.Contains("'replaces' is a number; a string is expected", number.Body, StringComparison.Ordinal);
        Assert.Equal(orders, await CountAsync(authority));
    }

    [Fact]
    public async Task A_renewal_that_is_due_is_exempt_from_the_limits_of_orders_once_for_each_certificate()
    {
        await using var authority = await RenewalBed.StartAsync(o =>
        {
            o.Limits.NewOrdersPerAccount = "1/100.00:00:00";
            o.Limits.NewOrdersPerAddress = "1/100.00:00:00";
        });
        using var client = await authority.RegisteredAsync();
        var id = RenewalBed.IdOf(await authority.IssueAsync(client, "a.test"));

        // Before its window it is an order like any other.
        Assert.Equal("rateLimited", (await client.ReplaceAsync(id, "a.test")).Problem);
        authority.Clock.Ahead = (await authority.AdviceAsync(id)).Start - authority.Store.Now + TimeSpan.FromSeconds(5);
        var due = await client.ReplaceAsync(id, "a.test", "b.test");
        Assert.Equal(201, due.Status);
        await client.PostAsync(due.Json["authorizations"]![0]!.GetValue<string>(), """{"status":"deactivated"}""", None);
        Assert.Equal("rateLimited", (await client.ReplaceAsync(id, "a.test")).Problem);
        Assert.Equal("rateLimited", (await RenewalBed.TryAsync(() => client.OrderAsync(["a.test"], None))).Problem);
    }

    private static System.Security.Cryptography.ECDsa Copy(System.Security.Cryptography.ECDsa key) => System.Security.Cryptography.ECDsa.Create(key.ExportParameters(true));

    private static Task<int> CountAsync(RunningAuthority authority) => authority.Store.ReadAsync(db => db.Orders.CountAsync(), None);
}

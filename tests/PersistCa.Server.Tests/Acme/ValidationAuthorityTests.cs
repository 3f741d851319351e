using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Acme;

/// <summary>dns-persist-01 beyond the name itself: ancestors, adn, just in time, in advance, subdomains, explain (dns-persist-01 rules sections 4 to 7).</summary>
public sealed class ValidationAuthorityTests(SharedAuthority shared) : IClassFixture<SharedAuthority>
{
    private readonly RunningAuthority authority = shared.Authority;

    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData(PersistDialect.AcmePersist)]
    [InlineData(PersistDialect.Draft01)]
    [InlineData(PersistDialect.Draft02)]
    public async Task A_record_above_with_its_policy_covers_plain_names_and_wildcards_below(PersistDialect dialect)
    {
        using var client = await authority.RegisteredAsync();
        var parent = shared.Fresh();
        authority.Publish(client, parent, dialect, wildcard: true);

        Assert.Null(RootTrust.Verify(await client.IssueAsync("dns-persist-01", "a.b." + parent, "*.b." + parent), authority.RootPem, "a.b." + parent));
    }

    [Fact]
    public async Task A_record_above_without_its_policy_covers_nothing_below_and_is_told()
    {
        using var client = await authority.RegisteredAsync();
        var parent = shared.Fresh();
        authority.Publish(client, parent, PersistDialect.Draft02);
        var order = await client.ReadyOrderAsync("dns-persist-01", "a." + parent);
        Assert.Equal("invalid", order.Json["status"]!.GetValue<string>());
        Assert.Contains("has no policy=wildcard", order.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hashed_record_above_is_bound_to_the_name_it_stands_at()
    {
        using var client = await authority.RegisteredAsync();
        var parent = shared.Fresh();
        var elsewhere = authority.Record(client, "a." + parent, PersistDialect.Draft02, wildcard: true);
        authority.Zone.SetTxt("_validation-persist." + parent, elsewhere.Value);
        Assert.Equal("invalid", (await client.ReadyOrderAsync("dns-persist-01", "a." + parent)).Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task With_adn_only_that_name_is_asked()
    {
        using var client = await authority.RegisteredAsync();
        var parent = shared.Fresh();
        var name = "a." + parent;
        authority.Publish(client, parent, PersistDialect.Draft01, wildcard: true);
        authority.Zone.Fail("_validation-persist." + name, 2);
        Assert.Equal("valid", (await ProveAsync(client, name, parent)).Json["status"]!.GetValue<string>());
        Assert.DoesNotContain(authority.Zone.Queries, q => q.Owner == "_validation-persist." + name);
    }

    [Fact]
    public async Task An_adn_that_is_not_above_the_name_fails_the_challenge_and_one_that_is_no_name_is_refused()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Publish(client, "elsewhere.test", PersistDialect.Draft01, wildcard: true);
        var failed = await ProveAsync(client, name, "elsewhere.test");
        Assert.Equal("invalid", failed.Json["status"]!.GetValue<string>());
        Assert.Contains("The adn is elsewhere.test", failed.Body, StringComparison.Ordinal);

        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => ProveAsync(client, shared.Fresh(), "a b"));
        Assert.Equal("malformed", refused.Answer.Problem);
    }

    [Fact]
    public async Task After_a_first_success_an_order_is_ready_at_once_and_the_evidence_says_why()
    {
        using var client = await authority.RegisteredAsync();
        await ProveOnceAsync(client);
        var name = shared.Fresh();
        authority.Publish(client, name, PersistDialect.Draft01);

        var order = await client.OrderAsync([name], None);

        Assert.Equal((201, "ready"), (order.Status, order.Json["status"]!.GetValue<string>()));
        var record = await authority.Store.ReadAsync(db => db.ValidationRecords.OrderByDescending(v => v.Id).FirstAsync(), None);
        Assert.True(record.JustInTime);
        Assert.Contains("\"justInTime\":true", record.Evidence, StringComparison.Ordinal);
        Assert.True(await authority.Store.ReadAsync(db => db.AuditEntries.AnyAsync(e => e.Facts.Contains(name) && e.Facts.Contains("justInTime")), None));
    }

    [Fact]
    public async Task An_account_without_a_success_waits_for_its_challenge()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Publish(client, name, PersistDialect.Draft01);
        Assert.Equal("pending", (await client.OrderAsync([name], None)).Json["status"]!.GetValue<string>());
        Assert.DoesNotContain(authority.Zone.Queries, q => q.Owner == "_validation-persist." + name);
    }

    [Fact]
    public async Task One_name_without_a_record_keeps_the_order_pending_and_proves_nothing_for_itself()
    {
        using var client = await authority.RegisteredAsync();
        await ProveOnceAsync(client);
        var (with, without) = (shared.Fresh(), shared.Fresh());
        authority.Publish(client, with, PersistDialect.Draft01);

        var order = await client.OrderAsync([with, without], None);

        Assert.Equal("pending", order.Json["status"]!.GetValue<string>());
        var states = new List<string>();
        foreach (var url in order.Json["authorizations"]!.AsArray())
        {
            states.Add((await client.FetchAsync(url!.GetValue<string>(), None)).Json["status"]!.GetValue<string>());
        }

        Assert.Equal(["valid", "pending"], states);
        var (csr, key) = RunningAuthority.Csr(with, without);
        key.Dispose();
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.FinalizeAsync(order, csr));
        Assert.Equal("orderNotReady", refused.Answer.Problem);
    }

    [Fact]
    public async Task A_wildcard_whose_record_lacks_the_policy_stays_pending_and_is_no_error()
    {
        using var client = await authority.RegisteredAsync();
        await ProveOnceAsync(client);
        var name = shared.Fresh();
        authority.Publish(client, name, PersistDialect.Draft02);
        var order = await client.OrderAsync(["*." + name], None);
        Assert.Equal((201, "pending"), (order.Status, order.Json["status"]!.GetValue<string>()));
        Assert.False(order.Json.ContainsKey("error"));
    }

    [Fact]
    public async Task A_name_proven_in_advance_serves_the_next_order_and_when_its_record_binds_one_order_only_one()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Publish(client, name, PersistDialect.Draft01);
        var opened = await NewAuthzAsync(client, name);
        Assert.Equal((201, "pending"), (opened.Status, opened.Json["status"]!.GetValue<string>()));
        Assert.Equal("valid", (await client.ProveAsync(opened.Location!, "dns-persist-01")).Json["status"]!.GetValue<string>());
        Assert.Equal((200, opened.Location), await Again());
        authority.Zone.ClearTxt("_validation-persist." + name);

        Assert.Equal("ready", (await client.OrderAsync([name], None)).Json["status"]!.GetValue<string>());
        Assert.Equal("pending", (await client.OrderAsync([name], None)).Json["status"]!.GetValue<string>());

        async Task<(int Status, string? Location)> Again()
        {
            var again = await NewAuthzAsync(client, name);
            return (again.Status, again.Location);
        }
    }

    [Theory]
    [InlineData("""{"identifier":{"type":"dns","value":"*.x.example.test"}}""", "malformed", "is a wildcard")]
    [InlineData("""{"identifier":{"type":"dns","value":"com"}}""", "rejectedIdentifier", "public suffix")]
    [InlineData("""{"identifier":{"type":"mail","value":"a"}}""", "unsupportedIdentifier", "is not supported")]
    [InlineData("""{"identifiers":[]}""", "malformed", "has no identifier")]
    public async Task What_cannot_be_authorized_in_advance_is_refused(string payload, string problem, string reason)
    {
        using var client = await authority.RegisteredAsync();
        var url = await client.UrlAsync("newAuthz", None);
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.PostAsync(url, payload, None));
        Assert.Equal(problem, refused.Answer.Problem);
        Assert.Contains(reason, refused.Answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_ancestor_domain_proves_names_below_once_and_offers_dns_challenges_only()
    {
        using var client = await authority.RegisteredAsync();
        var parent = shared.Fresh();
        authority.Publish(client, parent, PersistDialect.Draft02, wildcard: true);
        var order = await OrderBelowAsync(client, parent, "a." + parent, "b.c." + parent, "*.c." + parent);
        var url = Assert.Single(order.Json["authorizations"]!.AsArray())!.GetValue<string>();
        var authorization = await client.FetchAsync(url, None);
        Assert.Equal(parent, authorization.Json["identifier"]!["value"]!.GetValue<string>());
        Assert.True(authorization.Json["subdomainAuthAllowed"]!.GetValue<bool>());
        Assert.Equal(["dns-01", "dns-persist-01"], authorization.Json["challenges"]!.AsArray().Select(c => c!["type"]!.GetValue<string>()));

        await client.ProveAsync(url, "dns-persist-01");
        var (csr, key) = RunningAuthority.Csr("a." + parent, "b.c." + parent, "*.c." + parent);
        key.Dispose();
        Assert.Equal("valid", (await client.FinalizeAsync(order, csr)).Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_record_that_is_not_for_names_below_does_not_prove_an_ancestor_domain()
    {
        using var client = await authority.RegisteredAsync();
        var parent = shared.Fresh();
        authority.Publish(client, parent, PersistDialect.Draft02);
        var order = await OrderBelowAsync(client, parent, "a." + parent);
        var proved = await client.ProveAsync(order.Json["authorizations"]![0]!.GetValue<string>(), "dns-persist-01");
        Assert.Equal("invalid", proved.Json["status"]!.GetValue<string>());
        Assert.Contains("which the names under", proved.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("other.test", "is no name above")]
    [InlineData("test", "is no name above")]
    [InlineData("a b", "is no name: ")]
    public async Task An_ancestor_domain_that_is_not_above_the_name_is_refused(string ancestor, string reason)
    {
        using var client = await authority.RegisteredAsync();
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => OrderBelowAsync(client, ancestor, "a.b.example.test"));
        Assert.Equal("malformed", refused.Answer.Problem);
        Assert.Contains(reason, refused.Answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task However_deep_a_name_lies_its_registrable_domain_can_stand_for_it()
    {
        using var client = await authority.RegisteredAsync();
        Assert.Equal("pending", (await OrderBelowAsync(client, "example.test", "a.b.c.d.e.f.g.h.i.j.k.example.test")).Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_plain_order_finds_the_authorization_above_that_stands_for_names_below_and_one_of_a_stranger_does_not_serve()
    {
        using var client = await authority.RegisteredAsync();
        var parent = shared.Fresh();
        authority.Publish(client, parent, PersistDialect.Draft02, wildcard: true);
        var opened = await PostAsync(client, "newAuthz", JsonNode.Parse($$"""{"identifier":{"type":"dns","value":"{{parent}}"},"subdomainAuthAllowed":true}""")!.AsObject());
        await client.ProveAsync(opened.Location!, "dns-persist-01");
        authority.Zone.ClearTxt("_validation-persist." + parent);

        Assert.Equal("ready", (await client.OrderAsync(["a." + parent, "*.b." + parent], None)).Json["status"]!.GetValue<string>());
        using var stranger = await authority.RegisteredAsync();
        Assert.Equal("pending", (await stranger.OrderAsync(["a." + parent], None)).Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_plain_authorization_does_not_serve_names_below()
    {
        using var client = await authority.RegisteredAsync();
        var parent = shared.Fresh();
        authority.Publish(client, parent, PersistDialect.Draft02, wildcard: true);
        await client.IssueAsync("dns-persist-01", parent);
        authority.Zone.ClearTxt("_validation-persist." + parent);
        Assert.Equal("pending", (await OrderBelowAsync(client, parent, "a." + parent)).Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task Explain_says_what_is_found_and_what_would_fit_and_changes_nothing()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        var url = await client.UrlAsync("explainRecords", None);
        var payload = new JsonObject { ["identifier"] = new JsonObject { ["type"] = "dns", ["value"] = "*." + name } }.ToJsonString();
        authority.Publish(client, name, PersistDialect.Draft02);
        var before = await CountAsync();

        var narrow = await client.PostAsync(url, payload, None);
        var expected = narrow.Json["expected"]!.AsArray().Single(e => e!["dialect"]!.GetValue<string>() == "draft-02")!;
        authority.Zone.SetTxt(expected["owner"]!.GetValue<string>(), expected["value"]!.GetValue<string>());
        var wide = await client.PostAsync(url, payload, None);

        Assert.Equal("unauthorized", narrow.Json["verdict"]!.GetValue<string>());
        Assert.Equal("ScopeTooNarrow", Assert.Single(narrow.Json["records"]!.AsArray())!["verdict"]!.GetValue<string>());
        Assert.Equal(("valid", "draft-02"), (wide.Json["verdict"]!.GetValue<string>(), wide.Json["dialect"]!.GetValue<string>()));
        Assert.Equal(before, await CountAsync());

        Task<int> CountAsync() => authority.Store.ReadAsync(async db => await db.AuditEntries.CountAsync(None) + await db.Authorizations.CountAsync(None) + await db.ValidationRecords.CountAsync(None), None);
    }

    private static Task<AcmeAnswer> NewAuthzAsync(AcmeClient client, string name) => PostAsync(
        client, "newAuthz", new JsonObject { ["identifier"] = new JsonObject { ["type"] = "dns", ["value"] = name } });

    private static Task<AcmeAnswer> OrderBelowAsync(AcmeClient client, string ancestor, params string[] names) => PostAsync(
        client,
        "newOrder",
        new JsonObject { ["identifiers"] = new JsonArray([.. names.Select(n => new JsonObject { ["type"] = "dns", ["value"] = n, ["ancestorDomain"] = ancestor })]) });

    private static async Task<AcmeAnswer> PostAsync(AcmeClient client, string resource, JsonObject payload) =>
        await client.PostAsync(await client.UrlAsync(resource, None), payload.ToJsonString(), None);

    private async Task ProveOnceAsync(AcmeClient client)
    {
        var name = shared.Fresh();
        authority.Publish(client, name, PersistDialect.Draft02);
        await client.IssueAsync("dns-persist-01", name);
    }

    private static async Task<AcmeAnswer> ProveAsync(AcmeClient client, string name, string adn)
    {
        var order = await client.OrderAsync([name], None);
        var url = order.Json["authorizations"]![0]!.GetValue<string>();
        var challenge = (await client.FetchAsync(url, None)).Challenge("dns-persist-01")["url"]!.GetValue<string>();
        await client.PostAsync(challenge, new JsonObject { ["adn"] = adn }.ToJsonString(), None);
        return await client.PollAsync(url, ["pending"], TimeProvider.System, None);
    }
}

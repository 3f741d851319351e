using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Limits;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Server.Tests.Renewal;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.ExternalAccounts;

/// <summary>What an account may do by its key: at the order, in advance, at finalize and at issuance, each time as the key is at that moment.</summary>
public sealed class ScopeTests
{
    private const string Name = "a.corp.example";

    private static readonly string[] Acme = ["acme", "publication"];

    private static CancellationToken None => CancellationToken.None;

    private static Task<RunningAuthority> StartAsync(Action<PersistCaOptions>? more = null) => RunningAuthority.StartAsync(o =>
    {
        o.Acme.ExternalAccount = ExternalAccountMode.Required;
        o.Policy.Ip.AllowedNetworks = ["10.0.0.0/8"];
        more?.Invoke(o);
    });

    private static async Task<(int Status, string? Problem, string Body)> TryAsync(Func<Task<AcmeAnswer>> call)
    {
        try
        {
            var answer = await call();
            return (answer.Status, null, answer.Body);
        }
        catch (AcmeRefusedException refused)
        {
            return (refused.Answer.Status, refused.Answer.Problem, refused.Answer.Body);
        }
    }

    private static async Task<AcmeAnswer> PreAuthorizeAsync(AcmeClient client, string name) =>
        await client.PostAsync(await client.UrlAsync("newAuthz", None), $$$"""{"identifier":{"type":"dns","value":"{{{name}}}"}}""", None);

    [Theory]
    [InlineData("a.corp.example", true)]
    [InlineData("*.corp.example", true)]
    [InlineData("10.1.2.3", true)]
    [InlineData("a.other.example", false)]
    [InlineData("*.other.example", false)]
    [InlineData("example", false)]
    [InlineData("10.2.2.3", false)]
    public async Task An_order_and_an_authorization_in_advance_are_for_the_keys_names_alone(string name, bool permitted)
    {
        await using var authority = await StartAsync();
        using var client = await authority.BoundAsync(await authority.ExternalKeyAsync(t => t with { Names = [".corp.example", "10.1.0.0/16"] }));
        var order = await TryAsync(() => client.OrderAsync([name], None));
        Assert.Equal(permitted ? (201, null) : (400, "rejectedIdentifier"), (order.Status, order.Problem));
        if (!permitted && name != "example")
        {
            Assert.Contains("they are .corp.example, 10.1.0.0/16", order.Body, StringComparison.Ordinal);
        }

        if (!name.Contains('*', StringComparison.Ordinal) && !name.StartsWith("10.", StringComparison.Ordinal))
        {
            Assert.Equal(permitted ? 201 : 400, (await TryAsync(() => PreAuthorizeAsync(client, name))).Status);
        }
    }

    [Fact]
    public async Task Of_several_names_those_outside_are_named_each_by_itself()
    {
        await using var authority = await StartAsync();
        using var client = await authority.BoundAsync(await authority.ExternalKeyAsync(t => t with { Names = [".corp.example"] }));
        var order = await TryAsync(() => client.OrderAsync([Name, "b.example.org", "c.example.org"], None));
        Assert.Equal(["b.example.org", "c.example.org"], JsonNode.Parse(order.Body)!["subproblems"]!.AsArray().Select(p => p!["identifier"]!["value"]!.GetValue<string>()));
    }

    [Fact]
    public async Task A_name_above_may_be_proved_for_one_that_the_key_permits()
    {
        await using var authority = await StartAsync();
        using var client = await authority.BoundAsync(await authority.ExternalKeyAsync(t => t with { Names = ["a.corp.example"] }));
        var order = await client.PostAsync(
            await client.UrlAsync("newOrder", None), """{"identifiers":[{"type":"dns","value":"a.corp.example","ancestorDomain":"corp.example"}]}""", None);
        Assert.Equal(201, order.Status);
        Assert.Equal("rejectedIdentifier", (await TryAsync(() => client.OrderAsync(["corp.example"], None))).Problem);
    }

    [Fact]
    public async Task Challenges_are_those_of_the_key_and_where_none_is_left_the_order_is_refused()
    {
        await using var authority = await StartAsync(o => o.Profiles = [new ProfileOptions { Name = "web", Challenges = ["http-01"] }]);
        using var client = await authority.BoundAsync(await authority.ExternalKeyAsync(t => t with { Names = [".", "10.0.0.0/8"], Challenges = ["dns-persist-01", "dns-01"] }));
        var order = await client.OrderAsync([Name], None);
        var offered = (await client.FetchAsync(order.Json["authorizations"]![0]!.GetValue<string>(), None)).Json["challenges"]!.AsArray();
        Assert.Equal(["dns-01", "dns-persist-01"], offered.Select(c => c!["type"]!.GetValue<string>()));
        Assert.Equal("rejectedIdentifier", (await TryAsync(() => client.OrderAsync([Name], None, "web"))).Problem);
        using var other = await authority.BoundAsync(await authority.ExternalKeyAsync(t => t with { Names = ["10.0.0.0/8"], Challenges = ["dns-01"] }));
        var address = await TryAsync(() => other.OrderAsync(["10.1.2.3"], None));
        Assert.Equal("rejectedIdentifier", address.Problem);
        Assert.Contains("accepts none of the challenges", address.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Profiles_are_those_of_the_key_and_an_order_that_names_none_gets_one_of_them()
    {
        await using var authority = await StartAsync();
        using var client = await authority.BoundAsync(await authority.ExternalKeyAsync(t => t with { Profiles = ["client"] }));
        var refused = await TryAsync(() => client.OrderAsync([Name], None, "server"));
        Assert.Equal("invalidProfile", refused.Problem);
        Assert.Contains("its profiles are client", refused.Body, StringComparison.Ordinal);
        Assert.Equal("client", (await client.OrderAsync([Name], None)).Json["profile"]!.GetValue<string>());
    }

    [Fact]
    public async Task The_number_of_names_is_the_keys()
    {
        await using var authority = await StartAsync();
        using var client = await authority.BoundAsync(await authority.ExternalKeyAsync(t => t with { MaxNames = 1 }));
        Assert.Contains("at most 1 are accepted for the external account", (await TryAsync(() => client.OrderAsync([Name, "b.corp.example"], None))).Body, StringComparison.Ordinal);
        Assert.Equal(201, (await client.OrderAsync([Name], None)).Status);
    }

    [Fact]
    public async Task Certificates_of_a_key_are_counted_for_all_its_accounts_when_they_are_issued()
    {
        await using var authority = await StartAsync();
        var key = await authority.ExternalKeyAsync(t => t with { Certificates = new RateLimit(2, TimeSpan.FromHours(1)) });
        using var one = await authority.BoundAsync(key);
        using var two = await authority.BoundAsync(key);
        foreach (var client in new[] { one, two })
        {
            authority.Publish(client, Name, PersistDialect.Draft02);
        }

        // Orders cost nothing; what is open when the last certificate goes is refused at finalize.
        authority.Publish(one, Name, PersistDialect.Draft02);
        var open = await one.ReadyOrderAsync("dns-persist-01", Name);
        await one.IssueAsync("dns-persist-01", Name);
        authority.Publish(two, Name, PersistDialect.Draft02);
        await two.IssueAsync("dns-persist-01", Name);
        var (csr, secret) = RunningAuthority.Csr(Name);
        secret.Dispose();
        var late = await TryAsync(() => one.FinalizeAsync(open, csr));
        Assert.Equal((429, "rateLimited"), (late.Status, late.Problem));
        var ordered = await TryAsync(() => two.OrderAsync([Name], None));
        Assert.Equal("rateLimited", ordered.Problem);
        Assert.Contains($"certificates of the external account {key.Key.PublicId}: at most 2 in 01:00:00", ordered.Body, StringComparison.Ordinal);
        authority.Clock.Ahead = TimeSpan.FromMinutes(31);
        Assert.Equal(201, (await TryAsync(() => two.OrderAsync([Name], None))).Status);
    }

    [Fact]
    public async Task An_account_without_a_key_gets_no_certificate_once_one_is_required_and_may_still_revoke()
    {
        await using var authority = await StartAsync(o => o.Acme.ExternalAccount = ExternalAccountMode.Optional);
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, Name, PersistDialect.Draft02);
        var chain = await client.IssueAsync("dns-persist-01", Name);
        var ready = await client.ReadyOrderAsync("dns-persist-01", Name);
        authority.Options.Acme.ExternalAccount = ExternalAccountMode.Required;
        await authority.RestartAsync();

        Assert.Equal((403, "externalAccountRequired"), await TryAsync(() => client.OrderAsync([Name], None)) is var o ? (o.Status, o.Problem) : default);
        Assert.Equal("externalAccountRequired", (await TryAsync(() => PreAuthorizeAsync(client, Name))).Problem);
        var (csr, key) = RunningAuthority.Csr(Name);
        key.Dispose();
        Assert.Equal("externalAccountRequired", (await TryAsync(() => client.FinalizeAsync(ready, csr))).Problem);
        Assert.Equal(200, (await TryAsync(() => RevokeAsync(client, chain))).Status);
    }

    [Theory]
    [InlineData("names", "rejectedIdentifier", "not among the names")]
    [InlineData("profiles", "invalidProfile", "not for the external account")]
    [InlineData("challenges", "unauthorized", "does not accept")]
    [InlineData("count", "malformed", "at most 1 are accepted")]
    [InlineData("quota", "rateLimited", "at most 1 in")]
    [InlineData("removed", "unauthorized", "was removed at")]
    [InlineData("expired", "unauthorized", "expired at")]
    public async Task What_is_changed_between_order_and_issuance_is_seen_at_finalize_and_at_issuance(string what, string problem, string detail)
    {
        await using var authority = await StartAsync();
        var key = await authority.ExternalKeyAsync(t => t with { ExpiresAt = authority.Store.Now.AddDays(2) });
        using var client = await authority.BoundAsync(key);
        string[] names = [Name, "b.corp.example"];
        foreach (var name in names)
        {
            authority.Publish(client, name, PersistDialect.Draft02);
        }

        var (first, second) = (await client.ReadyOrderAsync("dns-persist-01", names), await client.ReadyOrderAsync("dns-persist-01", names));
        var (csr, secret) = RunningAuthority.Csr(names);
        secret.Dispose();

        // The first is finalized before the change, by a node that issues nothing.
        authority.Options.Server.Roles = [.. Acme];
        await authority.RestartAsync();
        await client.PostAsync(first.Json["finalize"]!.GetValue<string>(), new JsonObject { ["csr"] = System.Buffers.Text.Base64Url.EncodeToString(csr) }.ToJsonString(), None);
        await ChangeAsync(authority, key, what);
        var finalized = await TryAsync(() => client.PostAsync(second.Json["finalize"]!.GetValue<string>(), new JsonObject { ["csr"] = System.Buffers.Text.Base64Url.EncodeToString(csr) }.ToJsonString(), None));
        if (what == "challenges")
        {
            Assert.Equal(200, finalized.Status); // how names were proved is judged where the certificate is made
        }
        else
        {
            Assert.Equal(problem, finalized.Problem);
            Assert.Contains(detail, finalized.Body, StringComparison.Ordinal);
        }

        authority.Options.Server.Roles = [];
        await authority.RestartAsync();
        var end = await client.PollAsync(first.Location!, ["processing"], TimeProvider.System, None);
        Assert.Equal("invalid", end.Json["status"]!.GetValue<string>());
        Assert.EndsWith(":" + problem, end.Json["error"]!["type"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains(detail, end.Body, StringComparison.Ordinal);
        Assert.Equal(0, await authority.Store.ReadAsync(db => db.Certificates.CountAsync(c => c.Der != null && c.AccountId == db.Accounts.Single(a => a.ExternalKeyId != null).Id), None));
    }

    [Theory]
    [InlineData(EndStops.None, true, true, true)]
    [InlineData(EndStops.NewOrders, false, true, true)]
    [InlineData(EndStops.Renewals, true, false, true)]
    [InlineData(EndStops.Revocations, true, true, false)]
    [InlineData(EndStops.NewOrders | EndStops.Renewals | EndStops.Revocations, false, false, false)]
    public async Task Removing_a_key_stops_new_orders_renewals_and_revocations_as_was_said(EndStops stops, bool orders, bool renews, bool revokes)
    {
        await using var authority = await StartAsync();
        var key = await authority.ExternalKeyAsync();
        using var client = await authority.BoundAsync(key);
        authority.Publish(client, Name, PersistDialect.Draft02);
        authority.Publish(client, "b.corp.example", PersistDialect.Draft02);
        var chain = await client.IssueAsync("dns-persist-01", Name);
        await authority.RemoveAsync(key, stops);

        var (fresh, renewal) = (await TryAsync(() => client.OrderAsync(["b.corp.example"], None)), await TryAsync(() => client.OrderAsync([Name], None)));
        Assert.Equal(orders ? (201, null) : (403, "unauthorized"), (fresh.Status, fresh.Problem));
        Assert.Equal(renews ? (201, null) : (403, "unauthorized"), (renewal.Status, renewal.Problem));
        if (renews)
        {
            await client.IssueAsync("dns-persist-01", Name);
        }

        var revoked = await TryAsync(() => RevokeAsync(client, chain));
        Assert.Equal(revokes ? (200, null) : (403, "unauthorized"), (revoked.Status, revoked.Problem));
        if (!revokes)
        {
            Assert.Contains("which stops revocations by its accounts", revoked.Body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_order_that_replaces_a_certificate_renews_none_but_its_names()
    {
        await using var authority = await StartAsync();
        var key = await authority.ExternalKeyAsync();
        using var client = await authority.BoundAsync(key);
        authority.Publish(client, Name, PersistDialect.Draft02);
        var replaces = RenewalBed.IdOf(await client.IssueAsync("dns-persist-01", Name));
        await authority.RemoveAsync(key, EndStops.NewOrders);

        async Task<(int Status, string? Problem, string Body)> OrderAsync(string more) => await TryAsync(async () => await client.PostAsync(
            await client.UrlAsync("newOrder", None), $$"""{"identifiers":[{"type":"dns","value":"{{Name}}"}{{more}}],"replaces":"{{replaces}}"}""", None));
        var wider = await OrderAsync(",{\"type\":\"dns\",\"value\":\"b.corp.example\"}");
        Assert.Equal((403, "unauthorized"), (wider.Status, wider.Problem));
        Assert.Contains("which stops new orders", wider.Body, StringComparison.Ordinal);
        Assert.Equal(201, (await OrderAsync("")).Status);
    }

    [Fact]
    public async Task A_certificate_whose_issuance_an_operator_gives_up_is_given_back()
    {
        await using var authority = await StartAsync();
        var key = await authority.ExternalKeyAsync(t => t with { Certificates = new RateLimit(1, TimeSpan.FromDays(300)) });
        using var client = await authority.BoundAsync(key);
        authority.Publish(client, Name, PersistDialect.Draft02);
        var order = await client.ReadyOrderAsync("dns-persist-01", Name);
        authority.Options.Server.Roles = [.. Acme];
        await authority.RestartAsync();
        var (csr, secret) = RunningAuthority.Csr(Name);
        secret.Dispose();
        await client.PostAsync(order.Json["finalize"]!.GetValue<string>(), new JsonObject { ["csr"] = System.Buffers.Text.Base64Url.EncodeToString(csr) }.ToJsonString(), None);

        // A node intended the certificate, and died.
        _ = (await authority.Store.WriteAsync<string>(
            PersistCa.Storage.Actor.Server,
            async t =>
            {
                var row = await t.Db.Orders.SingleAsync(None);
                var issuer = await t.Db.Issuers.Select(i => i.Id).FirstAsync(None);
                t.Db.Certificates.Add(new Protocol.Certificates.IssuedCertificate(PublicId.Next(), new string('5', 32), issuer, row.Id, row.AccountId, new string('0', 64), [1], t.Now, t.Now.AddDays(9), t.Now));
                Assert.Null(await new LimitDesk(authority.Options.Limits).TakeCertificateAsync(t, key.Key.Scope(), None));
                t.Audit("account.updated", "test");
                return "intended";
            },
            None)).Value;
        Assert.Equal("rateLimited", (await TryAsync(() => client.OrderAsync([Name], None))).Problem);

        var job = (await authority.Store.ReadAsync(db => db.WorkItems.SingleAsync(None), None)).Id;
        Assert.False((await ((JobDesk)authority.Services.GetService(typeof(JobDesk))!).CancelAsync(await authority.OperatorAsync(), job, None)).IsRefused);

        Assert.Equal(201, (await TryAsync(() => client.OrderAsync([Name], None))).Status);
    }

    private static async Task<AcmeAnswer> RevokeAsync(AcmeClient client, string chain)
    {
        using var leaf = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(chain);
        return await client.PostAsync(
            await client.UrlAsync("revokeCert", None), new JsonObject { ["certificate"] = System.Buffers.Text.Base64Url.EncodeToString(leaf.RawData) }.ToJsonString(), None);
    }

    private static async Task ChangeAsync(RunningAuthority authority, MadeExternalAccountKey key, string what)
    {
        switch (what)
        {
            case "names":
                await authority.ChangeAsync(key, t => t with { Names = ["b.corp.example"] });
                break;
            case "profiles":
                await authority.ChangeAsync(key, t => t with { Profiles = ["client"] });
                break;
            case "challenges":
                await authority.ChangeAsync(key, t => t with { Challenges = ["dns-01"] });
                break;
            case "count":
                await authority.ChangeAsync(key, t => t with { MaxNames = 1 });
                break;
            case "quota":
                // Another account of the key took the one that is left.
                await authority.ChangeAsync(key, t => t with { Certificates = new RateLimit(1, TimeSpan.FromDays(300)) });
                await authority.Store.WriteAsync<string>(
                    PersistCa.Storage.Actor.Server,
                    async t =>
                    {
                        _ = await new LimitDesk(authority.Options.Limits).TakeCertificateAsync(t, key.Key.Scope() with { Certificates = new RateLimit(1, TimeSpan.FromDays(300)) }, None);
                        t.Audit("account.updated", "test");
                        return "taken";
                    },
                    None);
                break;
            case "removed":
                await authority.RemoveAsync(key);
                break;
            case "expired":
                await using (var db = await ((IDbContextFactory<PersistCa.Storage.CaDb>)authority.Services.GetService(typeof(IDbContextFactory<PersistCa.Storage.CaDb>))!).CreateDbContextAsync(None))
                {
                    var past = authority.Store.Now.AddMinutes(-1);
                    await db.ExternalAccountKeys.ExecuteUpdateAsync(s => s.SetProperty(k => k.ExpiresAt, past));
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(what));
        }
    }
}

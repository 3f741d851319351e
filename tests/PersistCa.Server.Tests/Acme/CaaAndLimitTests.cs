using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Acme;

/// <summary>CAA at validation and again at issuance; limits, with the time to come back.</summary>
public sealed class CaaAndLimitTests
{
    private static readonly string DenyAll = "\0\u0005issue;";

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_zone_that_denies_all_gets_nothing_by_any_challenge()
    {
        await using var authority = await RunningAuthority.StartAsync();
        using var client = await authority.RegisteredAsync();
        authority.Zone.SetCaa("a.example.test", DenyAll);
        authority.Publish(client, "a.example.test", PersistDialect.Draft02, wildcard: true);
        foreach (var name in new[] { "a.example.test", "*.a.example.test", "below.a.example.test" })
        {
            var order = await client.ReadyOrderAsync("dns-persist-01", name);
            Assert.Equal("urn:ietf:params:acme:error:caa", order.Json["error"]!["type"]!.GetValue<string>());
        }

        Assert.Equal(3, await authority.Store.ReadAsync(db => db.CaaChecks.CountAsync(c => c.Outcome == nameof(CaaOutcome.Forbidden), None), None));
    }

    [Theory]
    [InlineData("localhost; validationmethods=dns-persist-01", true)]
    [InlineData("localhost; validationmethods=http-01", false)]
    [InlineData("localhost; accounturi=ACCOUNT", true)]
    [InlineData("localhost; accounturi=https://localhost/other", false)]
    [InlineData("other.test", false)]
    public async Task Parameters_bind_method_and_account(string value, bool permitted)
    {
        await using var authority = await RunningAuthority.StartAsync();
        using var client = await authority.RegisteredAsync();
        var text = value.Replace("ACCOUNT", client.AccountUrl, StringComparison.Ordinal);
        authority.Zone.SetCaa("a.example.test", "\0\u0005issue" + text);
        authority.Publish(client, "a.example.test", PersistDialect.Draft02);
        var order = await client.ReadyOrderAsync("dns-persist-01", "a.example.test");
        Assert.Equal(permitted ? "ready" : "invalid", order.Json["status"]!.GetValue<string>());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task After_eight_hours_each_name_is_asked_again_and_the_one_that_denies_is_named(int denies)
    {
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            o.Acme.AuthorizationLifetime = TimeSpan.FromDays(9);
            o.Acme.OrderLifetime = TimeSpan.FromDays(2);
            o.Acme.NonceLifetime = TimeSpan.FromDays(1);
        });
        using var client = await authority.RegisteredAsync();
        string[] names = ["a.example.test", "b.example.test", "c.example.test"];
        foreach (var name in names)
        {
            authority.Publish(client, name, PersistDialect.Draft02);
        }

        var order = await client.ReadyOrderAsync("dns-persist-01", names);
        authority.Zone.SetCaa(names[denies], DenyAll);
        authority.Clock.Ahead = CaaResult.LeastAge + TimeSpan.FromSeconds(1);
        var (csr, key) = RunningAuthority.Csr(names);
        key.Dispose();

        var final = await client.FinalizeAsync(order, csr);

        Assert.Equal("invalid", final.Json["status"]!.GetValue<string>());
        Assert.Equal("urn:ietf:params:acme:error:caa", final.Json["error"]!["type"]!.GetValue<string>());
        Assert.Equal(names[denies], Assert.Single(final.Json["error"]!["subproblems"]!.AsArray())!["identifier"]!["value"]!.GetValue<string>());
        Assert.False(await authority.Store.ReadAsync(db => db.Certificates.AnyAsync(None), None));
    }

    [Theory]
    [InlineData(CaaMode.Report)]
    [InlineData(CaaMode.Off)]
    public async Task What_passed_while_caa_was_not_enforced_is_no_permission_once_it_is(CaaMode before)
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Validation.Caa.Mode = before);
        using var client = await authority.RegisteredAsync();
        authority.Zone.SetCaa("a.example.test", DenyAll);
        authority.Publish(client, "a.example.test", PersistDialect.Draft02);
        var order = await client.ReadyOrderAsync("dns-persist-01", "a.example.test");
        Assert.Equal("ready", order.Json["status"]!.GetValue<string>());
        authority.Options.Validation.Caa.Mode = CaaMode.Enforce;
        await authority.RestartAsync();

        var (csr, key) = RunningAuthority.Csr("a.example.test");
        key.Dispose();
        var final = await client.FinalizeAsync(order, csr);

        Assert.Equal("urn:ietf:params:acme:error:caa", final.Json["error"]!["type"]!.GetValue<string>());
    }

    [Fact]
    public async Task What_was_proved_by_rules_that_have_changed_serves_no_order_and_gets_no_certificate()
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Validation.Persist.JustInTime = false);
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.example.test", PersistDialect.Draft02);
        var order = await client.ReadyOrderAsync("dns-persist-01", "a.example.test");
        Assert.Equal("ready", (await client.OrderAsync(["a.example.test"], None)).Json["status"]!.GetValue<string>());
        authority.Options.Validation.Persist.RequireExpiry = true;
        await authority.RestartAsync();

        var (csr, key) = RunningAuthority.Csr("a.example.test");
        key.Dispose();
        var final = await client.FinalizeAsync(order, csr);

        Assert.Equal("invalid", final.Json["status"]!.GetValue<string>());
        Assert.Contains("by rules that have changed since", final.Body, StringComparison.Ordinal);
        Assert.Equal("pending", (await client.OrderAsync(["a.example.test"], None)).Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_look_up_that_fails_at_issuance_is_tried_again_before_the_order_fails()
    {
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            o.Acme.AuthorizationLifetime = TimeSpan.FromDays(9);
            o.Acme.OrderLifetime = TimeSpan.FromDays(2);
            o.Acme.NonceLifetime = TimeSpan.FromDays(1);
            o.Acme.FinalizeWait = TimeSpan.Zero;
        });
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.example.test", PersistDialect.Draft02);
        var order = await client.ReadyOrderAsync("dns-persist-01", "a.example.test");
        authority.Clock.Ahead = CaaResult.LeastAge + TimeSpan.FromSeconds(1);
        authority.Zone.Fail("example.test", 2);
        var (csr, key) = RunningAuthority.Csr("a.example.test");
        key.Dispose();
        await client.PostAsync(order.Json["finalize"]!.GetValue<string>(), $$"""{"csr":"{{System.Buffers.Text.Base64Url.EncodeToString(csr)}}"}""", None);
        while (await authority.Store.ReadAsync(db => db.CaaChecks.CountAsync(None), None) < 2)
        {
            await Task.Yield();
        }

        authority.Zone.Heal("example.test");

        Assert.Equal("valid", (await client.PollAsync(order.Location!, ["processing"], TimeProvider.System, None)).Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_fresh_permission_is_not_asked_for_again()
    {
        await using var authority = await RunningAuthority.StartAsync();
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.example.test", PersistDialect.Draft02);
        await client.IssueAsync("dns-persist-01", "a.example.test");
        Assert.Equal(1, await authority.Store.ReadAsync(db => db.CaaChecks.CountAsync(None), None));
    }

    [Fact]
    public async Task A_look_up_that_fails_refuses_and_can_be_tried_again()
    {
        await using var authority = await RunningAuthority.StartAsync();
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.example.test", PersistDialect.Draft02);
        authority.Zone.Fail("example.test", 2);
        var order = await client.ReadyOrderAsync("dns-persist-01", "a.example.test");
        Assert.Equal("urn:ietf:params:acme:error:dns", order.Json["error"]!["type"]!.GetValue<string>());
    }

    [Theory]
    [InlineData(CaaMode.Report, 1)]
    [InlineData(CaaMode.Off, 0)]
    public async Task A_suffix_that_does_not_enforce_lets_pass_and_keeps_what_it_saw(CaaMode mode, int asked)
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Validation.Caa.Suffixes.Add(new CaaSuffixOptions { Suffix = "example.test", Mode = mode }));
        using var client = await authority.RegisteredAsync();
        authority.Zone.SetCaa("a.example.test", DenyAll);
        authority.Publish(client, "a.example.test", PersistDialect.Draft02);
        await client.IssueAsync("dns-persist-01", "a.example.test");
        Assert.Equal(asked, await authority.Store.ReadAsync(db => db.CaaChecks.CountAsync(c => c.Outcome == nameof(CaaOutcome.Forbidden), None), None));
        Assert.Equal(asked, authority.Zone.Queries.Count(q => q.Type == 257 && q.Owner == "a.example.test"));
    }

    [Fact]
    public async Task Failed_validations_of_a_name_are_limited_per_account_and_other_names_and_accounts_are_not()
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Limits.FailedValidations = "2/01:00:00");
        using var client = await authority.RegisteredAsync();
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal("invalid", (await client.ReadyOrderAsync("dns-persist-01", "a.example.test")).Json["status"]!.GetValue<string>());
        }

        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.ReadyOrderAsync("dns-persist-01", "a.example.test"));

        Assert.Equal((429, "rateLimited"), (refused.Answer.Status, refused.Answer.Problem));
        Assert.InRange(refused.Answer.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromMinutes(29), TimeSpan.FromMinutes(30));
        Assert.Equal("invalid", (await client.ReadyOrderAsync("dns-persist-01", "b.example.test")).Json["status"]!.GetValue<string>());
        using var other = await authority.RegisteredAsync();
        Assert.Equal("invalid", (await other.ReadyOrderAsync("dns-persist-01", "a.example.test")).Json["status"]!.GetValue<string>());
        authority.Clock.Ahead = TimeSpan.FromMinutes(31);
        Assert.Equal("invalid", (await client.ReadyOrderAsync("dns-persist-01", "a.example.test")).Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task However_many_validations_are_asked_for_at_once_no_more_fail_than_the_limit_says_and_successes_cost_nothing()
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Limits.FailedValidations = "3/01:00:00");
        using var client = await authority.RegisteredAsync();
        var challenges = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            var order = await client.OrderAsync([i % 2 == 0 ? "a.example.test" : "*.a.example.test"], None);
            challenges.Add((await client.FetchAsync(order.Json["authorizations"]![0]!.GetValue<string>(), None)).Challenge("dns-persist-01")["url"]!.GetValue<string>());
        }

        authority.Zone.Delay("_validation-persist.a.example.test", TimeSpan.FromMilliseconds(500));
        var accepted = 0;
        foreach (var challenge in challenges)
        {
            try
            {
                await client.PostAsync(challenge, "{}", None);
                accepted++;
            }
            catch (AcmeRefusedException refused) when (refused.Answer.Problem == "rateLimited")
            {
            }
        }

        Assert.Equal(3, accepted);
        authority.Publish(client, "b.example.test", PersistDialect.Draft01);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("ready", (await client.ReadyOrderAsync("dns-persist-01", "b.example.test")).Json["status"]!.GetValue<string>());
        }
    }

    [Fact]
    public async Task A_challenge_that_policy_does_not_offer_for_a_name_is_not_offered_by_way_of_a_name_above_it()
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Policy.Challenges.Add(
            new ChallengeRuleOptions { NameSuffix = "secure.example.test", Types = ["dns-persist-01"] }));
        using var client = await authority.RegisteredAsync();
        var order = await client.PostAsync(
            await client.UrlAsync("newOrder", None),
            """{"identifiers":[{"type":"dns","value":"secure.example.test","ancestorDomain":"example.test"}]}""",
            None);
        var authorization = await client.FetchAsync(order.Json["authorizations"]![0]!.GetValue<string>(), None);
        Assert.Equal("dns-persist-01", Assert.Single(authorization.Json["challenges"]!.AsArray())!["type"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("dns-01", false)]
    [InlineData("dns-persist-01", true)]
    public async Task A_proof_by_a_key_that_is_replaced_meanwhile_does_not_hold_and_one_that_survives_a_rollover_does(string type, bool holds)
    {
        await using var authority = await RunningAuthority.StartAsync();
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.example.test", PersistDialect.Draft02);
        var order = await client.OrderAsync(["a.example.test"], None);
        var url = order.Json["authorizations"]![0]!.GetValue<string>();
        var challenge = (await client.FetchAsync(url, None)).Challenge(type);
        var digest = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.ASCII.GetBytes($"{challenge["token"]!.GetValue<string>()}.{client.Thumbprint}"));
        authority.Zone.SetTxt("_acme-challenge.a.example.test", System.Buffers.Text.Base64Url.EncodeToString(digest));
        authority.Zone.Delay((type == "dns-01" ? "_acme-challenge" : "_validation-persist") + ".a.example.test", TimeSpan.FromSeconds(1));
        await client.PostAsync(challenge["url"]!.GetValue<string>(), "{}", None);
        while (!authority.Zone.Queries.Any(q => q.Owner.EndsWith(".a.example.test", StringComparison.Ordinal)))
        {
            await Task.Yield();
        }

        await client.ChangeKeyAsync(System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256), None);

        var authorization = await client.PollAsync(url, ["pending"], TimeProvider.System, None);
        Assert.Equal(holds ? "valid" : "invalid", authorization.Json["status"]!.GetValue<string>());
        if (!holds)
        {
            Assert.Contains("key was changed", authorization.Body, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("NewOrdersPerAccount", "new orders of this account")]
    [InlineData("NewOrdersPerAddress", "new orders from this address")]
    public async Task Orders_are_limited(string limit, string what)
    {
        await using var authority = await RunningAuthority.StartAsync(o => typeof(LimitOptions).GetProperty(limit)!.SetValue(o.Limits, "2/01:00:00"));
        using var client = await authority.RegisteredAsync();
        await client.OrderAsync(["a.example.test"], None);
        await client.OrderAsync(["a.example.test"], None);
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync(["a.example.test"], None));
        Assert.Equal((429, "rateLimited"), (refused.Answer.Status, refused.Answer.Problem));
        Assert.Contains(what, refused.Answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_account_can_have_limits_of_its_own()
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Limits.NewOrdersPerAccount = "1/01:00:00");
        using var client = await authority.RegisteredAsync();
        authority.Options.Limits.PerAccount.Add(client.AccountUrl!.Split('/')[^1] + " NewOrdersPerAccount=off");
        await authority.RestartAsync();
        using var other = await authority.RegisteredAsync();
        for (var i = 0; i < 3; i++)
        {
            await client.OrderAsync(["a.example.test"], None);
        }

        await other.OrderAsync(["a.example.test"], None);
        await Assert.ThrowsAsync<AcmeRefusedException>(() => other.OrderAsync(["a.example.test"], None));
    }

    [Fact]
    public async Task New_accounts_are_limited_by_address_and_known_ones_are_found_all_the_same()
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Limits.NewAccountsPerAddress = "1/01:00:00");
        using var client = await authority.RegisteredAsync();
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => authority.RegisteredAsync());
        Assert.Equal("rateLimited", refused.Answer.Problem);
        Assert.Equal(200, (await client.RegisterAsync(None)).Status);
    }

    [Fact]
    public async Task Pending_authorizations_are_bounded_and_room_is_made_by_giving_some_up()
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Limits.PendingAuthorizations = 2);
        using var client = await authority.RegisteredAsync();
        var order = await client.OrderAsync(["a.example.test", "b.example.test"], None);
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync(["c.example.test"], None));
        Assert.Equal("rateLimited", refused.Answer.Problem);
        await client.PostAsync(order.Json["authorizations"]![0]!.GetValue<string>(), """{"status":"deactivated"}""", None);
        Assert.Equal(201, (await client.OrderAsync(["c.example.test"], None)).Status);
    }

    [Fact]
    public async Task Looks_in_advance_are_limited_by_domain_and_fall_back_to_pending()
    {
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            o.Limits.JustInTimePerDomain = "1/01:00:00";
            o.Validation.Persist.JustInTimeForAll = true;
        });
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.example.test", PersistDialect.Draft01);
        Assert.Equal("ready", (await client.OrderAsync(["a.example.test"], None)).Json["status"]!.GetValue<string>());
        using var other = await authority.RegisteredAsync();
        authority.Publish(other, "b.example.test", PersistDialect.Draft01);
        Assert.Equal("pending", (await other.OrderAsync(["b.example.test"], None)).Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_look_in_advance_that_takes_too_long_costs_its_budget_and_no_error()
    {
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            o.Validation.Persist.JustInTimeForAll = true;
            o.Validation.Persist.JustInTimeBudget = TimeSpan.FromMilliseconds(100);
        });
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.example.test", PersistDialect.Draft01);
        authority.Zone.Drop("_validation-persist.a.example.test");
        var order = await client.OrderAsync(["a.example.test"], None);
        Assert.Equal((201, "pending"), (order.Status, order.Json["status"]!.GetValue<string>()));
    }
}

using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Acme;

/// <summary>Limits, with the time to come back; policy and keys that hold whatever is tried at once.</summary>
public sealed class LimitTests
{
    private static CancellationToken None => CancellationToken.None;

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

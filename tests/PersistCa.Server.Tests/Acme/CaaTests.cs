using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Acme;

/// <summary>CAA at validation and again at issuance.</summary>
public sealed class CaaTests
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
}

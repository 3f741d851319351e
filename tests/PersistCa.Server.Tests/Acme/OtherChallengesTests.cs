using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Testing;
using PersistCa.Validation.Challenges;

namespace PersistCa.Server.Tests.Acme;

/// <summary>Addresses, dns-account-01 and the policy of challenges, end to end.</summary>
public sealed class OtherChallengesTests(OtherChallengesTests.Bed bed) : IClassFixture<OtherChallengesTests.Bed>
{
    private readonly RunningAuthority authority = bed.Authority;

    private static CancellationToken None => CancellationToken.None;

    private static string[] Types(AcmeAnswer authorization) => [.. authorization.Json["challenges"]!.AsArray().Select(c => c!["type"]!.GetValue<string>())];

    private static async Task<AcmeAnswer> AuthorizationAsync(AcmeClient client, AcmeAnswer order, int at = 0) =>
        await client.FetchAsync(order.Json["authorizations"]![at]!.GetValue<string>(), None);

    private static async Task<AcmeAnswer> RefusedAsync(AcmeClient client, params string[] identifiers) =>
        (await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync(identifiers, None))).Answer;

    [Fact]
    public async Task An_address_gets_a_certificate_by_http_01()
    {
        using var client = await authority.RegisteredAsync();
        var order = await client.OrderAsync(["127.0.0.1"], None);
        Assert.Equal("""[{"type":"ip","value":"127.0.0.1"}]""", order.Json["identifiers"]!.ToJsonString());
        var authorization = await AuthorizationAsync(client, order);
        Assert.Equal("""{"type":"ip","value":"127.0.0.1"}""", authorization.Json["identifier"]!.ToJsonString());
        Assert.Null(authorization.Json["wildcard"]);
        Assert.Equal(["http-01", "tls-alpn-01", "dns-persist-01"], Types(authorization));

        bed.Publish(client, authorization.Challenge("http-01"));
        await client.ProveAsync(order.Json["authorizations"]![0]!.GetValue<string>(), "http-01");
        var (csr, key) = RunningAuthority.Csr("127.0.0.1");
        key.Dispose();
        var final = await client.FinalizeAsync(order, csr);
        var chain = (await client.FetchAsync(final.Json["certificate"]!.GetValue<string>(), None)).Body;

        using var leaf = X509Certificate2.CreateFromPem(chain);
        var names = leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        Assert.Equal([IPAddress.Loopback], names.EnumerateIPAddresses());
        Assert.Empty(names.EnumerateDnsNames());
        Assert.Equal("", leaf.Subject);
        Assert.Null(RootTrust.Verify(chain, authority.RootPem, "127.0.0.1"));
    }

    [Fact]
    public async Task A_name_and_an_address_stand_in_one_order()
    {
        using var client = await authority.RegisteredAsync();
        var order = await client.OrderAsync(["both.example.test", "127.0.0.1"], None);
        foreach (var at in new[] { 0, 1 })
        {
            bed.Publish(client, (await AuthorizationAsync(client, order, at)).Challenge("http-01"));
            await client.ProveAsync(order.Json["authorizations"]![at]!.GetValue<string>(), "http-01");
        }

        var (csr, key) = RunningAuthority.Csr("127.0.0.1", "both.example.test");
        key.Dispose();
        Assert.Equal("valid", (await client.FinalizeAsync(order, csr)).Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_request_with_another_address_is_not_the_orders()
    {
        using var client = await authority.RegisteredAsync();
        var order = await client.OrderAsync(["127.0.0.1"], None);
        bed.Publish(client, (await AuthorizationAsync(client, order)).Challenge("http-01"));
        await client.ProveAsync(order.Json["authorizations"]![0]!.GetValue<string>(), "http-01");
        var (csr, key) = RunningAuthority.Csr("127.0.0.2");
        key.Dispose();

        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.FinalizeAsync(order, csr));

        Assert.Equal("badCSR", refused.Answer.Problem);
        Assert.Contains("missing in the CSR: 127.0.0.1; not in the order: 127.0.0.2", refused.Answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.0.0.1", "none of the networks that this authority serves")]
    [InlineData("127.0.0.9", "its network is denied")]
    public async Task An_address_outside_the_networks_is_rejected(string address, string reason)
    {
        using var client = await authority.RegisteredAsync();

        var refused = await RefusedAsync(client, address);

        Assert.Equal("rejectedIdentifier", refused.Problem);
        Assert.Contains(reason, refused.Body, StringComparison.Ordinal);
        Assert.Equal("ip", refused.Json["subproblems"]![0]!["identifier"]!["type"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_failed_address_stands_in_the_orders_error_with_its_type()
    {
        using var client = await authority.RegisteredAsync();
        var order = await client.ReadyOrderAsync("http-01", "127.0.0.3"); // nothing listens there

        Assert.Equal("invalid", order.Json["status"]!.GetValue<string>());
        Assert.Equal("ip", order.Json["error"]!["subproblems"]![0]!["identifier"]!["type"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("account.example.test")]
    [InlineData("*.wild.example.test")]
    public async Task A_record_at_the_accounts_label_gets_a_certificate(string name)
    {
        using var client = await authority.RegisteredAsync();
        var order = await client.OrderAsync([name], None);
        var challenge = (await AuthorizationAsync(client, order)).Challenge("dns-account-01");
        authority.Zone.SetTxt(
            DnsAccount01Validator.OwnerName(client.AccountUrl!, name.TrimStart('*', '.')),
            Dns01Validator.RecordValue($"{challenge["token"]!.GetValue<string>()}.{client.Thumbprint}"));
        await client.ProveAsync(order.Json["authorizations"]![0]!.GetValue<string>(), "dns-account-01");
        var (csr, key) = RunningAuthority.Csr(name);
        key.Dispose();

        Assert.Equal("valid", (await client.FinalizeAsync(order, csr)).Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task Dns_account_stands_before_dns_persist_where_it_is_on_offer()
    {
        using var client = await authority.RegisteredAsync();

        Assert.Equal(
            ["http-01", "dns-01", "tls-alpn-01", "dns-account-01", "dns-persist-01"],
            Types(await AuthorizationAsync(client, await client.OrderAsync(["all.example.test"], None))));
    }

    [Fact]
    public async Task The_first_rule_that_holds_decides_what_is_on_offer()
    {
        using var client = await authority.RegisteredAsync();

        Assert.Equal(["dns-persist-01"], Types(await AuthorizationAsync(client, await client.OrderAsync(["a.fleet.test"], None))));
        Assert.Equal(["http-01"], Types(await AuthorizationAsync(client, await client.OrderAsync(["a.web.test"], None))));
    }

    [Fact]
    public async Task An_order_for_which_no_challenge_is_left_is_rejected()
    {
        using var client = await authority.RegisteredAsync();

        var refused = await RefusedAsync(client, "*.web.test");

        Assert.Equal("rejectedIdentifier", refused.Problem);
        Assert.Contains("on offer for it by policy: http-01; able to: dns-01, dns-account-01, dns-persist-01.", refused.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_of_it_is_there_unless_it_is_configured()
    {
        await using var plain = await RunningAuthority.StartAsync();
        using var client = await plain.RegisteredAsync();

        Assert.Contains("serves no ip identifiers", (await RefusedAsync(client, "127.0.0.1")).Body, StringComparison.Ordinal);
        Assert.Equal(["http-01", "dns-01", "tls-alpn-01", "dns-persist-01"], Types(await AuthorizationAsync(client, await client.OrderAsync(["x.example.test"], None))));
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_authorization_is_not_used_again_once_its_challenge_is_off_offer_for_the_name(bool postgres)
    {
        await using var own = await RunningAuthority.StartAsync(postgres: postgres ? await PostgresCluster.MigratedDatabaseAsync() : null);
        using var client = await own.RegisteredAsync();
        own.Publish(client, "again.example.test", PersistDialect.Draft02);
        var first = (await client.ReadyOrderAsync("dns-persist-01", "again.example.test")).Json["authorizations"]!.ToJsonString();
        Assert.Equal(first, (await client.OrderAsync(["again.example.test"], None)).Json["authorizations"]!.ToJsonString());

        own.Options.Policy.Challenges = [new ChallengeRuleOptions { NameSuffix = "example.test", Types = ["http-01"] }];
        await own.RestartAsync();
        var order = await client.OrderAsync(["again.example.test"], None);

        Assert.NotEqual(first, order.Json["authorizations"]!.ToJsonString());
        Assert.Equal("pending", order.Json["status"]!.GetValue<string>());
    }

    /// <summary>An authority that serves it all, and a web server on loopback for http-01.</summary>
    public sealed class Bed : IAsyncLifetime
    {
        private readonly ConcurrentDictionary<string, string> files = new();
        private WebApplication web = null!;

        public RunningAuthority Authority { get; private set; } = null!;

        public void Publish(AcmeClient client, JsonNode challenge)
        {
            var token = challenge["token"]!.GetValue<string>();
            files["/.well-known/acme-challenge/" + token] = token + "." + client.Thumbprint;
        }

        public async Task InitializeAsync()
        {
            var port = RunningAuthority.FreePort();
            var builder = WebApplication.CreateSlimBuilder();
            builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
            builder.Logging.ClearProviders();
            web = builder.Build();
            web.MapGet("/{**path}", (HttpContext c) => files.TryGetValue(c.Request.Path, out var body) ? Results.Text(body) : Results.NotFound());
            await web.StartAsync();
            Authority = await RunningAuthority.StartAsync(o =>
            {
                o.Validation.Http.Port = port;
                o.Validation.Challenges = ["dns-persist-01", "dns-account-01", "tls-alpn-01", "dns-01", "http-01"];
                o.Policy.Ip.AllowedNetworks = ["127.0.0.0/8"];
                o.Policy.Ip.DeniedNetworks = ["127.0.0.9/32"];
                o.Policy.Challenges =
                [
                    new ChallengeRuleOptions { NameSuffix = "fleet.test", Types = ["dns-persist-01"] },
                    new ChallengeRuleOptions { NameSuffix = "web.test", Types = ["http-01"] },
                ];
            });
        }

        public async Task DisposeAsync()
        {
            await web.DisposeAsync();
            await Authority.DisposeAsync();
        }
    }
}

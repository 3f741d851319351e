using System.Security.Cryptography.X509Certificates;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Issuance.Linting;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Server.Tests.Status;
using PersistCa.Storage;
using PersistCa.Storage.Integrity;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Nodes;

/// <summary>A clock that is set back by an hour or forward by a day between requests breaks nothing.</summary>
public abstract class ClockStepTests(StoreKind kind)
{
    private static CancellationToken None => CancellationToken.None;

    /// <summary>Back by an hour before each request but finalize, since a proof that is dated ahead is not used (proof.age); forward by a day once, before any of them, since orders may lapse in several.</summary>
    [SkippableTheory]
    [InlineData(-60, new[] { 1, 2, 4, 5 })]
    [InlineData(24 * 60, new[] { 1 })]
    [InlineData(24 * 60, new[] { 2 })]
    [InlineData(24 * 60, new[] { 3 })]
    [InlineData(24 * 60, new[] { 4 })]
    [InlineData(24 * 60, new[] { 5 })]
    public async Task An_order_goes_its_whole_way_with_a_step_of_the_clock_before_each_request(int minutes, int[] steps)
    {
        await using var authority = await StartAsync();
        var request = 0;
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.example.test", PersistDialect.Draft02);
        void Step() => authority.Clock.Ahead += steps.Contains(++request) ? TimeSpan.FromMinutes(minutes) : TimeSpan.Zero;

        Step();
        var order = await client.OrderAsync(["a.example.test"], None);
        Step();
        await client.ProveAsync(order.Json["authorizations"]![0]!.GetValue<string>(), "dns-persist-01");
        Step();
        var (csr, key) = RunningAuthority.Csr("a.example.test");
        key.Dispose();
        var final = await client.FinalizeAsync(order, csr);
        Assert.Equal("valid", final.Json["status"]!.GetValue<string>());
        Step();
        using var leaf = X509Certificate2.CreateFromPem((await client.FetchAsync(final.Json["certificate"]!.GetValue<string>(), None)).Body);
        Step();
        Assert.Equal(200, (await StatusBed.RevokeAsync(client, leaf, 4)).Status);

        // The revocation is published whatever the clock says of the list before it, and the store is sound.
        using var http = new HttpClient();
        var issuer = authority.Services.GetRequiredService<Server.Registration.StatusIssuers>().All[0].IssuerId;
        await Patience.UntilAsync(
            async () =>
            {
                using var response = await http.GetAsync(new Uri($"http://{authority.Options.Server.ListenPublication}/crl/{issuer}.crl"));
                return response.IsSuccessStatusCode
                    && CrlFacts.Read(await response.Content.ReadAsByteArrayAsync()).Value!.Entries.GetValueOrDefault([]).Any(e => e.Serial == StatusBed.Serial(leaf));
            },
            "the revocation is in no list");
        var findings = new List<StoreFinding>();
        await foreach (var finding in authority.Services.GetRequiredService<StoreInspection>().CheckAsync(StoreRules.All.Concat(Server.Registration.SignedRules.All), None))
        {
            findings.Add(finding);
        }

        Assert.Empty(findings);
    }

    [SkippableFact]
    public async Task Work_that_waits_when_the_clock_is_set_back_is_done_all_the_same()
    {
        await using var authority = await StartAsync(o => o.Server.Roles = ["acme", "publication"]);
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.example.test", PersistDialect.Draft02);
        var order = await client.OrderAsync(["a.example.test"], None);
        var authorization = order.Json["authorizations"]![0]!.GetValue<string>();
        await client.PostAsync((await client.FetchAsync(authorization, None)).Challenge("dns-persist-01")["url"]!.GetValue<string>(), "{}", None);

        authority.Clock.Ahead = TimeSpan.Zero; // a day back, to when its certificates were made
        authority.Options.Server.Roles = [];
        await authority.RestartAsync();

        Assert.Equal("valid", (await client.PollAsync(authorization, ["pending"], TimeProvider.System, None)).Json["status"]!.GetValue<string>());
    }

    /// <summary>An authority that is a day old, so that no step goes back to before its certificates.</summary>
    private async Task<RunningAuthority> StartAsync(Action<PersistCaOptions>? configure = null)
    {
        var authority = await RunningAuthority.StartAsync(
            o =>
            {
                (o.Acme.OrderLifetime, o.Acme.AuthorizationLifetime) = (TimeSpan.FromDays(7), TimeSpan.FromDays(7)); // what lapses in a day lapses
                configure?.Invoke(o);
            },
            kind == StoreKind.PostgreSql ? await PostgresCluster.NewDatabaseAsync() : null);
        authority.Clock.Ahead = TimeSpan.FromDays(1);
        return authority;
    }
}

public sealed class SqliteClockStepTests() : ClockStepTests(StoreKind.Sqlite);

public sealed class PostgreSqlClockStepTests() : ClockStepTests(StoreKind.PostgreSql);

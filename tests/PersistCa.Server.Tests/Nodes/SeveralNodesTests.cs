using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Workers;
using PersistCa.Storage.Nodes;
using PersistCa.Storage.Postgres;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Nodes;

/// <summary>Three nodes over one database: any request to any of them.</summary>
public sealed class SeveralNodesTests : IAsyncLifetime
{
    private RunningAuthority authority = null!;
    private RunningNode second = null!;
    private RunningNode third = null!;
    private string database = null!;

    private static CancellationToken None => CancellationToken.None;

    public async Task InitializeAsync()
    {
        database = await PostgresCluster.NewDatabaseAsync();
        authority = await RunningAuthority.StartAsync(o => o.Server.NodeName = "first", database);
        second = await authority.JoinAsync("second");
        third = await authority.JoinAsync("third");
    }

    public async Task DisposeAsync()
    {
        if (authority is not null)
        {
            await third.DisposeAsync();
            await second.DisposeAsync();
            await authority.DisposeAsync();
        }
    }

    [SkippableFact]
    public async Task A_nonce_of_one_node_is_good_at_the_next_and_only_once()
    {
        using var first = await authority.RegisteredAsync();
        using var other = second.Client(first);
        using var another = third.Client(first);
        AcmeClient[] round = [first, other, another];
        var newOrder = await first.UrlAsync("newOrder", None);
        var nonce = await first.NonceAsync(None);
        string? replayed = null;
        for (var turn = 0; turn < 60; turn++)
        {
            var body = Signed(first, newOrder, nonce, $$"""{"identifiers":[{"type":"dns","value":"n{{turn}}.example.test"}]}""");
            var answer = await round[turn % 3].SendAsync(newOrder, body, None);
            Assert.True(answer.Status == 201, answer.Body); // a badNonce would be a 400
            nonce = answer.Headers.GetValues("Replay-Nonce").Single();
            replayed = body;
        }

        foreach (var node in round)
        {
            var again = await node.SendAsync(newOrder, replayed!, None);
            Assert.Equal((400, "badNonce"), (again.Status, again.Problem));
        }
    }

    [SkippableFact]
    public async Task An_order_is_opened_proved_finalized_and_fetched_each_at_another_node()
    {
        using var first = await authority.RegisteredAsync();
        using var other = second.Client(first);
        using var another = third.Client(first);
        authority.Publish(first, "a.example.test", PersistDialect.Draft02);
        var order = await first.OrderAsync(["a.example.test"], None);
        var proved = await other.ProveAsync(order.Json["authorizations"]![0]!.GetValue<string>(), "dns-persist-01");
        Assert.Equal("valid", proved.Json["status"]!.GetValue<string>());
        var (csr, key) = RunningAuthority.Csr("a.example.test");
        key.Dispose();
        var final = await another.FinalizeAsync(order, csr);
        var chain = (await first.FetchAsync(final.Json["certificate"]!.GetValue<string>(), None)).Body;
        Assert.Null(RootTrust.Verify(chain, authority.RootPem, "a.example.test"));
    }

    [SkippableFact]
    public async Task One_node_has_the_periodic_work_and_when_it_ends_another_takes_it_in_the_next_epoch()
    {
        (string Name, PeriodicDuty Duty)[] nodes =
        [
            ("first", Duty(authority.Services)), ("second", Duty(second.Services)), ("third", Duty(third.Services)),
        ];
        await Patience.UntilAsync(() => Task.FromResult(nodes.Any(n => n.Duty.Epoch is not null)), "nobody takes the periodic work");
        var holder = Assert.Single(nodes, n => n.Duty.Epoch is not null);
        var row = await RowAsync();
        Assert.Equal((holder.Name, holder.Duty.Epoch!.Value), (row.Holder, row.Epoch));

        // The session of the node that has it is cut, as at its death: another takes the work, or it does again itself, in any case in a new epoch.
        await authority.Store.ReadAsync(
            db => db.Database.ExecuteSqlAsync(
                $"SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()"),
            None);
        await Patience.UntilAsync(async () => (await RowAsync()).Epoch > row.Epoch && nodes.Count(n => n.Duty.Epoch is not null) == 1, "nobody takes the periodic work");
        var outcome = await authority.Store.WriteAsync<ValueTuple<bool>>(Storage.Actor.Server, async t => ValueTuple.Create(await PeriodicDuty.HoldsAsync(t, row.Epoch, None)), None);
        Assert.False(outcome.Value.Item1);
    }

    [SkippableFact]
    public async Task Work_that_a_node_queues_for_others_and_the_end_of_work_that_others_wait_for_are_told()
    {
        // A listener in the place of a fourth node; the first has no worker any more.
        authority.Options.Server.Roles = ["acme", "publication"];
        await authority.RestartAsync();
        await using var listener = await NodeSession.OpenAsync(database, None);
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "told.example.test", PersistDialect.Draft02);
        var bell = authority.Services.GetRequiredService<Server.Registration.NodeBell>();
        await Patience.UntilAsync(() => Task.FromResult(bell.IsHeard), "the node does not see that it is not alone");
        await client.ReadyOrderAsync("dns-persist-01", "told.example.test");
        var heard = new HashSet<string>();
        await Patience.UntilAsync(
            async () =>
            {
                foreach (var message in await listener.WaitAsync(TimeSpan.FromSeconds(1), None))
                {
                    heard.UnionWith(message.Split('\n'));
                }

                return heard.Contains("work Validate") && heard.Any(h => h.StartsWith("done ", StringComparison.Ordinal));
            },
            "the other nodes were not told: " + string.Join(", ", heard));
    }

    private static string Signed(AcmeClient client, string url, string nonce, string payload) =>
        AcmeClient.Sign(client.AccountKey, new JsonObject { ["alg"] = "ES256", ["nonce"] = nonce, ["url"] = url, ["kid"] = client.AccountUrl }, payload);

    private static PeriodicDuty Duty(IServiceProvider services) => services.GetRequiredService<PeriodicDuty>();

    private Task<Duty> RowAsync() => authority.Store.ReadAsync(db => db.Duties.SingleAsync(d => d.Name == DutyBook.Periodic), None);
}

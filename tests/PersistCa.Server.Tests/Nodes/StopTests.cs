using System.Net;
using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Storage.WorkQueue;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Nodes;

/// <summary>How a node ends, and over what it does not begin.</summary>
public sealed class StopTests
{
    private static CancellationToken None => CancellationToken.None;

    [SkippableFact]
    public async Task A_node_told_to_stop_says_that_it_is_not_ready_goes_on_answering_and_asks_for_other_connections()
    {
        Requirement.Program("kill");
        await using var server = await ServerProcess.StartAsync(settings: new Dictionary<string, string> { ["Server:DrainDelay"] = "00:05:00" });
        using var http = RootTrust.Client(server.RootPem);
        Assert.Null((await http.GetAsync(new Uri(server.DirectoryUrl))).Headers.ConnectionClose);

        await server.TerminateAsync();

        using var plain = new HttpClient();
        await Patience.UntilAsync(
            async () => (await plain.GetAsync(new Uri($"http://127.0.0.1:{server.Http}/health/ready"))).StatusCode == HttpStatusCode.ServiceUnavailable,
            "the node says that it is ready: " + server.Log);
        using var client = new AcmeClient(RootTrust.Client(server.RootPem), server.DirectoryUrl, System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256));
        Assert.Equal(201, (await client.RegisterAsync(None)).Status);
        Assert.True((await http.GetAsync(new Uri(server.DirectoryUrl))).Headers.ConnectionClose);
        Assert.False(server.HasExited);
    }

    [SkippableFact]
    public async Task A_node_told_to_stop_ends_by_itself_with_status_0()
    {
        Requirement.Program("kill");
        await using var server = await ServerProcess.StartAsync();
        await server.TerminateAsync();
        Assert.True(await server.EndsAsync(Patience.Most), server.Log);
        Assert.Equal(0, server.ExitCode);
    }

    [SkippableFact]
    public async Task What_a_stopped_node_did_not_finish_is_at_once_back_in_the_queue_and_the_attempt_does_not_count()
    {
        // A resolver that takes questions and never answers.
        using var silent = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        await using var authority = await RunningAuthority.StartAsync(
            o =>
            {
                o.Server.NodeName = "first";
                o.Server.Roles = ["acme", "publication"];
                o.Validation.Dns.Resolvers = [silent.Client.LocalEndPoint!.ToString()!];
                o.Validation.Dns.Timeout = TimeSpan.FromSeconds(10);
                o.Validation.Deadline = TimeSpan.FromMinutes(1);
                o.Validation.Caa.Mode = Protocol.Caa.CaaMode.Off;
            },
            await PostgresCluster.MigratedDatabaseAsync());
        using var client = await authority.RegisteredAsync();
        var order = await client.OrderAsync(["a.example.test"], None);
        var challenge = (await client.FetchAsync(order.Json["authorizations"]![0]!.GetValue<string>(), None)).Challenge("dns-persist-01")["url"]!.GetValue<string>();
        await client.PostAsync(challenge, "{}", None);
        var second = await authority.JoinAsync("second");
        await Patience.UntilAsync(async () => (await ItemAsync(authority)).LeasedBy == "second", "nobody takes the work");

        await second.DisposeAsync();

        var item = await ItemAsync(authority);
        Assert.Equal((null, null, 0), (item.LeasedBy, item.LeasedUntil, item.Attempts));
    }

    [Fact]
    public async Task A_node_refuses_a_schema_that_is_newer_than_it_and_leaves_it_as_it_is()
    {
        await using var authority = await RunningAuthority.StartAsync();
        await authority.Store.ReadAsync(db => db.Database.ExecuteSqlAsync($"INSERT INTO \"__EFMigrationsHistory\" (\"migration_id\", \"product_version\") VALUES ('29991231235959_FromTheFuture', '99.0')"), None);

        var refused = await Assert.ThrowsAsync<StartRefusedException>(authority.RestartAsync);

        Assert.Equal("Store:ConnectionString", refused.Key);
        Assert.Contains("29991231235959_FromTheFuture", refused.Message, StringComparison.Ordinal);
    }

    private static Task<WorkItem> ItemAsync(RunningAuthority authority) => authority.Store.ReadAsync(db => db.WorkItems.SingleAsync(), None);
}

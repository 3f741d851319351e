using PersistCa.Testing;
using Xunit.Abstractions;

namespace PersistCa.Conformance.Runs;

/// <summary>Three nodes behind HAProxy are stopped and started one after the other under load. Longer: tests/runs/rolling-restart.sh.</summary>
public sealed class RollingRestartRun(ITestOutputHelper output)
{
    public static TheoryData<Balancing> Ways => RunSettings.IsLong ? [Balancing.Passthrough, Balancing.Terminate] : [Balancing.Passthrough];

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public async Task No_request_fails_while_nodes_are_restarted(Balancing balancing)
    {
        Requirement.Program("haproxy");
        var connection = await PostgresCluster.NewDatabaseAsync();
        await using var cluster = await NodeCluster.StartAsync(connection, balancing);
        await using var clients = new LoadClients(cluster);
        var start = TimeProvider.System.GetTimestamp();
        var length = RunSettings.Length(smokeSeconds: 0);
        clients.Start(RunSettings.Clients);
        var restarts = 0;
        do
        {
            for (var node = 0; node < cluster.Count; node++)
            {
                await clients.MoreAsync(5);
                await cluster.StopNodeAsync(node);
                await clients.MoreAsync(5);
                await cluster.StartNodeAsync(node);
                restarts++;
            }
        }
        while (TimeProvider.System.GetElapsedTime(start) < length);
        await clients.MoreAsync(5);
        await clients.FinishAsync();
        output.WriteLine($"{balancing}: {restarts} restarts, {Ledger.Figures(clients, TimeProvider.System.GetElapsedTime(start))}");

        Assert.True(clients.Failures.IsEmpty, string.Join('\n', clients.Failures) + cluster.Log);
        await Ledger.CheckAsync(cluster, clients, connection);
    }
}

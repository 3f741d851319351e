using System.Globalization;
using PersistCa.Testing;
using Xunit.Abstractions;

namespace PersistCa.Conformance.Runs;

/// <summary>The primary database is killed and its synchronous standby promoted, under load. Longer: tests/runs/failover.sh.</summary>
public sealed class FailoverRun(ITestOutputHelper output)
{
    [SkippableFact]
    public async Task Nothing_that_a_client_was_told_is_lost_when_the_primary_dies()
    {
        Requirement.Program("haproxy");
        await using var primary = await PostgresServer.StartAsync();
        await using var standby = await primary.StandbyAsync();
        await primary.ExecuteAsync("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
        await primary.ExecuteAsync("SELECT pg_reload_conf()");
        await Patience.UntilAsync(async () => (await primary.ScalarAsync("SELECT sync_state FROM pg_stat_replication")) is "sync", "the standby is not synchronous");
        var connection = string.Create(
            CultureInfo.InvariantCulture,
            $"Host=127.0.0.1:{primary.Port},127.0.0.1:{standby.Port};Target Session Attributes=primary;Host Recheck Seconds=1;Timeout=3;Command Timeout=15;Username=postgres;Database=persistca;Maximum Pool Size=20");
        await using var cluster = await NodeCluster.StartAsync(connection, Balancing.Passthrough);
        await using var clients = new LoadClients(cluster);
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        clients.Start(RunSettings.Clients);
        await clients.MoreAsync(20);
        await Task.Delay(RunSettings.Length(smokeSeconds: 0) / 2, clock);

        var killed = clock.GetTimestamp();
        primary.Kill();
        await standby.PromoteAsync();
        var promoted = clock.GetTimestamp();
        await Patience.UntilAsync(() => Task.FromResult(clients.Downloads.Any(d => d > promoted)), "no certificates come any more: " + string.Join('\n', clients.Failures.TakeLast(5)) + cluster.Log);
        var back = clients.Downloads.Where(d => d > promoted).Min();
        await Task.Delay(RunSettings.Length(smokeSeconds: 0) / 2, clock);
        await clients.MoreAsync(20);
        await clients.FinishAsync();
        var after = clock.GetElapsedTime(promoted, back);
        output.WriteLine(Ledger.Figures(clients, clock.GetElapsedTime(start)));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"promoted {clock.GetElapsedTime(killed, promoted).TotalSeconds:0.0} s after the kill, first certificate {after.TotalSeconds:0.0} s after the promotion"));

        await Ledger.CheckAsync(cluster, clients, connection);
        Assert.True(!RunSettings.IsStrict || after < TimeSpan.FromSeconds(5), $"it took {after} after the promotion");
    }
}

using System.Globalization;
using Npgsql;
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
        await using var pair = await DatabasePair.StartAsync();
        await using var cluster = await NodeCluster.StartAsync(pair.Connection, Balancing.Passthrough);
        await using var clients = new LoadClients(cluster);
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        var half = RunSettings.Length(smokeSeconds: 0) / 2;
        clients.Start(RunSettings.Clients);
        await clients.MoreAsync(20);
        await Task.Delay(half, clock);

        var killed = clock.GetTimestamp();
        var before = clients.Certificates.Count;
        await pair.FailOverAsync();
        var promoted = clock.GetTimestamp();
        await Patience.UntilAsync(() => Task.FromResult(clients.Downloads.Any(d => d > promoted)), "no certificates come any more: " + string.Join('\n', clients.Failures.TakeLast(5)) + cluster.Log);
        var after = clock.GetElapsedTime(promoted, clients.Downloads.Where(d => d > promoted).Min());
        await Task.Delay(half, clock);
        await clients.MoreAsync(20);
        await clients.FinishAsync();
        output.WriteLine($"{Ledger.Figures(clients, clock.GetElapsedTime(start))}; {before} certificates before the kill");
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"promoted {clock.GetElapsedTime(killed, promoted).TotalSeconds:0.0} s after the kill, first certificate {after.TotalSeconds:0.0} s after the promotion"));

        await Ledger.CheckAsync(cluster, clients, pair.Connection);
        Assert.True(!RunSettings.IsStrict || after < TimeSpan.FromSeconds(5), $"it took {after} after the promotion");
    }

    /// <summary>A primary and its synchronous standby: made here, or those that a script of tests/runs has made.</summary>
    private sealed class DatabasePair : IAsyncDisposable
    {
        private readonly PostgresServer? primary;
        private readonly PostgresServer? standby;

        private DatabasePair(PostgresServer? primary, PostgresServer? standby, string connection)
        {
            this.primary = primary;
            this.standby = standby;
            Connection = connection;
        }

        /// <summary>What nodes connect by.</summary>
        public string Connection { get; }

        public static async Task<DatabasePair> StartAsync()
        {
            if (Environment.GetEnvironmentVariable("PERSISTCA_RUN_DATABASE") is { Length: > 0 } given)
            {
                return new DatabasePair(null, null, given);
            }

            var primary = await PostgresServer.StartAsync();
            var standby = await primary.StandbyAsync();
            await primary.ExecuteAsync("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
            await primary.ExecuteAsync("SELECT pg_reload_conf()");
            await Patience.UntilAsync(async () => (await primary.ScalarAsync("SELECT sync_state FROM pg_stat_replication")) is "sync", "the standby is not synchronous");
            return new DatabasePair(primary, standby, string.Create(
                CultureInfo.InvariantCulture,
                $"Host=127.0.0.1:{primary.Port},127.0.0.1:{standby.Port};Target Session Attributes=primary;Host Recheck Seconds=1;Timeout=3;Command Timeout=15;Username=postgres;Database=persistca;Maximum Pool Size=20"));
        }

        /// <summary>Kills the primary, and returns as soon as there is another.</summary>
        public async Task FailOverAsync()
        {
            if (primary is not null)
            {
                await primary.KillAsync();
                await standby!.PromoteAsync();
                return;
            }

            // Whoever watches over the given servers makes another the primary by himself.
            await Programs.RunAsync("/bin/sh", "-c", Environment.GetEnvironmentVariable("PERSISTCA_RUN_KILL") ?? throw new InvalidOperationException("PERSISTCA_RUN_KILL does not say how to kill the primary"));
            var fresh = new NpgsqlConnectionStringBuilder(Connection) { Pooling = false, HostRecheckSeconds = 0 }.ConnectionString;
            await Patience.UntilAsync(
                async () =>
                {
                    try
                    {
                        await using var connection = new NpgsqlConnection(fresh);
                        await connection.OpenAsync();
                        return true;
                    }
                    catch (NpgsqlException)
                    {
                        return false;
                    }
                },
                "no server becomes the primary");
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var server in new[] { primary, standby }.OfType<PostgresServer>())
            {
                await server.DisposeAsync();
            }
        }
    }
}

using System.Globalization;
using System.Security.Cryptography;
using PersistCa.Testing;
using Xunit.Abstractions;

namespace PersistCa.Conformance.Runs;

/// <summary>Nodes and the database are killed at random, and come back, under load. Longer: tests/runs/random-kills.sh.</summary>
public sealed class RandomKillsRun(ITestOutputHelper output)
{
    [SkippableFact]
    public async Task Whatever_is_killed_every_certificate_seen_is_stored_and_every_order_ends()
    {
        Requirement.Program("haproxy");
        await using var database = await PostgresServer.StartAsync();
        var connection = string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={database.Port};Timeout=3;Command Timeout=15;Username=postgres;Database=persistca;Maximum Pool Size=20");
        await using var cluster = await NodeCluster.StartAsync(connection, Balancing.Passthrough);
        await using var clients = new LoadClients(cluster);
        var clock = TimeProvider.System;
        var seed = RandomNumberGenerator.GetInt32(int.MaxValue);
        var random = new Random(seed);
        var (start, length) = (clock.GetTimestamp(), RunSettings.Length(smokeSeconds: 15));
        clients.Start(RunSettings.Clients);
        var (nodes, databases) = (0, 0);
        while (clock.GetElapsedTime(start) < length || nodes == 0 || databases == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(500, 4000)), clock);
            if (databases < nodes && random.Next(3) == 0)
            {
                databases++;
                await database.KillAsync();
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 2000)), clock);
                await database.StartAgainAsync();
            }
            else
            {
                nodes++;
                var node = random.Next(cluster.Count);
                await cluster.KillNodeAsync(node);
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 2000)), clock);
                await cluster.StartNodeAsync(node);
            }
        }

        await clients.MoreAsync(10);
        await clients.FinishAsync();
        output.WriteLine($"seed {seed}: {nodes} nodes and {databases} databases killed, {Ledger.Figures(clients, clock.GetElapsedTime(start))}");
        await Ledger.CheckAsync(cluster, clients, connection);
    }
}

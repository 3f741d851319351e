using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Protocol.Records;
using PersistCa.Server.Hosting;
using PersistCa.Server.Workers;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Nodes;

/// <summary>Nodes behind a pooler of transactions: no session is held, and everything else is as ever.</summary>
public sealed class PoolerTests
{
    [SkippableFact]
    public async Task Without_sessions_one_node_has_the_periodic_work_and_certificates_are_issued_and_revoked()
    {
        var database = await PostgresCluster.NewDatabaseAsync();
        await using var authority = await RunningAuthority.StartAsync(
            o =>
            {
                o.Server.NodeName = "first";
                o.Store.TransactionPooler = true;
            },
            database);
        await using var second = await authority.JoinAsync("second");
        PeriodicDuty[] duties = [authority.Services.GetRequiredService<PeriodicDuty>(), second.Services.GetRequiredService<PeriodicDuty>()];
        await Patience.UntilAsync(() => Task.FromResult(duties.Count(d => d.Epoch is not null) == 1), "nobody takes the periodic work");
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.example.test", PersistDialect.Draft02);
        Assert.Contains("BEGIN CERTIFICATE", await client.IssueAsync("dns-persist-01", "a.example.test"), StringComparison.Ordinal);
        Assert.Equal(0, await authority.Store.ReadAsync(db => db.Database.SqlQuery<int>($"SELECT count(*)::int AS \"Value\" FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE l.locktype = 'advisory' AND d.datname = current_database()").SingleAsync(), CancellationToken.None));
    }

    [Fact]
    public void A_pooler_before_SQLite_stops_the_start()
    {
        var options = new PersistCaOptions();
        options.Store.TransactionPooler = true;
        Assert.Equal("Store:TransactionPooler", Assert.Single(OptionRules.Check(options)).Key);
    }
}

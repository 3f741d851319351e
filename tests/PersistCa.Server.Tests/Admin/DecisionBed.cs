using System.Text.Json.Nodes;
using PersistCa.Server.Hosting;
using PersistCa.Storage.Operators;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Admin;

/// <summary>An authority with operators of every role, over either database.</summary>
public sealed class DecisionBed : IAsyncDisposable
{
    private readonly string? database;

    private DecisionBed(OperatorBed bed, string? database) => (Bed, this.database) = (bed, database);

    public OperatorBed Bed { get; }

    public RunningAuthority Authority => Bed.Authority;

    /// <summary>Secret of the operator olga.</summary>
    public string Olga { get; private set; } = "";

    /// <summary>Secret of the operator oskar.</summary>
    public string Oskar { get; private set; } = "";

    /// <summary>Secret of the custodian karl.</summary>
    public string Karl { get; private set; } = "";

    /// <summary>Secret of the custodian kira.</summary>
    public string Kira { get; private set; } = "";

    /// <summary>Secret of the auditor arno.</summary>
    public string Arno { get; private set; } = "";

    public static async Task<DecisionBed> StartAsync(Storage.StoreKind kind = Storage.StoreKind.Sqlite, Action<PersistCaOptions>? configure = null)
    {
        var database = kind == Storage.StoreKind.PostgreSql ? await PostgresCluster.MigratedDatabaseAsync() : null;
        var bed = new DecisionBed(
            await OperatorBed.StartAsync(
                o =>
                {
                    o.Limits.FailedOperatorCallsPerAddress = "off";
                    o.Limits.LoneRevocationsPerOperator = "off";
                    configure?.Invoke(o);
                },
                database),
            database);
        bed.Olga = await bed.Bed.TokenAsync("olga", OperatorRole.Operator);
        bed.Oskar = await bed.Bed.TokenAsync("oskar", OperatorRole.Operator);
        bed.Karl = await bed.Bed.TokenAsync("karl", OperatorRole.Custodian);
        bed.Kira = await bed.Bed.TokenAsync("kira", OperatorRole.Custodian);
        bed.Arno = await bed.Bed.TokenAsync("arno", OperatorRole.Auditor);
        return bed;
    }

    /// <summary>Has something done that needs two: olga proposes, oskar approves.</summary>
    public async Task<JsonNode> AgreeAsync(string path, string body = "{}")
    {
        var (status, proposal) = await Bed.PostAsync(path, Olga, body);
        Assert.True(status == 202, proposal.ToJsonString());
        var (done, carried) = await Bed.PostAsync($"proposals/{Text(proposal, "id")}/approve", Oskar);
        Assert.True(done == 200, carried.ToJsonString());
        Assert.Equal("done", Text(carried, "status"));
        return carried;
    }

    public static string Text(JsonNode node, string member) => node[member]!.GetValue<string>();

    public async ValueTask DisposeAsync()
    {
        await Bed.DisposeAsync();
        if (database is not null)
        {
            await PostgresCluster.DropDatabaseAsync(database);
        }
    }
}

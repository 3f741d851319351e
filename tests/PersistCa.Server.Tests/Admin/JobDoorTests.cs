using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Records;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.WorkQueue;
using PersistCa.Testing;
using static PersistCa.Server.Tests.Admin.DecisionBed;

namespace PersistCa.Server.Tests.Admin;

/// <summary>Work that waits, and what operators do about it.</summary>
public abstract class JobDoorTests(StoreKind kind)
{
    private static CancellationToken None => CancellationToken.None;

    /// <summary>An authority whose workers are elsewhere: what is queued waits.</summary>
    private Task<DecisionBed> StartAsync() => DecisionBed.StartAsync(kind, o => o.Server.Roles = ["acme", "publication"]);

    private static async Task<(string Account, string Order)> QueueAsync(DecisionBed bed)
    {
        using var client = await bed.Authority.RegisteredAsync();
        bed.Authority.Publish(client, "a.test", PersistDialect.Draft02);
        var order = await client.OrderAsync(["a.test"], None);
        var url = order.Json["authorizations"]![0]!.GetValue<string>();
        var challenge = (await client.FetchAsync(url, None)).Challenge("dns-persist-01");
        await client.PostAsync(challenge["url"]!.GetValue<string>(), "{}", None);
        return (client.AccountUrl!.Split('/')[^1], order.Location!.Split('/')[^1]);
    }

    private static Task<int> ChangeAsync(DecisionBed bed, DateTimeOffset due, DateTimeOffset? leased) => bed.Authority.Store.ReadAsync(
        db => db.WorkItems.ExecuteUpdateAsync(s => s.SetProperty(w => w.DueAt, due).SetProperty(w => w.Attempts, 3).SetProperty(w => w.LeasedUntil, leased).SetProperty(w => w.LeasedBy, leased == null ? null : "elsewhere"), None),
        None);

    [SkippableFact]
    public async Task A_parked_job_is_seen_with_its_reason_and_released_by_an_operator()
    {
        await using var bed = await StartAsync();
        await QueueAsync(bed);
        DateTimeOffset? since = bed.Authority.Store.Now;
        await ChangeAsync(bed, bed.Authority.Store.Now.AddHours(20), null);
        await bed.Authority.Store.ReadAsync(db => db.WorkItems.ExecuteUpdateAsync(s => s.SetProperty(w => w.ParkedAt, since).SetProperty(w => w.Reason, "it is broken"), None), None);
        Assert.Empty((await bed.Bed.GetAsync("jobs?state=delayed", bed.Arno)).Body["items"]!.AsArray());
        var parked = Assert.Single((await bed.Bed.GetAsync("jobs?state=parked", bed.Arno)).Body["items"]!.AsArray())!;
        Assert.Equal("it is broken", Text(parked, "reason"));
        var released = (await bed.Bed.PostAsync($"jobs/{parked["id"]!.GetValue<long>()}/retry", bed.Olga)).Body;
        Assert.Equal(("waiting", 0), (Text(released, "state"), released["attempts"]!.GetValue<int>()));
        Assert.Empty((await bed.Bed.GetAsync("jobs?state=parked", bed.Arno)).Body["items"]!.AsArray());
        Assert.Contains("parked", Assert.Single(await bed.Bed.AuditAsync(AuditKinds.JobRetried)).Facts, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_delayed_job_is_seen_and_done_at_once_when_told()
    {
        await using var bed = await StartAsync();
        var (account, _) = await QueueAsync(bed);
        var job = Assert.Single((await bed.Bed.GetAsync("jobs?kind=validate&state=waiting", bed.Arno)).Body["items"]!.AsArray())!;
        Assert.Equal((account, "waiting"), (Text(job, "account"), Text(job, "state")));
        await ChangeAsync(bed, bed.Authority.Store.Now.AddMinutes(5), null);
        Assert.Empty((await bed.Bed.GetAsync("jobs?state=waiting", bed.Arno)).Body["items"]!.AsArray());
        var delayed = Assert.Single((await bed.Bed.GetAsync("jobs?state=delayed", bed.Arno)).Body["items"]!.AsArray())!;
        var path = "jobs/" + delayed["id"]!.GetValue<long>();
        Assert.Equal("waiting", Text((await bed.Bed.PostAsync(path + "/retry", bed.Olga)).Body, "state"));
        Assert.Equal("waiting", Text((await bed.Bed.GetAsync(path, bed.Arno)).Body, "state"));
        Assert.Single(await bed.Bed.AuditAsync(AuditKinds.JobRetried));
    }

    [SkippableFact]
    public async Task A_job_that_a_node_is_at_is_left_to_it()
    {
        await using var bed = await StartAsync();
        await QueueAsync(bed);
        await ChangeAsync(bed, bed.Authority.Store.Now, bed.Authority.Store.Now.AddHours(1));
        var running = Assert.Single((await bed.Bed.GetAsync("jobs?state=running", bed.Arno)).Body["items"]!.AsArray())!;
        foreach (var verb in new[] { "retry", "cancel" })
        {
            var (status, refused) = await bed.Bed.PostAsync($"jobs/{running["id"]!.GetValue<long>()}/{verb}", bed.Olga);
            Assert.Equal(409, status);
            Assert.StartsWith("The node elsewhere is at it", Text(refused, "detail"), StringComparison.Ordinal);
        }
    }

    [SkippableFact]
    public async Task A_job_that_is_given_up_fails_what_it_was_for()
    {
        await using var bed = await StartAsync();
        var (_, order) = await QueueAsync(bed);
        var job = Assert.Single((await bed.Bed.GetAsync("jobs", bed.Arno)).Body["items"]!.AsArray())!;
        var path = "jobs/" + job["id"]!.GetValue<long>();
        Assert.Equal(403, (await bed.Bed.PostAsync(path + "/cancel", bed.Arno)).Status);
        Assert.Equal(200, (await bed.Bed.PostAsync(path + "/cancel", bed.Olga)).Status);
        Assert.Equal(404, (await bed.Bed.GetAsync(path, bed.Arno)).Status);
        Assert.Equal("invalid", Text((await bed.Bed.GetAsync("orders/" + order, bed.Arno)).Body, "status"));
        Assert.Single(await bed.Bed.AuditAsync(AuditKinds.JobCancelled));
    }
}

public sealed class SqliteJobDoorTests() : JobDoorTests(StoreKind.Sqlite);

public sealed class PostgreSqlJobDoorTests() : JobDoorTests(StoreKind.PostgreSql);

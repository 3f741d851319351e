using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Records;
using PersistCa.Storage.WorkQueue;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Workers;

/// <summary>Work that fails here every time does not go on for ever.</summary>
public sealed class GivingUpTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_validation_that_was_parked_for_its_whole_time_fails_with_serverInternal_and_leaves_the_queue()
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Server.Roles = ["acme", "publication"]);
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.example.test", PersistDialect.Draft01);
        var order = await client.OrderAsync(["a.example.test"], None);
        var url = order.Json["authorizations"]![0]!.GetValue<string>();
        var challenge = (await client.FetchAsync(url, None)).Challenge("dns-persist-01")["url"]!.GetValue<string>();
        await client.PostAsync(challenge, "{}", None);

        await WearOutAsync(authority, WorkKind.Validate);

        var failed = await client.PollAsync(challenge, ["pending", "processing"], TimeProvider.System, None);
        Assert.Equal("invalid", failed.Json["status"]!.GetValue<string>());
        Assert.Equal("urn:ietf:params:acme:error:serverInternal", failed.Json["error"]!["type"]!.GetValue<string>());
        Assert.False(await authority.Store.ReadAsync(db => db.WorkItems.AnyAsync(), None));
    }

    [Fact]
    public async Task An_issuance_that_was_parked_for_its_whole_time_fails_its_order_with_serverInternal_and_leaves_the_queue()
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Acme.FinalizeWait = TimeSpan.Zero);
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.example.test", PersistDialect.Draft01);
        var order = await client.ReadyOrderAsync("dns-persist-01", "a.example.test");
        authority.Options.Server.Roles = ["acme", "publication"];
        await authority.RestartAsync();
        var (csr, key) = RunningAuthority.Csr("a.example.test");
        key.Dispose();
        await client.PostAsync(order.Json["finalize"]!.GetValue<string>(), $$"""{"csr":"{{System.Buffers.Text.Base64Url.EncodeToString(csr)}}"}""", None);

        await WearOutAsync(authority, WorkKind.Issue);

        var failed = await client.PollAsync(order.Location!, ["processing"], TimeProvider.System, None);
        Assert.Equal("invalid", failed.Json["status"]!.GetValue<string>());
        Assert.Equal("urn:ietf:params:acme:error:serverInternal", failed.Json["error"]!["type"]!.GetValue<string>());
        Assert.False(await authority.Store.ReadAsync(db => db.WorkItems.AnyAsync(), None));
        Assert.False(await authority.Store.ReadAsync(db => db.Certificates.AnyAsync(), None));
    }

    [Fact]
    public async Task Work_that_fails_every_time_is_parked_with_its_reason_after_as_many_attempts_as_are_allowed()
    {
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            o.Server.MaxWorkAttempts = 2;
            o.Server.Roles = ["acme", "publication"];
        });
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.example.test", PersistDialect.Draft01);
        var order = await client.OrderAsync(["a.example.test"], None);
        var url = order.Json["authorizations"]![0]!.GetValue<string>();
        await client.PostAsync((await client.FetchAsync(url, None)).Challenge("dns-persist-01")["url"]!.GetValue<string>(), "{}", None);

        // Work on something that is not there: a bug, which no attempt mends.
        await authority.Store.ReadAsync(db => db.WorkItems.ExecuteUpdateAsync(s => s.SetProperty(w => w.SubjectId, 4711), None), None);
        authority.Options.Server.Roles = [];
        await authority.RestartAsync();

        await Patience.UntilAsync(async () => (await authority.Store.ReadAsync(db => db.WorkItems.SingleAsync(None), None)).ParkedAt is not null, "it is not parked");
        var item = await authority.Store.ReadAsync(db => db.WorkItems.SingleAsync(None), None);
        Assert.Equal((2, "InvalidOperationException: a queued authorization vanished"), (item.Attempts, item.Reason));
        Assert.InRange(item.DueAt - item.ParkedAt!.Value, authority.Options.Server.ParkedLifetime, authority.Options.Server.ParkedLifetime);
    }

    /// <summary>Parks the work so long ago that its time is over, and starts the workers.</summary>
    private static async Task WearOutAsync(RunningAuthority authority, WorkKind kind)
    {
        DateTimeOffset? before = authority.Store.Now - authority.Options.Server.ParkedLifetime;
        Assert.Equal(1, await authority.Store.ReadAsync(db => db.WorkItems.Where(w => w.Kind == kind).ExecuteUpdateAsync(s => s.SetProperty(w => w.ParkedAt, before), None), None));
        authority.Options.Server.Roles = [];
        await authority.RestartAsync();
    }
}

using PersistCa.Server.Admin;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Operators;
using static PersistCa.Server.Tests.Admin.DecisionBed;

namespace PersistCa.Server.Tests.Admin;

/// <summary>Tokens through the doors: made, scoped, expiring, revoked; and what an auditor can do.</summary>
public sealed class TokenDoorTests
{
    [Fact]
    public async Task A_token_opens_the_doors_of_its_scopes_and_no_other()
    {
        await using var bed = await DecisionBed.StartAsync();
        var (status, made) = await bed.Bed.PostAsync("tokens", bed.Karl, """{"name":"robot","role":"viewer","days":1,"scopes":["certificates:read"]}""");
        Assert.Equal(200, status);
        var secret = Text(made, "secret");
        Assert.Equal(200, (await bed.Bed.GetAsync("certificates", secret)).Status);
        foreach (var door in AdminRoutes.Doors.Where(d => d.Scope != "certificates:read" && d.Roles.Contains(OperatorRole.Viewer)))
        {
            var (refused, why) = await bed.Bed.CallAsync(door.Method, OperatorDoorTests.PathOf(door), secret, door.Body is null ? null : "{}");
            Assert.Equal((door.Name, 403, $"The token is for certificates:read; this door is for {door.Scope}."), (door.Name, refused, Text(why, "detail")));
        }

        Assert.Contains(await bed.Bed.AuditAsync(AuditKinds.OperatorRefused), e => e.Actor == "operator:robot" && e.Facts.Contains("\"why\":\"scope\"", StringComparison.Ordinal));
        bed.Authority.Clock.Ahead += TimeSpan.FromDays(2);
        Assert.Equal(401, (await bed.Bed.GetAsync("certificates", secret)).Status);
    }

    [Theory]
    [InlineData("""{"name":"Robot","role":"viewer","days":1}""", "'Robot' is not a name of an operator; 1 to 64 of a-z, 0-9, '.', '_', '-' and '@' are expected")]
    [InlineData("""{"name":"robot","role":"king","days":1}""", "The body needs name, role")]
    [InlineData("""{"name":"robot","role":"viewer"}""", "The body needs name, role")]
    [InlineData("""{"name":"robot","role":"viewer","days":0}""", "The body needs name, role")]
    [InlineData("""{"name":"robot","role":"viewer","days":2147483647}""", "at most 825 are accepted (Operators:MaxTokenLifetime)")]
    [InlineData("""{"name":"robot","role":"viewer","days":1000}""", "at most 825 are accepted (Operators:MaxTokenLifetime)")]
    [InlineData("""{"name":"robot","role":"viewer","days":1,"scopes":["certificates:eat"]}""", "There is no scope 'certificates:eat'")]
    [InlineData("""{"name":"robot","role":"viewer","days":1,"scopes":[]}""", "The token would be for nothing")]
    public async Task A_token_that_cannot_be_is_not_made(string body, string detail)
    {
        await using var bed = await DecisionBed.StartAsync();
        var (status, refused) = await bed.Bed.PostAsync("tokens", bed.Karl, body);
        Assert.Equal(400, status);
        Assert.Contains(detail, Text(refused, "detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_a_custodian_revokes_opens_nothing_from_then_on()
    {
        await using var bed = await DecisionBed.StartAsync();
        var made = (await bed.Bed.PostAsync("tokens", bed.Karl, """{"name":"robot","role":"viewer","days":1}""")).Body;
        var path = $"tokens/{Text(made["token"]!, "id")}/revoke";
        Assert.Equal(403, (await bed.Bed.PostAsync(path, bed.Olga)).Status);
        Assert.Equal("revoked", Text((await bed.Bed.PostAsync(path, bed.Karl)).Body, "state"));
        Assert.Equal(409, (await bed.Bed.PostAsync(path, bed.Karl)).Status);
        Assert.Equal(401, (await bed.Bed.GetAsync("certificates", Text(made, "secret"))).Status);
    }

    [Fact]
    public async Task A_secret_stands_in_no_list_and_in_no_audit_entry()
    {
        await using var bed = await DecisionBed.StartAsync();
        var made = (await bed.Bed.PostAsync("tokens", bed.Karl, """{"name":"kurt","role":"custodian","days":1}""")).Body;
        foreach (var path in new[] { "tokens", "proposals", "audit?limit=1000" })
        {
            Assert.DoesNotContain(Text(made, "secret")[4..], (await bed.Bed.GetAsync(path, bed.Karl)).Body.ToJsonString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_auditor_changes_nothing() => Assert.Equal(
        ["POST /admin/v1/records/explain"],
        AdminRoutes.Doors.Where(d => d.Roles.Contains(OperatorRole.Auditor) && d.Method != "GET").Select(d => d.Name));

    [Fact]
    public void A_viewer_changes_nothing() => Assert.Equal(
        ["POST /admin/v1/records/explain"],
        AdminRoutes.Doors.Where(d => d.Roles.Contains(OperatorRole.Viewer) && d.Method != "GET").Select(d => d.Name));

    [Fact]
    public void An_auditor_reads_everything() => Assert.All(AdminRoutes.Doors.Where(d => d.Method == "GET"), d => Assert.Contains(OperatorRole.Auditor, d.Roles));

    [Fact]
    public async Task The_audit_log_is_found_by_kind_actor_object_and_time()
    {
        await using var bed = await DecisionBed.StartAsync();
        using var client = await bed.Authority.RegisteredAsync();
        var account = "account:" + client.AccountUrl!.Split('/')[^1];
        await bed.Bed.PostAsync($"accounts/{client.AccountUrl!.Split('/')[^1]}/suspend", bed.Olga);
        async Task<string[]> FindAsync(string query) => [.. (await bed.Bed.GetAsync("audit?" + query, bed.Arno)).Body["items"]!.AsArray().Select(e => Text(e!, "kind"))];
        Assert.Equal(["account.suspended", "account.created"], await FindAsync("subject=" + account));
        Assert.Equal(["account.suspended"], await FindAsync($"subject={account}&actor=operator:olga"));
        Assert.Equal(["account.created"], await FindAsync("kind=account.created&from=2020-01-01"));
        Assert.Empty(await FindAsync("until=2020-01-01"));
        Assert.Equal(403, (await bed.Bed.GetAsync("audit", bed.Olga)).Status);
    }
}

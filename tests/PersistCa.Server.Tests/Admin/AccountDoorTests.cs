using System.Text.Json.Nodes;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Limits;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Testing;
using static PersistCa.Server.Tests.Admin.DecisionBed;

namespace PersistCa.Server.Tests.Admin;

/// <summary>Accounts that operators suspend, close and restrict, and what their clients see of it.</summary>
public abstract class AccountDoorTests(StoreKind kind)
{
    private static CancellationToken None => CancellationToken.None;

    private static string IdOf(AcmeClient client) => client.AccountUrl!.Split('/')[^1];

    [SkippableFact]
    public async Task A_suspended_account_is_refused_everywhere_until_two_resume_it()
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        using var client = await bed.Authority.RegisteredAsync();
        bed.Authority.Publish(client, "a.test", PersistDialect.Draft02);
        var open = await client.ReadyOrderAsync("dns-persist-01", "a.test");
        var (csr, key) = RunningAuthority.Csr("a.test");
        using var _ = key;

        var (status, suspended) = await bed.Bed.PostAsync($"accounts/{IdOf(client)}/suspend", bed.Olga, """{"comment":"key seen in a ticket"}""");
        Assert.Equal((200, "suspended"), (status, Text(suspended, "status")));
        foreach (var call in new Func<Task>[]
        {
            () => client.OrderAsync(["a.test"], None),
            () => client.FinalizeAsync(open, csr),
            () => client.FetchAsync(open.Location!, None),
            () => client.FetchAsync(client.AccountUrl!, None),
            () => client.RegisterAsync(None),
        })
        {
            var refused = (await Assert.ThrowsAsync<AcmeRefusedException>(call)).Answer;
            Assert.Equal((401, "unauthorized"), (refused.Status, refused.Problem));
            Assert.EndsWith("/problems/accountSuspended", Text(refused.Json, "help"), StringComparison.Ordinal);
            Assert.StartsWith("The account was suspended at", Text(refused.Json, "detail"), StringComparison.Ordinal);
        }

        Assert.Equal(409, (await bed.Bed.PostAsync($"accounts/{IdOf(client)}/suspend", bed.Olga)).Status);
        Assert.Contains("suspended", await bed.Bed.Http.GetStringAsync(new Uri(bed.Authority.Options.Server.BaseUrl + "/problems/accountSuspended")), StringComparison.Ordinal);
        Assert.Contains(await bed.Bed.AuditAsync(AuditKinds.AccountSuspended), e => e.Actor == "operator:olga" && e.Facts.Contains("key seen in a ticket", StringComparison.Ordinal));

        await bed.AgreeAsync($"accounts/{IdOf(client)}/resume");
        Assert.Equal("valid", Text((await client.FinalizeAsync(open, csr)).Json, "status"));
    }

    [SkippableFact]
    public async Task An_order_that_is_being_made_when_its_account_is_suspended_comes_to_nothing()
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        using var client = await bed.Authority.RegisteredAsync();
        bed.Authority.Publish(client, "a.test", PersistDialect.Draft02);
        var open = await client.ReadyOrderAsync("dns-persist-01", "a.test");
        var issuer = Text((await bed.Bed.GetAsync("issuers", bed.Arno)).Body["items"]![0]!, "id");
        await bed.Bed.PostAsync($"issuers/{issuer}/stop", bed.Olga);
        var (csr, key) = RunningAuthority.Csr("a.test");
        using var _ = key;
        await client.PostAsync(Text(open.Json, "finalize"), new JsonObject { ["csr"] = System.Buffers.Text.Base64Url.EncodeToString(csr) }.ToJsonString(), None);

        await bed.Bed.PostAsync($"accounts/{IdOf(client)}/suspend", bed.Olga);
        var path = "orders/" + open.Location!.Split('/')[^1];
        JsonNode order;
        for (var end = TimeProvider.System.GetUtcNow() + TimeSpan.FromMinutes(2); ; await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System))
        {
            order = (await bed.Bed.GetAsync(path, bed.Arno)).Body;
            if (Text(order, "state") != "processing" || TimeProvider.System.GetUtcNow() > end)
            {
                break;
            }
        }

        Assert.Equal("failed", Text(order, "state"));
        Assert.StartsWith("The account was suspended at", Text(order["error"]!, "detail"), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_closed_account_is_closed_for_ever()
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        using var client = await bed.Authority.RegisteredAsync();
        Assert.Equal("revoked", Text((await bed.Bed.PostAsync($"accounts/{IdOf(client)}/deactivate", bed.Olga)).Body, "status"));
        Assert.Equal(401, (await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync(["a.test"], None))).Answer.Status);
        foreach (var verb in new[] { "suspend", "resume", "deactivate", "restrict" })
        {
            var (status, refused) = await bed.Bed.PostAsync($"accounts/{IdOf(client)}/{verb}", bed.Olga);
            Assert.Equal((verb, 409, "The account is revoked, for ever."), (verb, status, Text(refused, "detail")));
        }
    }

    [SkippableTheory]
    [InlineData("""{"names":["*.other.test"]}""", "rejectedIdentifier", "is not among the names that this account is restricted to")]
    [InlineData("""{"profiles":["client"]}""", "invalidProfile", "is not offered to this account")]
    [InlineData("""{"challenges":["http-01"]}""", null, "")]
    [InlineData("""{"limits":{"NewOrdersPerAccount":"1/01:00:00"}}""", "rateLimited", "at most 1 in 01:00:00")]
    public async Task An_account_is_restricted_by_one_and_freed_by_two(string restrictions, string? problem, string detail)
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        using var client = await bed.Authority.RegisteredAsync();
        await client.OrderAsync(["a.team.test"], None);

        var (status, done) = await bed.Bed.PostAsync($"accounts/{IdOf(client)}/restrict", bed.Olga, restrictions);
        Assert.Equal((200, "done"), (status, Text(done, "status")));
        var shown = (await bed.Bed.GetAsync("accounts/" + IdOf(client), bed.Arno)).Body["restrictions"]!;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(restrictions), shown), shown.ToJsonString());
        if (problem is null)
        {
            var order = await client.OrderAsync(["a.team.test"], None);
            var offered = (await client.FetchAsync(order.Json["authorizations"]![0]!.GetValue<string>(), None)).Json["challenges"]!.AsArray();
            Assert.Equal("http-01", Text(Assert.Single(offered)!, "type"));
        }
        else
        {
            if (problem == "rateLimited")
            {
                await client.OrderAsync(["a.team.test"], None);
            }

            var refused = (await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync(["a.team.test"], None))).Answer;
            Assert.Equal(problem, refused.Problem);
            Assert.Contains(detail, refused.Body, StringComparison.Ordinal);
        }

        Assert.Equal(202, (await bed.Bed.PostAsync($"accounts/{IdOf(client)}/restrict", bed.Olga)).Status);
        Assert.NotNull((await bed.Bed.GetAsync("accounts/" + IdOf(client), bed.Arno)).Body["restrictions"]);
        await bed.AgreeAsync($"accounts/{IdOf(client)}/restrict");
        Assert.Null((await bed.Bed.GetAsync("accounts/" + IdOf(client), bed.Arno)).Body["restrictions"]);
        await client.OrderAsync(["a.team.test"], None);
    }

    [SkippableFact]
    public async Task A_restriction_between_order_and_issuance_is_seen()
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        using var client = await bed.Authority.RegisteredAsync();
        bed.Authority.Publish(client, "a.test", PersistDialect.Draft02);
        var open = await client.ReadyOrderAsync("dns-persist-01", "a.test");
        await bed.Bed.PostAsync($"accounts/{IdOf(client)}/restrict", bed.Olga, """{"names":["b.test"]}""");
        var (csr, key) = RunningAuthority.Csr("a.test");
        using var _ = key;
        var failed = await client.FinalizeAsync(open, csr);
        Assert.Equal("invalid", Text(failed.Json, "status"));
        Assert.Contains("restricted to", failed.Body, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Counts_of_an_account_are_shown_and_forgotten()
    {
        await using var bed = await DecisionBed.StartAsync(kind, o => o.Limits.NewOrdersPerAccount = "2/01:00:00");
        using var client = await bed.Authority.RegisteredAsync();
        await client.OrderAsync(["a.test"], None);
        await client.OrderAsync(["a.test"], None);
        Assert.Equal("rateLimited", (await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync(["a.test"], None))).Answer.Problem);
        JsonNode Orders(JsonNode list) => list["items"]!.AsArray().Single(l => Text(l!, "name") == "NewOrdersPerAccount")!;
        var used = Orders((await bed.Bed.GetAsync($"accounts/{IdOf(client)}/limits", bed.Arno)).Body);
        Assert.Equal(("2/01:00:00", 0, false), (Text(used, "limit"), used["left"]!.GetValue<int>(), used["own"]!.GetValue<bool>()));
        Assert.Equal(400, (await bed.Bed.PostAsync($"accounts/{IdOf(client)}/limits/reset", bed.Olga, """{"limit":"NewAccountsPerAddress"}""")).Status);
        Assert.Equal(1, (await bed.Bed.PostAsync($"accounts/{IdOf(client)}/limits/reset", bed.Olga, """{"limit":"NewOrdersPerAccount"}""")).Body["forgotten"]!.GetValue<int>());
        Assert.Equal(2, Orders((await bed.Bed.GetAsync($"accounts/{IdOf(client)}/limits", bed.Arno)).Body)["left"]!.GetValue<int>());
        await client.OrderAsync(["a.test"], None);
    }

    [SkippableFact]
    public async Task Accounts_are_found_by_state_key_contact_and_time_a_page_at_a_time()
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        var clients = new List<AcmeClient>();
        for (var i = 0; i < 3; i++)
        {
            var client = bed.Authority.Client();
            await client.RegisterAsync(None, new JsonObject { ["contact"] = new JsonArray($"mailto:team{i}@example.com") });
            clients.Add(client);
        }

        await bed.Bed.PostAsync($"accounts/{IdOf(clients[1])}/suspend", bed.Olga);
        async Task<string[]> FindAsync(string query) => [.. (await bed.Bed.GetAsync("accounts?" + query, bed.Arno)).Body["items"]!.AsArray().Select(a => Text(a!, "id"))];
        Assert.Equal([IdOf(clients[1])], await FindAsync("status=suspended"));
        Assert.Equal([IdOf(clients[2]), IdOf(clients[0])], await FindAsync("status=valid"));
        Assert.Equal([IdOf(clients[2])], await FindAsync("contact=team2@"));
        Assert.Equal([IdOf(clients[0])], await FindAsync("thumbprint=" + clients[0].Thumbprint));
        Assert.Empty(await FindAsync("createdUntil=2020-01-01"));
        Assert.Equal(3, (await FindAsync("createdFrom=2020-01-01")).Length);
        Assert.Empty(await FindAsync("contact=" + Uri.EscapeDataString("' OR '1'='1")));
        Assert.Empty(await FindAsync("contact=" + Uri.EscapeDataString("te%m")));

        var seen = new List<string>();
        for (string? cursor = null; ;)
        {
            var page = (await bed.Bed.GetAsync("accounts?limit=2" + (cursor is null ? "" : "&cursor=" + cursor), bed.Arno)).Body;
            seen.AddRange(page["items"]!.AsArray().Select(a => Text(a!, "id")));
            cursor = page["next"]?.GetValue<string>();
            if (cursor is null)
            {
                break;
            }
        }

        Assert.Equal(clients.Select(IdOf).Reverse(), seen);
        clients.ForEach(c => c.Dispose());
    }
}

public sealed class SqliteAccountDoorTests() : AccountDoorTests(StoreKind.Sqlite);

public sealed class PostgreSqlAccountDoorTests() : AccountDoorTests(StoreKind.PostgreSql);

/// <summary>What of restrictions needs a second operator, and what they cover.</summary>
public sealed class RestrictionTests
{
    private static readonly Dictionary<string, RateLimit> Configured = new() { ["FailedValidations"] = RateLimit.Parse("60/01:00:00").Value! };

    private static AccountRestrictions Of(string names = "", string profiles = "", string limit = "") => new()
    {
        Names = names.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        Profiles = profiles.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        Limits = limit.Length == 0 ? new Dictionary<string, RateLimit>() : new() { ["FailedValidations"] = RateLimit.Parse(limit).Value! },
    };

    [Theory]
    [InlineData("", "", "a.test", "", false)]
    [InlineData("a.test", "", "", "", true)]
    [InlineData("*.corp.test", "", "a.corp.test *.b.corp.test", "", false)]
    [InlineData("*.corp.test", "", "corp.test", "", true)]
    [InlineData("a.corp.test", "", "*.corp.test", "", true)]
    [InlineData("10.0.0.0/8", "", "10.1.0.0/16 10.2.3.4", "", false)]
    [InlineData("10.1.0.0/16", "", "10.0.0.0/8", "", true)]
    [InlineData("10.1.0.0/16", "", "10.2.0.1", "", true)]
    [InlineData("", "server client", "", "client", false)]
    [InlineData("", "client", "", "server client", true)]
    public void Lists_allow_more_where_something_is_not_covered(string before, string profilesBefore, string now, string profilesNow, bool more) =>
        Assert.Equal(more, Of(now, profilesNow).AllowMoreThan(Of(before, profilesBefore), Configured));

    [Theory]
    [InlineData("", "10/01:00:00", false)]
    [InlineData("", "61/01:00:00", true)]
    [InlineData("", "60/00:30:00", true)]
    [InlineData("", "off", true)]
    [InlineData("10/01:00:00", "", true)]
    [InlineData("off", "", false)]
    public void Limits_allow_more_where_they_count_more_or_forget_sooner(string before, string now, bool more) =>
        Assert.Equal(more, Of(limit: now).AllowMoreThan(Of(limit: before), Configured));

    [Theory]
    [InlineData("*.corp.test", "a.b.corp.test", true)]
    [InlineData("*.corp.test", "*.corp.test", true)]
    [InlineData("*.corp.test", "corp.test", false)]
    [InlineData("*.corp.test", "evilcorp.test", false)]
    [InlineData("corp.test", "corp.test", true)]
    [InlineData("corp.test", "a.corp.test", false)]
    [InlineData("10.0.0.0/8", "10.1.2.3", true)]
    [InlineData("10.0.0.0/8", "11.1.2.3", false)]
    [InlineData("10.0.0.0/8", "a.test", false)]
    public void A_name_is_covered(string entry, string name, bool covered) => Assert.Equal(covered, Of(entry).Refuse(Identifier.Of(name)) is null);

    [Theory]
    [InlineData("*.Corp.test", "*.corp.test")]
    [InlineData("10.0.0.0/8", "10.0.0.0/8")]
    [InlineData("a/b", null)]
    [InlineData("*", null)]
    [InlineData("' OR 1=1", null)]
    public void An_entry_has_one_spelling(string text, string? expected) => Assert.Equal(expected, AccountRestrictions.ReadName(text).Value);

    [Fact]
    public void Restrictions_come_back_from_their_text()
    {
        var some = Of("a.test", "client", "10/01:00:00") with { Challenges = [Protocol.Authorizations.ChallengeType.Dns01] };
        Assert.Equal(RestrictionsText.Write(some), RestrictionsText.Write(RestrictionsText.Read(RestrictionsText.Write(some))));
    }
}

using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Protocol.Records;
using PersistCa.Server.Admin;
using PersistCa.Server.Registration;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Operators;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Admin;

/// <summary>Who gets through which door of /admin/v1.</summary>
public sealed partial class OperatorDoorTests(OperatorBed bed) : IClassFixture<OperatorBed>
{
    private const string Nowhere = "AAAAAAAAAAAAAAAA";

    private static readonly string[] Bad = ["none", "unknown", "of another form", "another scheme", "expired", "revoked", "the hash of a good one"];

    public static TheoryData<string, string> DoorsAndRoles
    {
        get
        {
            var table = new TheoryData<string, string>();
            foreach (var door in AdminRoutes.Doors)
            {
                foreach (var role in OperatorRoles.All)
                {
                    table.Add(door.Name, role.Word());
                }
            }

            return table;
        }
    }

    public static TheoryData<string> Doors => [.. AdminRoutes.Doors.Select(d => d.Name)];

    private static AdminDoor Door(string name) => AdminRoutes.Doors.Single(d => d.Name == name);

    /// <summary>A path of the door at which nothing is.</summary>
    internal static string PathOf(AdminDoor door) => PathPart().Replace(door.Pattern, part => part.Value == "{serial}" ? "0123" : Nowhere);

    private Task<(int Status, JsonNode Body)> KnockAsync(AdminDoor door, string? secret) => bed.CallAsync(door.Method, PathOf(door), secret, door.Body is null ? null : "{}");

    [GeneratedRegex("\\{[a-z]+\\}")]
    private static partial Regex PathPart();

    [Fact]
    public void Every_route_under_admin_is_a_door_of_the_list()
    {
        var routes = bed.Authority.Services.GetRequiredService<IEnumerable<EndpointDataSource>>().SelectMany(s => s.Endpoints).OfType<RouteEndpoint>()
            .Where(e => e.RoutePattern.RawText!.StartsWith("/admin", StringComparison.Ordinal))
            .Select(e => $"{e.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Single()} {e.RoutePattern.RawText}").Distinct().Order();
        Assert.Equal(AdminRoutes.Doors.Select(d => d.Name).Order(), routes);
    }

    [Theory]
    [MemberData(nameof(DoorsAndRoles))]
    public async Task A_door_opens_to_its_roles_and_to_no_other(string name, string role)
    {
        var door = Door(name);
        var secret = await bed.TokenAsync("role." + role, OperatorRoles.Read(role)!.Value);
        var (status, body) = await KnockAsync(door, secret);
        if (door.Roles.Contains(OperatorRoles.Read(role)!.Value))
        {
            Assert.True(status is 200 or 400 or 404, body.ToJsonString());
            Assert.DoesNotContain("unauthorized", (body as JsonObject)?["type"]?.GetValue<string>() ?? "", StringComparison.Ordinal);
            Assert.Contains(await bed.AuditAsync(AuditKinds.OperatorCalled), e => e.Actor == "operator:role." + role && e.Facts.Contains(name, StringComparison.Ordinal));
        }
        else
        {
            Assert.Equal((403, $"The role {role} does not open this door; it is open to {string.Join(", ", door.Roles.Select(r => r.Word()))}."), (status, body["detail"]!.GetValue<string>()));
            Assert.Contains(await bed.AuditAsync(AuditKinds.OperatorRefused), e => e.Actor == "operator:role." + role && e.Facts.Contains(name, StringComparison.Ordinal));
        }
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task Without_a_good_token_every_door_answers_in_the_same_words(string name)
    {
        var answers = new HashSet<string>();
        var before = (await bed.AuditAsync(AuditKinds.OperatorRefused)).Count;
        foreach (var kind in Bad)
        {
            var (status, body) = await KnockAsync(Door(name), await BadAsync(kind));
            Assert.Equal((kind, 401), (kind, status));
            answers.Add(body.ToJsonString());
        }

        Assert.Contains("neither expired nor revoked", Assert.Single(answers), StringComparison.Ordinal);
        Assert.Equal(before + Bad.Length, (await bed.AuditAsync(AuditKinds.OperatorRefused)).Count);
    }

    private async Task<string?> BadAsync(string kind)
    {
        var owner = bed.Fresh();
        var made = (await bed.MakeAsync(owner, OperatorRole.RevocationOfficer, kind == "expired" ? TimeSpan.FromDays(-1) : TimeSpan.FromDays(1))).Value;
        switch (kind)
        {
            case "revoked":
                Assert.False((await bed.Tokens.RevokeAsync(null, made.Token!.PublicId, OperatorBed.None)).IsRefused);
                return made.Secret;
            case "expired":
                return made.Secret;
            case "unknown":
                return made.Secret[..^2] + "AA";
            case "of another form":
                return made.Secret + "A";
            case "another scheme":
                return "Basic " + made.Secret;
            case "the hash of a good one":
                return made.Token!.SecretHash;
            default:
                return null;
        }
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task The_plain_door_has_none_of_it(string name)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(new HttpMethod(Door(name).Method), new Uri(bed.Authority.Options.Server.PublicationUrl + PathOf(Door(name))));
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + bed.Anna);
        Assert.Equal(404, (int)(await http.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task Failures_of_an_address_are_limited_and_a_good_token_gets_in_all_the_same()
    {
        var limited = await OperatorBed.StartAsync(o => o.Limits.FailedOperatorCallsPerAddress = "2/01:00:00");
        var statuses = new List<int>();
        for (var i = 0; i < 4; i++)
        {
            statuses.Add((await limited.CallAsync("GET", "/admin/v1/revocations", "pca_wrong", null)).Status);
        }

        Assert.Equal([401, 401, 429, 429], statuses);
        Assert.Equal(2, (await limited.AuditAsync(AuditKinds.OperatorRefused)).Count);
        Assert.Equal(200, (await limited.CallAsync("GET", "/admin/v1/revocations", limited.Anna, null)).Status);
        await limited.DisposeAsync();
    }

    [Fact]
    public async Task A_second_custodian_needs_a_role_that_was_said()
    {
        var fresh = await OperatorBed.StartAsync(null);
        var first = await fresh.MakeAsync("clara", null, TimeSpan.FromDays(1));
        Assert.Equal(OperatorRole.Custodian, first.Value.Token!.Role);
        Assert.Contains("There is a custodian already", (await fresh.MakeAsync("dora", null, TimeSpan.FromDays(1))).Problem!.Detail, StringComparison.Ordinal);
        Assert.False((await fresh.MakeAsync("dora", OperatorRole.Custodian, TimeSpan.FromDays(1))).IsRefused);
        await fresh.DisposeAsync();
        Assert.Matches("^pca_[A-Za-z0-9_-]{43}$", first.Value.Secret);
    }

    [Theory]
    [InlineData("anna", true)]
    [InlineData("a.b_c-1", true)]
    [InlineData("Anna", false)]
    [InlineData("", false)]
    [InlineData("-a", false)]
    [InlineData("nobody", false)]
    [InlineData("anna berta", false)]
    public void A_name_has_one_spelling(string name, bool isName) => Assert.Equal(isName, OperatorDesk.IsName(name));

    [Fact]
    public async Task The_day_of_the_last_use_is_kept()
    {
        var owner = bed.Fresh();
        var secret = await bed.TokenAsync(owner, OperatorRole.Viewer);
        async Task<DateOnly?> DayAsync() => (await bed.Tokens.ListAsync(new PageWish(1000, null), OperatorBed.None)).Items.Single(t => t.Name == owner).LastUsedOn;
        Assert.Null(await DayAsync());
        await bed.CallAsync("GET", "/admin/v1/revocations", secret, null);
        Assert.Equal(DateOnly.FromDateTime(bed.Authority.Clock.GetUtcNow().UtcDateTime), await DayAsync());
    }

    [Fact]
    public async Task An_operator_is_told_of_records_what_the_account_itself_is_told_and_nothing_changes()
    {
        using var client = await bed.Authority.RegisteredAsync();
        var name = bed.Fresh() + ".example.test";
        bed.Authority.Publish(client, name, PersistDialect.Draft02);
        var identifier = $$"""{"type":"dns","value":"{{name}}"}""";
        var own = (await client.PostAsync(await client.UrlAsync("explainRecords", OperatorBed.None), $$"""{"identifier":{{identifier}}}""", OperatorBed.None)).Json;
        var viewer = await bed.TokenAsync(bed.Fresh(), OperatorRole.Viewer);
        var before = await bed.Authority.Store.ReadAsync(async db => (await db.Authorizations.CountAsync(), await db.ValidationRecords.CountAsync()), OperatorBed.None);

        var (status, told) = await bed.CallAsync("POST", "/admin/v1/records/explain", viewer, $$"""{"account":"{{client.AccountUrl!.Split('/')[^1]}}","identifier":{{identifier}}}""");

        Assert.Equal(200, status);
        Assert.Equal("valid", told["verdict"]!.GetValue<string>());
        Assert.Equal(own["records"]!.ToJsonString(), told["records"]!.ToJsonString());
        Assert.Equal(own["expected"]!.ToJsonString(), told["expected"]!.ToJsonString());
        Assert.Equal(before, await bed.Authority.Store.ReadAsync(async db => (await db.Authorizations.CountAsync(), await db.ValidationRecords.CountAsync()), OperatorBed.None));
        Assert.Equal(404, (await bed.CallAsync("POST", "/admin/v1/records/explain", viewer, $$"""{"account":"{{Nowhere}}","identifier":{{identifier}}}""")).Status);
    }

    [Fact]
    public async Task Questions_of_an_operator_are_limited()
    {
        var limited = await OperatorBed.StartAsync(o => o.Limits.ExplainPerOperator = "1/01:00:00");
        using var client = await limited.Authority.RegisteredAsync();
        const string identifier = """{"type":"dns","value":"a.example.test"}""";
        var body = $$"""{"account":"{{client.AccountUrl!.Split('/')[^1]}}","identifier":{{identifier}}}""";
        Assert.Equal(200, (await limited.CallAsync("POST", "/admin/v1/records/explain", limited.Anna, body)).Status);
        Assert.Equal(429, (await limited.CallAsync("POST", "/admin/v1/records/explain", limited.Anna, body)).Status);
        Assert.Equal(200, (await limited.CallAsync("POST", "/admin/v1/records/explain", limited.Berta, body)).Status);
        await limited.DisposeAsync();
    }

    [Fact]
    public async Task A_body_that_is_no_json_or_too_large_is_refused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(bed.Authority.Options.Server.BaseUrl + "/admin/v1/revocations")) { Content = new FormUrlEncodedContent([]) };
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + bed.Anna);
        Assert.Equal(415, (int)(await bed.Http.SendAsync(request)).StatusCode);
        Assert.Equal(413, (await bed.CallAsync("POST", "/admin/v1/revocations", bed.Anna, new string(' ', bed.Authority.Options.Policy.Revocation.MaxBodyBytes + 1))).Status);
    }
}

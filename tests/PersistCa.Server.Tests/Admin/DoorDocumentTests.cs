using System.Text.Json.Nodes;
using CsCheck;
using PersistCa.Server.Admin;
using PersistCa.Server.Hosting;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Admin;

/// <summary>What is made of the doors' rows: the OpenAPI document, the tables of the handbook, the members that are accepted.</summary>
public sealed class DoorDocumentTests(OperatorBed bed) : IClassFixture<OperatorBed>
{
    private static string Docs => Path.Combine(SourceTree.Root, "docs", "operations");

    public static TheoryData<string> DoorsWithBodies => [.. AdminRoutes.Doors.Where(d => d.Body is not null).Select(d => d.Name)];

    public static TheoryData<string> Lists => [.. AdminRoutes.Doors.Where(d => d.Query.Contains(Paging.Limit)).Select(d => d.Name)];

    [Fact]
    public void The_kept_document_is_the_one_that_is_served() => SourceTree.RequireKept(Path.Combine(Docs, "openapi.json"), OpenApiDocument.Text);

    [Fact]
    public async Task The_document_is_served_behind_a_token()
    {
        var (status, body) = await bed.CallAsync("GET", "/admin/v1/openapi.json", bed.Anna, null);
        Assert.Equal(200, status);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(OpenApiDocument.Text), body));
    }

    [Fact]
    public void The_handbook_has_the_table_of_the_doors()
    {
        var path = Path.Combine(Docs, "admin-api.md");
        var page = File.ReadAllText(path);
        var (from, to) = (page.IndexOf(DoorTable.Begin, StringComparison.Ordinal) + DoorTable.Begin.Length, page.IndexOf(DoorTable.End, StringComparison.Ordinal));
        SourceTree.RequireKept(path, page[..from] + "\n" + DoorTable.Markdown(AdminRoutes.Doors) + page[to..]);
    }

    [Fact]
    public void Operations_and_scopes_have_their_forms()
    {
        Assert.Equal(AdminRoutes.Doors.Count, AdminRoutes.Doors.Select(d => d.Operation).Distinct().Count());
        Assert.All(AdminRoutes.Doors, d => Assert.Matches("^[a-z]+[A-Za-z]+$", d.Operation));
        Assert.All(AdminRoutes.Doors, d => Assert.Matches("^[a-z-]+:(read|write)$", d.Scope));
        Assert.All(AdminRoutes.Doors.Where(d => d.Method == "GET"), d => Assert.EndsWith(":read", d.Scope, StringComparison.Ordinal));
        Assert.All(AdminRoutes.Doors, d => Assert.EndsWith(".", d.Summary, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(DoorsWithBodies))]
    public async Task A_member_that_the_row_does_not_have_is_refused(string name)
    {
        var door = AdminRoutes.Doors.Single(d => d.Name == name);
        var secret = await bed.TokenAsync("members", door.Roles.First());
        var path = OperatorDoorTests.PathOf(door);
        var (status, body) = await bed.CallAsync(door.Method, path, secret, """{"slip":1}""");
        Assert.Equal((400, $"There is no member 'slip' here; there are {string.Join(", ", AdminSchema.MembersOf(door.Body!))}."), (status, body["detail"]!.GetValue<string>()));
        Assert.Equal(415, (await bed.CallAsync(door.Method, path, secret, "{}", "text/plain")).Status);
        Assert.Equal(413, (await bed.CallAsync(door.Method, path, secret, "{\"slip\":\"" + new string('x', 1024 * 1024) + "\"}")).Status);
    }

    [Theory]
    [MemberData(nameof(Lists))]
    public async Task A_list_takes_no_parameter_that_its_row_does_not_have_and_no_limit_that_is_too_large(string name)
    {
        var door = AdminRoutes.Doors.Single(d => d.Name == name);
        var secret = await bed.TokenAsync("lists", door.Roles.First());
        foreach (var (query, expected) in new[]
        {
            ("slip=1", $"There is no parameter 'slip' here; there are {string.Join(", ", door.Query.Select(q => q.Name))}."),
            ("limit=1001", "The parameter 'limit' is 1001; at most 1000 are given at a time (Operators:MaxPageSize). Follow next for more."),
            ("limit=99999999999999999999", "The parameter 'limit' is '99999999999999999999'; a whole number above 0 is expected."),
            ("limit=0", "The parameter 'limit' is '0'; a whole number above 0 is expected."),
            ("limit=1&limit=2", "The parameter 'limit' stands there 2 times; once is expected."),
            ("cursor=1%20OR%201=1", "The parameter 'cursor' is '1 OR 1=1'; the member next of a page is expected, as it stands there."),
        })
        {
            var (status, body) = await bed.CallAsync("GET", OperatorDoorTests.PathOf(door) + "?" + query, secret, null);
            Assert.Equal((query, 400, expected), (query, status, body["detail"]!.GetValue<string>()));
        }

        var (good, page) = await bed.CallAsync("GET", OperatorDoorTests.PathOf(door) + "?limit=1000", secret, null);
        Assert.Equal(200, good);
        Assert.NotNull(page["items"]);
    }

    [Fact]
    public void A_cursor_reads_back_and_no_other_text_is_one()
    {
        Gen.Long[1, long.MaxValue].Sample(id => Paging.Read(Paging.Write(id)).Value == id);
        Gen.String.Sample(text => !Paging.Read(text).IsValid || Paging.Write(Paging.Read(text).Value) == text);
        Assert.False(Paging.Read(Paging.Write(0)).IsValid);
        Assert.False(Paging.Read(Paging.Write(-1)).IsValid);
    }

    [Fact]
    public void A_page_size_out_of_range_stops_the_start()
    {
        Assert.Equal("Operators:PageSize", Assert.Single(OperatorRules.Check(new OperatorOptions { PageSize = 0 })).Key);
        Assert.Equal("Operators:MaxPageSize", Assert.Single(OperatorRules.Check(new OperatorOptions { MaxPageSize = 10_001 })).Key);
    }
}

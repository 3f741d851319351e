using Xunit.Abstractions;

namespace PersistCa.Server.Tests.Hostile;

/// <summary>Bad input gets the right refusal, changes nothing, and never makes the server fail.</summary>
public sealed class HostileRequestTests(HostileBed bed, ITestOutputHelper output) : IClassFixture<HostileBed>
{
    public static TheoryData<string> Names => [.. HostileRows.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task It_is_refused_with_its_problem_and_changes_nothing(string name)
    {
        var row = HostileRows.All[name];
        await bed.Owner.DirectoryAsync(CancellationToken.None);
        var before = await bed.StateAsync();

        var answer = await row.Send(bed);

        output.WriteLine($"{answer.Status} {answer.Body}");
        Assert.True(row.Status == answer.Status, $"{row.Status} expected, {answer.Status} found: {answer.Body}");
        Assert.Equal(row.Problem, answer.Problem);
        Assert.Equal(before, await bed.StateAsync());
        if (row.Problem is not null)
        {
            Assert.NotEmpty(answer.Json["detail"]!.GetValue<string>());
            Assert.StartsWith(bed.Base + "/problems/", answer.Json["help"]!.GetValue<string>(), StringComparison.Ordinal);
            Assert.DoesNotContain(" at PersistCa", answer.Body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_table_has_at_least_120_rows() => Assert.True(HostileRows.All.Count >= 120, $"{HostileRows.All.Count} rows");
}

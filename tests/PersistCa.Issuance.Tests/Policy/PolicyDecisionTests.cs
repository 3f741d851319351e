using System.Text.Json;
using PersistCa.Issuance.Policy;

namespace PersistCa.Issuance.Tests.Policy;

/// <summary>The one policy: each rule by a departure from a good certificate, each rule about names by each way in which a name comes into an order.</summary>
public sealed class PolicyDecisionTests
{
    private const string Departures = "policy-departures.json";

    private static readonly JsonElement Nothing = JsonDocument.Parse("{}").RootElement;

    private static readonly string[] Names = ["a.corp.example", "b.corp.example"];

    private static readonly JsonElement Matrix = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "policy-matrix.json"))).RootElement;

    public static TheoryData<string> Rows => VectorFile.Names(Departures);

    public static TheoryData<int, string> Cells
    {
        get
        {
            var data = new TheoryData<int, string>();
            for (var row = 0; row < Matrix.GetProperty("rows").GetArrayLength(); row++)
            {
                foreach (var source in Matrix.GetProperty("sources").EnumerateObject())
                {
                    data.Add(row, source.Name);
                }
            }

            return data;
        }
    }

    [Fact]
    public async Task A_good_certificate_passes_every_rule_that_has_something_to_say()
    {
        var bound = JsonDocument.Parse("""{"required":true,"restrictions":{"names":["*.corp.example"],"profiles":["server"],"challenges":["dns-persist-01"]},"scope":{"profiles":["server"],"challenges":["dns-persist-01"],"maxNames":2},"challenges":["dns-persist-01"],"profileNames":[".corp.example"],"profileKinds":["dns"],"profileNoWildcards":true,"anew":true}""").RootElement;
        var decision = PolicyDecision.Judge(await FactsDraft.MakeAsync(bound, Names));
        Assert.Empty(decision.Failed);
        Assert.Null(decision.Problem);
        Assert.True(decision.IsPermitted);
        Assert.Equal(Rulebook.All.Select(r => r.Id), decision.Rules.Select(r => r.Id));
        Assert.Equal(
            ["external-account.certificates", "names.public", "names.constraints", "validity.ordered"],
            decision.Rules.Where(r => r.Outcome == RuleOutcome.NotApplicable).Select(r => r.Id));
        Assert.All(decision.Rules.Where(r => r.Outcome == RuleOutcome.Passed), r => Assert.True(r.Found.Length > 0 && r.Expected.Length > 0, r.Id));
        Assert.Equal(("AAAAAAAAAAAAAAAA", "K", "server", "private", 2), (decision.Subject.Account, decision.Subject.ExternalAccount, decision.Subject.Profile, decision.Subject.Regime, decision.Subject.Names));
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_departure_fails_its_rule_and_no_other_and_gives_its_problem(string name)
    {
        var row = VectorFile.Row(Departures, name);
        var decision = PolicyDecision.Judge(await FactsDraft.MakeAsync(row.GetProperty("bend"), Names));
        Assert.Equal([row.Text("rule")], decision.Failed);
        Assert.False(decision.IsPermitted);
        Assert.Equal(row.Text("problem"), decision.Problem!.Type.Name);
        Assert.Contains(row.Text("detail"), decision.Problem.Detail + string.Join(' ', decision.Problem.Subproblems.Select(p => p.Detail)), StringComparison.Ordinal);
        Assert.Null(decision.Problem.Identifier); // none at the top (RFC 8555 section 6.7.1)
        Assert.Equal(row.Text("rule") == "caa.permitted", decision.AwaitsCaa);
    }

    [Fact]
    public void Every_rule_has_a_departure_that_fails_it() => Assert.Equal(
        Rulebook.All.Select(r => r.Id).Order(StringComparer.Ordinal), VectorFile.Read(Departures).Select(r => r.Text("rule")).Distinct().Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task A_rule_about_names_says_the_same_of_a_name_whichever_way_it_came(int at, string source)
    {
        var (row, from) = (Matrix.GetProperty("rows")[at], Matrix.GetProperty("sources").GetProperty(source));
        var names = from.GetProperty("names").EnumerateArray().Select(n => n.GetString()!).ToArray();
        var decision = PolicyDecision.Judge(await FactsDraft.MakeAsync(row.GetProperty("bend"), names, from.Text("method"), from.TryGetProperty("above", out _)));
        var rule = decision.Rules.Single(r => r.Id == row.Text("rule"));
        var expected = row.GetProperty("outcome").Text(source);
        Assert.True(expected == JsonNamingPolicy.CamelCase.ConvertName(rule.Outcome.ToString()), $"{expected} expected, {rule}");
        if (expected == "failed")
        {
            var problem = decision.Problem!;
            Assert.Equal(row.Text("problem"), problem.Type.Name);

            // What is wrong with one of several names is told of that name.
            if (!problem.Subproblems.IsEmpty)
            {
                Assert.Contains(names[^1], problem.Subproblems.Select(p => p.Identifier!.Value));
            }
        }
    }

    [Fact]
    public async Task A_refusal_of_the_order_as_a_whole_comes_before_those_of_names_and_these_before_what_no_client_can_mend()
    {
        async Task<string> ProblemAsync(string bend) => PolicyDecision.Judge(await FactsDraft.MakeAsync(JsonDocument.Parse(bend).RootElement, Names)).Problem!.Type.Name;
        Assert.Equal("invalidProfile", await ProblemAsync("""{"offered":false,"denied":["corp.example"],"lint":"Error"}"""));
        Assert.Equal("rejectedIdentifier", await ProblemAsync("""{"denied":["corp.example"],"lint":"Error"}"""));
        Assert.Equal("serverInternal", await ProblemAsync("""{"lint":"Error"}"""));

        // That nobody has asked CAA yet is no answer to what another rule found.
        Assert.Equal("serverInternal", await ProblemAsync("""{"lint":"Error","caa":{"outcome":null}}"""));
    }

    [Fact]
    public async Task Bytes_that_are_no_certificate_are_refused()
    {
        var decision = PolicyDecision.Judge(await FactsDraft.MakeAsync(Nothing, Names) with { TbsDer = new byte[] { 0x30, 0x03, 0x02, 0x01 } });
        Assert.Equal(["certificate.readable"], decision.Failed);
        Assert.Equal("serverInternal", decision.Problem!.Type.Name);
    }

    [Fact]
    public async Task A_decision_reads_back_from_what_is_kept_of_it_and_says_no_more()
    {
        foreach (var bend in new[] { "{}", """{"denied":["corp.example"]}""" })
        {
            var decision = PolicyDecision.Judge(await FactsDraft.MakeAsync(JsonDocument.Parse(bend).RootElement, Names));
            var json = decision.Write();
            var read = PolicyDecision.Read(json);
            Assert.Equal(json, read.Write());
            Assert.Equal(decision.Rules.AsEnumerable(), read.Rules.AsEnumerable());
            Assert.Equal((decision.At, decision.Subject, decision.IsPermitted), (read.At, read.Subject, read.IsPermitted));
            Assert.Equal(["version", "at", "subject", "rules"], JsonDocument.Parse(json).RootElement.EnumerateObject().Select(m => m.Name));
            Assert.Contains("\"outcome\":\"passed\"", json, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_decision_of_a_later_form_is_not_read_as_if_it_were_known()
    {
        var later = PolicyDecision.Judge(await FactsDraft.MakeAsync(Nothing, Names)).Write().Replace("\"version\":1", "\"version\":2", StringComparison.Ordinal);
        Assert.Throws<JsonException>(() => PolicyDecision.Read(later));
        Assert.Throws<JsonException>(() => PolicyDecision.Read("null"));
        Assert.Throws<JsonException>(() => PolicyDecision.Read("{}"));
    }

    [Fact]
    public async Task However_many_names_there_are_a_decision_is_short()
    {
        var names = Enumerable.Range(0, 1000).Select(i => $"{new string('a', 60)}{i}.{new string('b', 63)}.{new string('c', 63)}.corp.example").ToArray();
        var bend = JsonDocument.Parse("""{"maxNames":1000,"denied":["corp.example"],"scope":{"names":["x.example"]},"proof":{"status":"Revoked"},"caa":{"outcome":null}}""").RootElement;
        var json = PolicyDecision.Judge(await FactsDraft.MakeAsync(bend, names)).Write();
        Assert.InRange(json.Length, 1, 32 * 1024);
    }
}

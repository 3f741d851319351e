using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using CsCheck;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Tests.Caa;

/// <summary>The golden vectors of CAA: zones with the verdict on them. A record is [flags, tag, value], or RDATA in hex.</summary>
public sealed class CaaVectorTests
{
    private static readonly DateTimeOffset At = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
    private static readonly JsonElement File = Load();

    public static TheoryData<string> Rules => [.. File.GetProperty("cases").EnumerateArray().Select(c => c.GetProperty("rule").GetString()!)];

    [Theory]
    [MemberData(nameof(Rules))]
    public void The_verdict_is_as_the_rule_says(string rule)
    {
        var vector = Case(rule);
        var (policy, question, answers) = Read(vector);

        var verdict = policy.Judge(question, answers);

        Assert.Equal(vector.GetProperty("reason").GetString(), verdict.Reason.ToString());
        Assert.Equal(Outcome(verdict.Reason), verdict.Outcome);
        Assert.Equal(verdict.Reason == CaaReason.Authorized, verdict.Matched is not null);
        Assert.All(verdict.Detail, c => Assert.InRange(c, ' ', '~'));
        foreach (var member in vector.EnumerateObject())
        {
            Check(member, verdict);
        }
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void The_account_sees_a_problem_exactly_when_the_verdict_refuses(string rule)
    {
        var vector = Case(rule);
        var (policy, question, answers) = Read(vector);
        var mode = vector.TryGetProperty("mode", out var word) ? Enum.Parse<CaaMode>(word.GetString()!) : CaaMode.Enforce;

        var result = new CaaResult(policy.Judge(question, answers), mode, At);

        var permitted = result.Verdict.Outcome == CaaOutcome.Permitted;
        Assert.Equal(permitted || vector.TryGetProperty("may_issue", out _), result.MayIssue);
        Assert.Equal(result.MayIssue && !permitted, result.WouldRefuse);
        Assert.Equal(result.MayIssue, result.Problem is null);
        Assert.Equal(result.MayIssue, result.FreshUntil is not null);
        if (result.Problem is { } problem)
        {
            Assert.Equal(result.Verdict.Reason == CaaReason.LookupFailed ? ProblemCatalog.Dns : ProblemCatalog.Caa, problem.Type);
            Assert.Equal(result.Verdict.Reason == CaaReason.LookupFailed ? CaaResult.RetryAfterSeconds : null, problem.RetryAfterSeconds);
            Assert.Equal(result.Verdict.Detail, problem.Detail);
        }
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void Order_of_records_and_answers_does_not_change_it(string rule)
    {
        var (policy, question, answers) = Read(Case(rule));
        var one = policy.Judge(question, answers);

        Gen.Shuffle(answers.ToArray()).SelectMany(a => Gen.Int[0, 1000].Select(seed => (Answers: a, Seed: seed))).Sample(
            t =>
            {
                var mixed = t.Answers.Select(a => Mixed(a, t.Seed)).ToList();
                var two = policy.Judge(question, mixed);
                Assert.Equal((one.Outcome, one.Reason, one.Detail, one.Matched?.Found, one.RelevantName), (two.Outcome, two.Reason, two.Detail, two.Matched?.Found, two.RelevantName));
                Assert.Equal(one.IodefContacts.AsEnumerable(), two.IodefContacts);
            },
            iter: 20);
    }

    private static CaaAnswer Mixed(CaaAnswer answer, int seed)
    {
        if (answer.Failure is not null)
        {
            return answer;
        }

        var records = answer.Records.ToArray();
        new Random(seed).Shuffle(records);
        return CaaAnswer.Found(answer.Name, [.. records]);
    }

    private static CaaOutcome Outcome(CaaReason reason) => reason switch
    {
        <= CaaReason.SwitchedOff => CaaOutcome.Permitted,
        CaaReason.LookupFailed or CaaReason.NameNotAsked => CaaOutcome.Unknown,
        _ => CaaOutcome.Forbidden,
    };

    private static void Check(JsonProperty member, CaaVerdict verdict)
    {
        switch (member.Name)
        {
            case "rule" or "name" or "zone" or "reason" or "method" or "mode" or "may_issue" or "excuse":
                break;
            case "at":
                Assert.Equal(member.Value.GetString(), verdict.RelevantName?.Text);
                break;
            case "matched":
                Assert.Equal(member.Value.GetString(), verdict.Matched!.Record!.Value);
                break;
            case "account_matched":
                Assert.Equal(member.Value.GetString(), verdict.Matched!.MatchedAccountUrl);
                break;
            case "iodef":
                Assert.Equal(member.Value.EnumerateArray().Select(e => e.GetString()!), verdict.IodefContacts);
                break;
            case "excused":
                Assert.Equal(member.Value.EnumerateArray().Select(e => e.GetString()!), verdict.Excused.Select(n => n.Text));
                break;
            case "detail":
                Assert.Contains(member.Value.GetString()!, verdict.Detail, StringComparison.Ordinal);
                break;
            case "hidden":
                Assert.DoesNotContain(member.Value.GetString()!, verdict.Detail, StringComparison.Ordinal);
                break;
            case "problem":
                Assert.Equal(member.Value.GetString(), new CaaResult(verdict, CaaMode.Enforce, At).Problem!.Type.Name);
                break;
            default:
                throw new InvalidOperationException($"the vectors have an unknown member {member.Name}");
        }
    }

    private static JsonElement Case(string rule) => File.GetProperty("cases").EnumerateArray().Single(c => c.GetProperty("rule").GetString() == rule);

    private static (CaaPolicy Policy, CaaQuestion Question, IReadOnlyList<CaaAnswer> Answers) Read(JsonElement vector)
    {
        var policy = new CaaPolicy([.. File.GetProperty("issuers").EnumerateArray().Select(i => IssuerName.Parse(i.GetString()!).Value!)])
        {
            ExcuseInsecureFailures = vector.TryGetProperty("excuse", out _),
        };
        var method = vector.TryGetProperty("method", out var other) ? other : File.GetProperty("method");
        var question = new CaaQuestion(
            CertificateName.Parse(vector.GetProperty("name").GetString()!).Value!,
            [File.GetProperty("account").GetString()!, File.GetProperty("former").GetString()!],
            method.GetString()!);

        // What the zone does not speak of has no records.
        var zone = vector.GetProperty("zone").EnumerateObject().ToDictionary(n => DnsName.Parse(n.Name).Value!, n => n.Value);
        var answers = question.Climb().Where(n => !zone.ContainsKey(n)).Select(CaaAnswer.None)
            .Concat(zone.Where(n => n.Value.ValueKind != JsonValueKind.String).Select(n => Answer(n.Key, n.Value)));
        return (policy, question, answers.ToList());
    }

    private static CaaAnswer Answer(DnsName name, JsonElement said)
    {
        bool Says(string member) => said.TryGetProperty(member, out _);
        return said.ValueKind == JsonValueKind.Array
            ? CaaAnswer.Found(name, [.. said.EnumerateArray().Select(r => new FoundCaa(Rdata(r), 300))])
            : CaaAnswer.Failed(name, new CaaLookupFailure(said.GetProperty("failed").GetString()!)
            {
                ZoneIsInsecure = Says("insecure"),
                WasRetried = Says("retried"),
                IsTheirs = Says("theirs"),
            });
    }

    private static string Rdata(JsonElement record) => record.ValueKind == JsonValueKind.String
        ? Encoding.Latin1.GetString(Convert.FromHexString(record.GetString()!))
        : new CaaRecord(record[0].GetByte(), record[1].GetString()!, record[2].GetString()!).ToRdata();

    private static JsonElement Load()
    {
        using var document = JsonDocument.Parse(System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "caa.json")));
        return document.RootElement.Clone();
    }
}

using System.Collections.Immutable;
using System.Text.Json;
using CsCheck;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Jose;
using PersistCa.Protocol.Records;

namespace PersistCa.Protocol.Tests.Records;

/// <summary>The golden vectors of dns-persist-01: record sets with their verdicts.</summary>
public sealed class PersistVectorTests
{
    private static readonly JsonElement File = Load("persist-records.json");
    private static readonly JsonElement Hashes = Load("hashed-account.json");

    public static TheoryData<string> Rules => [.. File.GetProperty("cases").EnumerateArray().Select(c => c.GetProperty("rule").GetString()!)];

    [Theory]
    [MemberData(nameof(Rules))]
    public void The_verdict_is_as_the_rule_says(string rule)
    {
        var vector = Case(rule);
        var (question, policy, found) = Read(vector);

        var decision = PersistDecision.Judge(question, policy, found);

        Assert.Equal(vector.GetProperty("outcome").GetString(), decision.Outcome.ToString());
        if (vector.TryGetProperty("reason", out var reason))
        {
            Assert.Equal(reason.GetString(), Deciding(decision)?.Reason.ToString());
        }

        if (vector.TryGetProperty("winner", out var winner))
        {
            CheckWinner(winner, decision);
        }

        Assert.Equal(decision.Outcome == PersistOutcome.Valid, decision.Problem is null);
        if (vector.TryGetProperty("detail", out var detail))
        {
            Assert.Contains(detail.GetString()!, decision.Problem!.Detail, StringComparison.Ordinal);
        }

        if (vector.TryGetProperty("hidden", out var hidden))
        {
            Assert.DoesNotContain(hidden.GetString()!, decision.Problem!.Detail, StringComparison.Ordinal);
        }
    }

    /// <summary>The record on which the outcome rests: the winner, the malformed one that makes a refusal malformed, else the first of ours.</summary>
    private static RecordVerdict? Deciding(PersistDecision decision) => decision.Outcome switch
    {
        PersistOutcome.Valid => decision.Winner,
        PersistOutcome.Malformed => decision.Records.FirstOrDefault(r => r.Reason == RecordReason.Malformed),
        _ => decision.Records.FirstOrDefault(),
    };

    private static void CheckWinner(JsonElement expected, PersistDecision decision)
    {
        var winner = decision.Winner!;
        foreach (var member in expected.EnumerateObject())
        {
            object? found = member.Name switch
            {
                "dialect" => winner.Dialect?.Wire(),
                "expires" => decision.RecordExpires?.ToUnixTimeSeconds(),
                "reusable" => decision.Reusable,
                "thumbprint" => winner.MatchedThumbprint,
                "anyDomain" => winner.AnyDomain,
                "at" => winner.Record.StandsAt.Text,
                _ => throw new InvalidOperationException($"the vectors have an unknown member {member.Name}"),
            };
            Assert.Equal($"{member.Name} {member.Value}", $"{member.Name} {found}");
        }
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void Neither_order_nor_foreign_records_change_it(string rule)
    {
        var (question, policy, found) = Read(Case(rule));
        if (PersistDecision.Judge(question, policy, found).Outcome == PersistOutcome.TooMuch || found.Count > 50)
        {
            return; // it is the number that decides
        }

        policy = policy with { MaxRecords = policy.MaxRecords + 1, MaxBytes = policy.MaxBytes + 100 };
        var alone = PersistDecision.Judge(question, policy, found);

        var foreign = new FoundTxt(question.Requested.Name, PersistLabel.ValidationPersist, "foreign.example; accounturi=a; accounturi=b;", 60);
        Gen.Shuffle(found.Append(foreign).ToArray()).Sample(
            shuffled =>
            {
                var decision = PersistDecision.Judge(question, policy, shuffled);
                return decision.Outcome == alone.Outcome && decision.Winner?.Record == alone.Winner?.Record && decision.Problem?.Detail == alone.Problem?.Detail;
            },
            iter: 20);
    }

    [Fact]
    public void The_drafts_digests_are_reproduced()
    {
        foreach (var vector in Hashes.GetProperty("cases").EnumerateArray())
        {
            var domain = vector.GetProperty("domain").GetString()!;
            if (vector.TryGetProperty("written", out var written))
            {
                Assert.Equal(domain, IssuerName.Parse(written.GetString()!).Value!.Text);
            }

            var digest = HashedAccountUri.Digest(domain, Hashes.GetProperty("thumbprint").GetString()!, Hashes.GetProperty("accountUrl").GetString()!);
            Assert.Equal(vector.GetProperty("digest").GetString(), Base64UrlText.Encode(digest));
        }
    }

    [Fact]
    public void Random_octets_never_throw_and_never_win()
    {
        var (question, policy, _) = Read(Case("a plain draft-01 record fits"));
        var octets = Gen.String[Gen.Char['\0', '\u00ff'], 0, 400];
        Gen.Select(octets, Gen.Enum<PersistLabel>(), Gen.OneOf(Gen.Const(""), Gen.Const("ca.example;"), Gen.Const("v=acme-persist-01; ca=ca.example;"), Gen.Const("ca.example; accounturi=https://ca.example/account-hash/"))).Sample(
            (text, label, start) => PersistDecision.Judge(question, policy, [new FoundTxt(question.Requested.Name, label, start + text, 60)]).Outcome != PersistOutcome.Valid,
            iter: 20_000);
    }

    [Fact]
    public void What_is_written_for_an_account_wins_for_it_and_for_no_other()
    {
        var (question, policy, _) = Read(Case("a plain draft-01 record fits"));
        Gen.Select(Gen.Enum<PersistDialect>(), Gen.Bool, Gen.Bool, Gen.Int[0, 1_000_000]).Sample((dialect, wildcard, ends, ahead) =>
        {
            var until = ends ? question.Now.AddSeconds(ahead) : (DateTimeOffset?)null;
            var record = RecordText.For(dialect, question.Requested.Name, question.Account, policy, wildcard, until);
            var found = new FoundTxt(question.Requested.Name, dialect.Label(), record.Value, 60);
            Assert.Equal(found.OwnerName, record.Owner);
            var decision = PersistDecision.Judge(question, policy, [found]);
            Assert.Equal((PersistOutcome.Valid, dialect, until), (decision.Outcome, decision.Winner?.Dialect, decision.RecordExpires));
            Assert.Equal(dialect == PersistDialect.Draft02, decision.Reusable);
            var other = question with { Account = question.Account with { Id = "124", Url = "https://ca.example/acct/124", Thumbprints = ["OTHERXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"] } };
            Assert.Equal(PersistOutcome.Unauthorized, PersistDecision.Judge(other, policy, [found]).Outcome);
        });
    }

    private static JsonElement Load(string file)
    {
        using var document = JsonDocument.Parse(System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", file)));
        return document.RootElement.Clone();
    }

    private static JsonElement Case(string rule) => File.GetProperty("cases").EnumerateArray().Single(c => c.GetProperty("rule").GetString() == rule);

    private static JsonElement Member(JsonElement vector, string name) => vector.TryGetProperty(name, out var own) ? own
        : File.TryGetProperty(name, out var general) ? general : File.GetProperty("account").TryGetProperty(name, out var account) ? account : default;

    private static ImmutableArray<string> Texts(JsonElement element) => element.ValueKind == JsonValueKind.Array ? [.. element.EnumerateArray().Select(e => e.GetString()!)] : [];

    private static (PersistQuestion Question, PersistPolicy Policy, IReadOnlyList<FoundTxt> Found) Read(JsonElement vector)
    {
        var account = new AccountFacts(
            Member(vector, "id").GetString()!,
            Member(vector, "url").GetString()!,
            Texts(Member(vector, "thumbprints")),
            !vector.TryGetProperty("valid", out var valid) || valid.GetBoolean())
        { FormerUrls = Texts(Member(vector, "formerUrls")) };
        var dialects = Texts(Member(vector, "dialects"));
        var policy = new PersistPolicy(
            [.. Texts(Member(vector, "issuers")).Select(i => IssuerName.Parse(i).Value!)],
            Texts(Member(vector, "prefixes")),
            dialects.IsEmpty ? PersistDialects.All.ToHashSet() : dialects.Select(d => PersistDialects.Read(d)!.Value).ToHashSet())
        {
            RequireExpiry = vector.TryGetProperty("requireExpiry", out var require) && require.GetBoolean(),
            MaxRecords = vector.TryGetProperty("maxRecords", out var records) ? records.GetInt32() : 100,
            MaxBytes = vector.TryGetProperty("maxBytes", out var octets) ? octets.GetInt32() : 64 * 1024,
        };
        var found = vector.GetProperty("records").EnumerateArray().SelectMany(r => Enumerable.Repeat(
            new FoundTxt(
                DnsName.Parse(r.GetProperty("at").GetString()!).Value!,
                r.GetProperty("label").GetString() == "acme" ? PersistLabel.AcmePersist : PersistLabel.ValidationPersist,
                Text(r),
                60),
            r.TryGetProperty("times", out var times) ? times.GetInt32() : 1)).ToList();
        var question = new PersistQuestion(
            CertificateName.Parse(vector.GetProperty("name").GetString()!).Value!,
            account,
            DateTimeOffset.FromUnixTimeSeconds(Member(vector, "now").GetInt64()));
        return (question, policy, found);
    }

    /// <summary>A text, its character-strings joined; with padTo its last octet is repeated up to that length.</summary>
    private static string Text(JsonElement record)
    {
        var text = record.TryGetProperty("strings", out var strings) ? string.Concat(Texts(strings)) : record.GetProperty("text").GetString()!;
        return record.TryGetProperty("padTo", out var length) ? text.PadRight(length.GetInt32(), text[^1]) : text;
    }
}

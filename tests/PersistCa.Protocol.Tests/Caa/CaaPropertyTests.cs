using System.Collections.Immutable;
using CsCheck;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Tests.Caa;

/// <summary>What holds of every zone, whatever is in it.</summary>
public sealed class CaaPropertyTests
{
    private const string Account = "https://ca.example/acct/123";

    private static readonly CaaPolicy Policy = new([IssuerName.Parse("ca.example").Value!]);
    private static readonly DnsName[] Climb = [.. new[] { "www.example.com", "example.com", "com" }.Select(n => DnsName.Parse(n).Value!)];

    private static readonly Gen<string> Tags = OneOf("issue", "issuewild", "iodef", "tbs", "ISSUE", "IssueWild", "issuemail", "is-sue");

    private static readonly Gen<string> Rest = OneOf(
        "", ";", ";;", "; x=y", "; accounturi=" + Account, "; accounturi=https://ca.example/acct/9", $"; accounturi={Account}; accounturi={Account}",
        "; validationmethods=dns-01", "; validationmethods=dns-01,http-01", "; validationmethods=", "; validationmethods=,");

    private static readonly Gen<string> Values = Gen.Select(OneOf("ca.example", " CA.example", "other.example", "", "ca.example.", "%"), Rest, (issuer, rest) => issuer + rest);

    private static readonly Gen<FoundCaa> Records = Gen.OneOf(
        Gen.Select(OneOf<byte>(0, 0, 0, 1, 128), Tags, Values, (flags, tag, value) => new CaaRecord(flags, tag, value).ToRdata()),
        Gen.String[Gen.Char['\0', '\u00FF'], 0, 9]).Select(Gen.Int[-1, 90_000], (rdata, ttl) => new FoundCaa(rdata, ttl));

    /// <summary>Records that permit this authority nothing and are well-formed.</summary>
    private static readonly Gen<FoundCaa> Foreign = Gen.Select(
        OneOf("other.example", "", "%", "ca.example.", "ca.example.other"), Rest, (issuer, rest) => issuer + rest)
        .Select(value => new FoundCaa(new CaaRecord(0, "issue", value).ToRdata(), 300));

    private static readonly Gen<CaaLookupFailure> Failures = Gen.Select(
        Gen.Bool, Gen.Bool, Gen.Bool, (a, b, c) => new CaaLookupFailure("SERVFAIL") { ZoneIsInsecure = a, WasRetried = b, IsTheirs = c });

    private static readonly Gen<CaaAnswer[]> Zones = Gen.Select(Answer(0), Answer(1), Answer(2), (a, b, c) => new[] { a, b, c });

    private static readonly Gen<CaaQuestion> Questions = Gen.Select(
        Gen.Bool, OneOf("dns-01", "http-01", "dns-persist-01"), (wildcard, method) => new CaaQuestion(new CertificateName(Climb[0], wildcard), [Account], method));

    private static Gen<T> OneOf<T>(params T[] values) => Gen.OneOf([.. values.Select(Gen.Const)]);

    private static Gen<CaaAnswer> Answer(int at) => Gen.Frequency(
        (3, Records.Array[0, 5].Select(r => CaaAnswer.Found(Climb[at], [.. r]))),
        (1, Failures.Select(f => CaaAnswer.Failed(Climb[at], f))));

    [Fact]
    public void The_order_of_records_changes_nothing() => Gen.Select(Questions, Records.Array[1, 8]).SelectMany(
        (question, records) => Gen.Shuffle(records.ToArray()).Select(shuffled => (question, records, shuffled))).Sample(t =>
    {
        var (one, two) = (Judge(t.question, t.records), Judge(t.question, t.shuffled));
        Assert.Equal((one.Outcome, one.Reason, one.Detail, one.TtlSeconds), (two.Outcome, two.Reason, two.Detail, two.TtlSeconds));
        Assert.Equal(one.Matched?.Found, two.Matched?.Found);
        Assert.Equal(one.Records.Select(r => r.Found), two.Records.Select(r => r.Found));
    });

    [Fact]
    public void A_foreign_record_anywhere_never_turns_a_prohibition_into_a_permission() => Gen.Select(Questions, Zones, Foreign, Gen.Int[0, 2], Gen.Bool).Sample(
        (question, zone, foreign, at, excuse) =>
        {
            var policy = Policy with { ExcuseInsecureFailures = excuse };
            var before = policy.Judge(question, zone);
            var more = zone.ToArray();
            more[at] = zone[at].Failure is null ? CaaAnswer.Found(Climb[at], zone[at].Records.Add(foreign)) : zone[at];
            var after = policy.Judge(question, more);
            Assert.True(before.Outcome == CaaOutcome.Permitted || after.Outcome != CaaOutcome.Permitted || zone[at].Failure is not null, after.Detail);
        });

    [Fact]
    public void A_permission_by_a_set_with_issue_rests_on_a_record_that_permits_alone() => Gen.Select(Questions, Records.Array[1, 8]).Sample((question, records) =>
    {
        var verdict = Judge(question, records);
        Assert.Equal(verdict.Reason == CaaReason.Authorized, verdict.Matched is not null);
        if (verdict.Matched is { } matched)
        {
            Assert.Contains("ca.example", matched.Record!.Value, StringComparison.OrdinalIgnoreCase);
            var alone = Judge(question, [matched.Found]);

            // issuewild alone says nothing of other names and never decides for them.
            Assert.Equal(CaaReason.Authorized, alone.Reason);
        }
    });

    [Fact]
    public void Records_above_the_relevant_name_change_nothing() => Gen.Select(Questions, Zones, Answer(1), Answer(2)).Sample((question, zone, above, top) =>
    {
        var before = Policy.Judge(question, zone);
        if (zone[0].Records.IsEmpty)
        {
            return;
        }

        var after = Policy.Judge(question, [zone[0], above, top]);
        Assert.Equal((before.Outcome, before.Reason, before.Detail, before.RelevantName), (after.Outcome, after.Reason, after.Detail, after.RelevantName));
    });

    [Fact]
    public void A_failure_that_cannot_be_excused_never_permits() => Gen.Select(Questions, Answer(1), Answer(2), Failures, Gen.Bool).Sample((question, above, top, failure, excuse) =>
    {
        var policy = Policy with { ExcuseInsecureFailures = excuse };
        var verdict = policy.Judge(question, [CaaAnswer.Failed(Climb[0], failure), above, top]);
        Assert.True((excuse && failure.CanBeExcused) || verdict.Reason == CaaReason.LookupFailed);
        Assert.Equal(excuse && failure.CanBeExcused, verdict.Excused.Contains(Climb[0]));
    });

    [Fact]
    public void Every_detail_is_short_and_printable() => Gen.Select(Questions, Zones).Sample((question, zone) =>
    {
        var detail = Policy.Judge(question, zone).Detail;
        Assert.InRange(detail.Length, 10, 2_000);
        Assert.All(detail, c => Assert.InRange(c, ' ', '~'));
    });

    [Fact]
    public void Two_answers_for_one_name_are_a_mistake_of_the_caller()
    {
        var question = new CaaQuestion(new CertificateName(Climb[2], false), [Account], "dns-01");

        Assert.Throws<ArgumentException>(() => Policy.Judge(question, [CaaAnswer.None(Climb[2]), CaaAnswer.None(Climb[2])]));
    }

    [Fact]
    public void The_question_of_an_account_has_its_urls_the_present_one_first()
    {
        var account = new AccountFacts("123", Account, [], IsValid: true) { FormerUrls = ["https://old.example/acct/123"] };

        var question = CaaQuestion.For(new CertificateName(Climb[0], true), account, ChallengeType.DnsPersist01);

        Assert.Equal([Account, "https://old.example/acct/123"], question.AccountUrls.AsEnumerable());
        Assert.Equal("dns-persist-01", question.ValidationMethod);
        Assert.Equal(Climb, question.Climb());
    }

    private static CaaVerdict Judge(CaaQuestion question, FoundCaa[] records) => Policy.Judge(question, [CaaAnswer.Found(Climb[0], records.ToImmutableArray())]);
}

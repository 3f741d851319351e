using Microsoft.Extensions.Time.Testing;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Identifiers;
using PersistCa.Validation.CaaLookup;
using PersistCa.Validation.Dns;
using PersistCa.Validation.Evidence;

namespace PersistCa.Validation.Tests.CaaLookup;

/// <summary>Which names are asked, and what becomes of each kind of answer.</summary>
public sealed class CaaClimbTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
    private static readonly CaaPolicy Policy = new([IssuerName.Parse("ca.example").Value!]);

    private readonly ScriptedResolver resolver = new();
    private readonly FakeTimeProvider time = new(At);

    private static CaaQuestion Question(string name = "www.example.com") => CaaQuestion.For(Sample.Name(name), Sample.Account, ChallengeType.DnsPersist01);

    private static DnsAnswer Failed(string name, DnsStatus status) => new(name, DnsRecordKind.Caa, status) { Attempts = 3, ResponseCode = "OTHER", Reason = "reason" };

    private Task<CaaCheck> CheckAsync(string name = "www.example.com", CaaPolicy? policy = null, CaaModes? modes = null, CaaLookupOptions? options = null, CancellationToken stop = default) =>
        new CaaClimb(resolver, policy ?? Policy, modes ?? CaaModes.Enforced, options ?? new CaaLookupOptions(), time).CheckAsync(Question(name), stop);

    [Fact]
    public async Task Every_name_up_to_the_top_is_asked_and_the_root_is_not()
    {
        var check = await CheckAsync("a.b.example.com");

        Assert.Equal(["a.b.example.com", "b.example.com", "example.com", "com"], resolver.Asked);
        Assert.Equal((CaaReason.NoRecords, true), (check.Result.Verdict.Reason, check.Result.MayIssue));
        Assert.Equal(resolver.Asked, check.Evidence.Lookups!.Select(l => l.Name));
    }

    [Fact]
    public async Task A_wildcard_is_asked_at_its_base_name()
    {
        resolver.Says("example.com", (0, "issue", "ca.example"), (0, "issuewild", ";"));

        var check = await CheckAsync("*.example.com");

        Assert.Equal(["example.com", "com"], resolver.Asked);
        Assert.Equal(CaaReason.NobodyMayIssue, check.Result.Verdict.Reason);
        Assert.True(check.Evidence.Wildcard);
    }

    [Fact]
    public async Task All_names_are_asked_before_any_has_answered()
    {
        var gate = new TaskCompletionSource();
        foreach (var name in new[] { "www.example.com", "example.com", "com" })
        {
            resolver.Says(name, async _ =>
            {
                await gate.Task;
                return new DnsAnswer(name, DnsRecordKind.Caa, DnsStatus.NoData);
            });
        }

        var check = CheckAsync();

        Assert.Equal(3, resolver.Asked.Count);
        gate.SetResult();
        Assert.True((await check).Result.MayIssue);
    }

    [Fact]
    public async Task The_nearest_records_decide()
    {
        resolver.Says("www.example.com", (0, "issue", "other.example")).Says("example.com", (0, "issue", "ca.example"));

        var check = await CheckAsync();

        Assert.Equal((CaaReason.OtherIssuer, "www.example.com"), (check.Result.Verdict.Reason, check.Result.Verdict.RelevantName!.Text));
        Assert.Equal(ProblemCatalog.Caa, check.Result.Problem!.Type);
    }

    [Fact]
    public async Task Records_behind_an_alias_are_those_of_the_name()
    {
        resolver.Says(new DnsAnswer("www.example.com", DnsRecordKind.Caa, DnsStatus.Answered)
        {
            CnameChain = ["host.other.test"],
            Records = [new DnsRecord("host.other.test", DnsRecordKind.Caa, 300, new CaaRecord(0, "issue", "ca.example").ToRdata())],
        }).Says("example.com", (0, "issue", ";"));

        var check = await CheckAsync();

        Assert.Equal((CaaReason.Authorized, "www.example.com"), (check.Result.Verdict.Reason, check.Result.Verdict.RelevantName!.Text));
        Assert.Equal("host.other.test", Assert.Single(check.Evidence.Lookups![0].Cnames!));
    }

    [Fact]
    public async Task An_alias_whose_target_has_no_records_is_climbed_from_the_name_not_from_the_target()
    {
        resolver.Says(new DnsAnswer("www.example.com", DnsRecordKind.Caa, DnsStatus.NoData) { CnameChain = ["host.other.test"] })
            .Says("other.test", (0, "issue", "ca.example"))
            .Says("example.com", (0, "issue", ";"));

        var check = await CheckAsync();

        Assert.Equal((CaaReason.NobodyMayIssue, "example.com"), (check.Result.Verdict.Reason, check.Result.Verdict.RelevantName!.Text));
        Assert.DoesNotContain("other.test", resolver.Asked);
    }

    [Theory]
    [InlineData(DnsStatus.ServFail)]
    [InlineData(DnsStatus.Refused)]
    [InlineData(DnsStatus.OtherError)]
    [InlineData(DnsStatus.Timeout)]
    [InlineData(DnsStatus.Mismatched)]
    [InlineData(DnsStatus.Unusable)]
    [InlineData(DnsStatus.TooLarge)]
    [InlineData(DnsStatus.Bogus)]
    [InlineData(DnsStatus.Unproven)]
    public async Task Every_failure_is_refused_and_can_be_tried_again(DnsStatus status)
    {
        resolver.Says(Failed("www.example.com", status) with { Resolver = "192.0.2.1:53" }).Says("example.com", (0, "issue", "ca.example"));

        var check = await CheckAsync();

        Assert.Equal((CaaOutcome.Unknown, CaaReason.LookupFailed, false), (check.Result.Verdict.Outcome, check.Result.Verdict.Reason, check.Result.MayIssue));
        Assert.Equal((ProblemCatalog.Dns, (int?)CaaResult.RetryAfterSeconds), (check.Result.Problem!.Type, check.Result.Problem.RetryAfterSeconds));
        Assert.Contains("Looking up the CAA records of www.example.com failed: ", check.Result.Problem.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("192.0.2.1", check.Result.Problem.Detail, StringComparison.Ordinal);
        Assert.Equal(("192.0.2.1:53", status.ToString()), (check.Evidence.Lookups![0].Resolver, check.Evidence.Lookups[0].Status));
    }

    [Theory]
    [InlineData(DnsStatus.ServFail, DnsSecurity.Insecure, 2, true)]
    [InlineData(DnsStatus.ServFail, DnsSecurity.Insecure, 1, false)]
    [InlineData(DnsStatus.ServFail, DnsSecurity.NotChecked, 2, false)]
    [InlineData(DnsStatus.ServFail, DnsSecurity.Bogus, 2, false)]
    [InlineData(DnsStatus.ServFail, DnsSecurity.Secure, 2, false)]
    [InlineData(DnsStatus.Timeout, DnsSecurity.Insecure, 2, true)]
    [InlineData(DnsStatus.Timeout, DnsSecurity.Insecure, 1, false)]
    [InlineData(DnsStatus.Timeout, DnsSecurity.NotChecked, 2, false)]
    [InlineData(DnsStatus.Bogus, DnsSecurity.Bogus, 2, false)]
    [InlineData(DnsStatus.Unproven, DnsSecurity.NotChecked, 2, false)]
    [InlineData(DnsStatus.NotSecure, DnsSecurity.Insecure, 2, false)]
    [InlineData(DnsStatus.Refused, DnsSecurity.Insecure, 2, false)]
    [InlineData(DnsStatus.Unusable, DnsSecurity.Insecure, 2, false)]
    [InlineData(DnsStatus.TooLarge, DnsSecurity.Insecure, 2, false)]
    public async Task Only_a_failure_of_others_that_was_retried_in_a_zone_proven_unsigned_is_excused(DnsStatus status, DnsSecurity security, int attempts, bool excused)
    {
        resolver.Says(Failed("www.example.com", status) with { Security = security, Attempts = attempts });

        var strict = await CheckAsync();
        var lenient = await CheckAsync(policy: Policy with { ExcuseInsecureFailures = true });

        Assert.False(strict.Result.MayIssue);
        Assert.Equal(excused, lenient.Result.MayIssue);
        Assert.Equal(excused ? ["www.example.com"] : null, lenient.Evidence.Excused);
    }

    [Theory]
    [InlineData(DnsStatus.Answered)]
    [InlineData(DnsStatus.NoData)]
    [InlineData(DnsStatus.NxDomain)]
    public async Task An_answer_with_bogus_signatures_is_a_failure_whatever_it_says(DnsStatus status)
    {
        resolver.Says(new DnsAnswer("www.example.com", DnsRecordKind.Caa, status)
        {
            Security = DnsSecurity.Bogus,
            Records = status == DnsStatus.Answered ? [new DnsRecord("www.example.com", DnsRecordKind.Caa, 60, new CaaRecord(0, "issue", "ca.example").ToRdata())] : [],
        });

        var check = await CheckAsync(policy: Policy with { ExcuseInsecureFailures = true });

        Assert.Equal(CaaReason.LookupFailed, check.Result.Verdict.Reason);
        Assert.Contains("DNSSEC signatures are not valid", check.Result.Verdict.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_with_too_many_labels_is_asked_so_far_and_refused()
    {
        var check = await CheckAsync("a.b.c.example.com", options: new CaaLookupOptions { MaxLabels = 2 });

        Assert.Equal(["a.b.c.example.com", "b.c.example.com"], resolver.Asked);
        Assert.Equal((CaaReason.NameNotAsked, ProblemCatalog.Caa), (check.Result.Verdict.Reason, check.Result.Problem!.Type));
    }

    [Fact]
    public async Task A_name_with_too_many_labels_can_have_records_near_it()
    {
        resolver.Says("b.c.example.com", (0, "issue", "ca.example"));

        Assert.True((await CheckAsync("a.b.c.example.com", options: new CaaLookupOptions { MaxLabels = 2 })).Result.MayIssue);
    }

    [Fact]
    public void The_longest_name_has_as_many_labels_as_can_be_asked_for()
    {
        Assert.Null(new CaaLookupOptions { MaxLabels = 127 }.FirstOutOfRange());
        Assert.Contains("1 to 127 was expected", new CaaLookupOptions { MaxLabels = 128 }.FirstOutOfRange(), StringComparison.Ordinal);
        Assert.NotNull(new CaaLookupOptions { MaxLabels = 0 }.FirstOutOfRange());
    }

    [Fact]
    public async Task What_is_switched_off_is_not_asked()
    {
        var modes = CaaModes.Create([KeyValuePair.Create("com", CaaMode.Off)]).Value!;

        var check = await CheckAsync(modes: modes);

        Assert.Empty(resolver.Asked);
        Assert.Equal((CaaReason.SwitchedOff, true), (check.Result.Verdict.Reason, check.Result.MayIssue));
        Assert.Equal(("Off", null), (check.Evidence.Mode, check.Evidence.Lookups));
    }

    [Fact]
    public async Task What_is_only_reported_may_be_issued_and_the_evidence_has_the_verdict()
    {
        resolver.Says("www.example.com", (0, "issue", ";"));

        var check = await CheckAsync(modes: CaaModes.Create([KeyValuePair.Create("example.com", CaaMode.Report)]).Value!);

        Assert.True(check.Result is { MayIssue: true, WouldRefuse: true, Problem: null });
        Assert.Equal(("Report", "Forbidden", "NobodyMayIssue", true), (check.Evidence.Mode, check.Evidence.Outcome, check.Evidence.Reason, check.Evidence.MayIssue));
    }

    [Fact]
    public async Task The_age_counts_from_the_first_question()
    {
        resolver.Says("www.example.com", _ =>
        {
            time.Advance(TimeSpan.FromSeconds(9));
            return Task.FromResult(new DnsAnswer("www.example.com", DnsRecordKind.Caa, DnsStatus.NoData));
        });

        var check = await CheckAsync();

        Assert.Equal((At, At.AddHours(8)), (check.Result.CheckedAt, check.Result.FreshUntil));
        Assert.Equal((At, At.AddSeconds(9)), (check.Evidence.StartedAt, check.Evidence.FinishedAt));
    }

    [Fact]
    public async Task The_evidence_holds_every_record_as_zone_files_write_it_and_what_it_comes_to()
    {
        resolver.Says("example.com", (0, "issue", "ca.example; accounturi=" + Sample.Account.Url), (0, "issue", "other.example"), (0, "iodef", "mailto:a@example.com"));

        var evidence = (await CheckAsync()).Evidence;

        Assert.Equal($"0 issue \"ca.example; accounturi={Sample.Account.Url}\"", evidence.Matched);
        Assert.Equal((Sample.Account.Url, "example.com", "Authorized"), (evidence.MatchedAccountUrl, evidence.RelevantName, evidence.Reason));
        Assert.Equal(["DoesNotDecide", "Authorizes", "OtherIssuer"], evidence.Judged!.Select(j => j.Verdict));
        Assert.Equal(["mailto:a@example.com"], evidence.Contacts!);
        Assert.Equal("0 issue \"other.example\"", evidence.Lookups![1].Records![1].Text);
        var json = EvidenceJson.Write(evidence);
        Assert.Equal(json, EvidenceJson.Write(EvidenceJson.ReadCaa(json)));
        Assert.DoesNotContain("null", json, StringComparison.Ordinal);
        Assert.DoesNotContain("\\u0000", json, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Evidence_of_many_long_records_fits_its_limit()
    {
        resolver.Says("www.example.com", [.. Enumerable.Range(0, 100).Select(i => ((byte)0, "issue", $"{i}.example; a={new string('x', 600)}"))]);

        var json = EvidenceJson.Write((await CheckAsync()).Evidence, new EvidenceLimits { MaxOctets = EvidenceLimits.LeastOctets });

        Assert.InRange(json.Length, 1, EvidenceLimits.LeastOctets);
        Assert.NotNull(EvidenceJson.ReadCaa(json).Omitted);
    }

    [Fact]
    public async Task Whoever_cancels_gets_no_verdict()
    {
        using var stop = new CancellationTokenSource();
        resolver.Says("com", async token =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, token);
            throw new InvalidOperationException("not reached");
        });

        var check = CheckAsync(stop: stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => check);
    }
}

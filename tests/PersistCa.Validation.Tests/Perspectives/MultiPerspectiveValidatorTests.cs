using Microsoft.Extensions.Time.Testing;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Mpic;
using PersistCa.Validation.Challenges;
using PersistCa.Validation.Evidence;
using PersistCa.Validation.Perspectives;

namespace PersistCa.Validation.Tests.Perspectives;

/// <summary>When perspectives are asked, for how long, and what becomes of their verdicts.</summary>
public sealed class MultiPerspectiveValidatorTests
{
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 24, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task All_are_asked_at_once()
    {
        var waiting = 4;
        var all = new TaskCompletionSource();
        var panel = Panel(4, async (p, _, cancel) =>
        {
            if (Interlocked.Decrement(ref waiting) == 0)
            {
                all.SetResult();
            }

            await all.Task.WaitAsync(cancel);
            return Report(p, PerspectiveFinding.Corroborates);
        });

        Assert.Equal("4/4", (await ValidateAsync(panel)).Evidence.Quorum?.Text);
    }

    [Fact]
    public async Task Who_says_nothing_until_the_deadline_has_failed_and_the_others_count()
    {
        var panel = Panel(4, async (p, _, cancel) =>
        {
            if (p.Id == "p2")
            {
                var stopped = new TaskCompletionSource();
                await using var registered = cancel.Register(() => stopped.TrySetCanceled(cancel));
                time.Advance(TimeSpan.FromSeconds(5));
                await stopped.Task;
            }

            return Report(p, PerspectiveFinding.Corroborates);
        });

        var result = await ValidateAsync(panel);

        Assert.Equal((true, "3/4"), (result.IsValid, result.Evidence.Quorum?.Text));
        Assert.Contains("did not answer within 5 seconds", result.Evidence.Perspectives![2].Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4, 3, 0, true)]
    [InlineData(6, 4, 0, true)]
    [InlineData(4, 0, 2, false)]
    [InlineData(6, 1, 3, false)]
    public async Task When_the_verdict_cannot_change_the_silent_are_waited_for_during_the_grace_only(int count, int corroborate, int differ, bool valid)
    {
        var stopped = 0;
        var panel = Panel(count, (p, _, cancel) =>
        {
            var n = int.Parse(p.Id[1..], System.Globalization.CultureInfo.InvariantCulture);
            return n < corroborate + differ ? Task.FromResult(Report(p, n < corroborate ? PerspectiveFinding.Corroborates : PerspectiveFinding.Differs)) : SilentAsync(() => stopped++, cancel);
        }) with
        { Grace = TimeSpan.FromMilliseconds(300) };

        var running = ValidateAsync(panel);
        time.Advance(TimeSpan.FromMilliseconds(299));
        Assert.False(running.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        var result = await running;

        Assert.Equal((valid, $"{corroborate}/{count}"), (result.IsValid, result.Evidence.Quorum?.Text));
        var late = result.Evidence.Perspectives!.Skip(corroborate + differ).ToList();
        Assert.All(late, p => Assert.Equal(("NotWaitedFor", "Not waited for: the verdict could not change any more."), (p.Finding, p.Reason)));
        Assert.Equal(late.Count, stopped);
    }

    [Theory]
    [InlineData(4, 2, 1)]
    [InlineData(4, 2, 0)]
    [InlineData(6, 3, 2)]
    [InlineData(1, 0, 0)]
    public async Task While_one_of_the_silent_can_change_the_verdict_they_are_waited_for_until_the_deadline(int count, int corroborate, int differ)
    {
        var panel = Panel(count, (p, _, cancel) =>
        {
            var n = int.Parse(p.Id[1..], System.Globalization.CultureInfo.InvariantCulture);
            return n < corroborate + differ ? Task.FromResult(Report(p, n < corroborate ? PerspectiveFinding.Corroborates : PerspectiveFinding.Differs)) : SilentAsync(() => { }, cancel);
        }) with
        { Grace = TimeSpan.Zero };

        var running = ValidateAsync(panel);
        time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(running.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));

        var result = await running;
        Assert.False(result.IsValid);
        Assert.All(result.Evidence.Perspectives!.Skip(corroborate + differ), p => Assert.Contains(p.Finding, new[] { "Failed", "NotWaitedFor" }));
    }

    [Fact]
    public async Task A_second_region_that_only_the_silent_can_bring_is_waited_for()
    {
        var answer = new TaskCompletionSource();
        var panel = new PerspectivePanel(
            "cabf-br",
            MpicQuorum.CabfBr,
            [.. Enumerable.Range(0, 5).Select(i => new ScriptedPerspective($"p{i}", Look) { Region = i < 4 ? "arin" : "apnic" })],
            TimeSpan.FromSeconds(5))
        { Grace = TimeSpan.Zero };

        var running = ValidateAsync(panel);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(running.IsCompleted);
        answer.SetResult();

        Assert.Equal("5/5", (await running).Evidence.Quorum?.Text);

        async Task<PerspectiveReport> Look(IPerspective p, PerspectiveQuestion question, CancellationToken cancel)
        {
            if (p.Id == "p4")
            {
                await answer.Task.WaitAsync(cancel);
            }

            return Report(p, PerspectiveFinding.Corroborates);
        }
    }

    [Fact]
    public async Task Who_answers_within_the_grace_stands_in_the_evidence()
    {
        var answer = new TaskCompletionSource();
        var panel = Panel(4, async (p, _, cancel) =>
        {
            if (p.Id == "p3")
            {
                await answer.Task.WaitAsync(cancel);
            }

            return Report(p, p.Id == "p3" ? PerspectiveFinding.Differs : PerspectiveFinding.Corroborates);
        });

        var running = ValidateAsync(panel);
        time.Advance(TimeSpan.FromMilliseconds(200));
        answer.SetResult();
        var result = await running;

        Assert.Equal((true, "3/4", "Differs"), (result.IsValid, result.Evidence.Quorum?.Text, result.Evidence.Perspectives![3].Finding));
    }

    private static async Task<PerspectiveReport> SilentAsync(Action stopped, CancellationToken cancel)
    {
        var never = new TaskCompletionSource<PerspectiveReport>();
        await using var registered = cancel.Register(() =>
        {
            stopped();
            never.TrySetCanceled(cancel);
        });
        return await never.Task;
    }

    [Fact]
    public async Task A_caller_that_gives_up_ends_it_without_a_verdict()
    {
        using var gaveUp = new CancellationTokenSource();
        var panel = Panel(2, async (_, _, cancel) =>
        {
            await gaveUp.CancelAsync();
            cancel.ThrowIfCancellationRequested();
            throw new InvalidOperationException("it was not told");
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Validator(panel).ValidateAsync(Sample.Attempt(), gaveUp.Token));
    }

    [Fact]
    public async Task Nobody_is_asked_after_a_failure_here()
    {
        var panel = Panel(4, (_, _, _) => throw new InvalidOperationException("asked"));

        var result = await Validator(panel, new AcmeProblem(ProblemCatalog.Dns, "here")).ValidateAsync(Sample.Attempt(), default);

        Assert.Equal("here", result.Problem?.Detail);
        Assert.Null(result.Evidence.Perspectives);
    }

    [Theory]
    [InlineData(PerspectiveFinding.Differs, PerspectiveFinding.Failed, "unauthorized", "From elsewhere: Differs")]
    [InlineData(PerspectiveFinding.Failed, PerspectiveFinding.Failed, "dns", "From elsewhere: Failed")]
    public async Task A_refusal_tells_what_contradicts_before_what_failed(PerspectiveFinding first, PerspectiveFinding second, string type, string detail)
    {
        var panel = Panel(4, (p, _, _) => Task.FromResult(Report(p, p.Id == "p0" ? first : p.Id == "p3" ? second : PerspectiveFinding.Corroborates)));

        var result = await ValidateAsync(panel);

        Assert.Equal(type, result.Problem?.Type.Name);
        Assert.Contains("2 of 4 remote perspectives see", result.Problem!.Detail, StringComparison.Ordinal);
        Assert.Contains(detail, result.Problem.Detail, StringComparison.Ordinal);
        Assert.Equal((false, type, result.Problem.Detail), (result.Evidence.Valid, result.Evidence.Problem, result.Evidence.Reason));
        Assert.False(result.Reusable);
        Assert.DoesNotContain("p0", result.Problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_perspective_is_told_the_account_that_won_here()
    {
        var told = new List<string?>();
        var panel = Panel(1, (p, q, _) =>
        {
            told.Add(q.Account);
            return Task.FromResult(Report(p, PerspectiveFinding.Corroborates));
        });

        await ValidateAsync(panel);

        Assert.Equal(["https://ca.example/acct/123"], told);
    }

    [Fact]
    public async Task Evidence_of_many_perspectives_fits_and_leaves_none_out()
    {
        var lookups = Enumerable.Range(0, 8).Select(i => new LookupEvidence
        {
            Name = new string('n', 250),
            Type = "TXT",
            Status = "Answered",
            Reason = new string('r', 400),
            Records = [.. Enumerable.Range(0, 60).Select(_ => new FoundRecordEvidence(new string('\u00FF', 900), 0))],
            Reply = new string('A', 4000),
        }).ToList();
        var panel = Panel(12, (p, _, _) =>
        {
            var report = Report(p, PerspectiveFinding.Differs);
            return Task.FromResult(report with { Evidence = report.Evidence with { Lookups = lookups, Reason = new string('\u00E9', 3000), Trouble = new string('\u00E9', 3000), CaaRecords = [new string('c', 900)] } });
        });
        var evidence = (await ValidateAsync(panel)).Evidence with { Lookups = lookups };

        var read = EvidenceJson.Read(EvidenceJson.Write(evidence, new EvidenceLimits { MaxOctets = EvidenceLimits.LeastOctets }));

        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"p{i} Differs"), read.Perspectives!.Select(p => $"{p.Id} {p.Finding}"));
        Assert.Equal("0/12", read.Quorum?.Text);
        Assert.NotNull(read.Omitted);
    }

    private static PerspectiveReport Report(IPerspective p, PerspectiveFinding finding) => new(
        new PerspectiveVerdict(p.Id, p.Region, finding, $"{finding}."),
        new PerspectiveEvidence { Id = p.Id, Region = p.Region, Finding = finding.ToString(), Reason = $"{finding}." });

    private static PerspectivePanel Panel(int count, Func<IPerspective, PerspectiveQuestion, CancellationToken, Task<PerspectiveReport>> look) =>
        new("private", MpicQuorum.Private, [.. Enumerable.Range(0, count).Select(i => new ScriptedPerspective($"p{i}", look))], TimeSpan.FromSeconds(5));

    private MultiPerspectiveValidator Validator(PerspectivePanel panel, AcmeProblem? problem = null) => new(new ScriptedPrimary(problem), panel, time);

    private Task<ChallengeResult> ValidateAsync(PerspectivePanel panel) => Validator(panel).ValidateAsync(Sample.Attempt(), default);

    private sealed class ScriptedPerspective(string id, Func<IPerspective, PerspectiveQuestion, CancellationToken, Task<PerspectiveReport>> look) : IPerspective
    {
        public string Id => id;

        public string Region { get; init; } = "";

        public Task<PerspectiveReport> LookAsync(PerspectiveQuestion question, CancellationToken cancellationToken) => look(this, question, cancellationToken);
    }

    private sealed class ScriptedPrimary(AcmeProblem? problem) : IChallengeValidator
    {
        public ChallengeType Type => ChallengeType.DnsPersist01;

        public Task<ChallengeResult> ValidateAsync(ChallengeAttempt attempt, CancellationToken cancellationToken)
        {
            var record = new AttemptRecord(Type, attempt, TimeProvider.System);
            return Task.FromResult(problem is null ? record.Valid("it fits") with { ProvenAccounts = [attempt.Account.Url] } : record.Invalid(problem));
        }
    }
}

using System.Collections.Immutable;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Mpic;
using PersistCa.Validation.CaaLookup;
using PersistCa.Validation.Evidence;

namespace PersistCa.Validation.Perspectives;

/// <summary>Remote perspectives and the rules they are counted by.</summary>
/// <param name="Regime">The rules' name, for the evidence: private or cabf-br.</param>
/// <param name="Quorum">How many must see the same.</param>
/// <param name="Perspectives">All that are asked, each time.</param>
/// <param name="Deadline">Longest time for one look.</param>
public sealed record PerspectivePanel(string Regime, MpicQuorum Quorum, ImmutableArray<IPerspective> Perspectives, TimeSpan Deadline) : IDisposable
{
    /// <summary>
    /// Adds to a CAA check of the primary what the perspectives see (BR section 3.2.2.9: each must conclude that the records permit). Nobody is asked where
    /// the primary refuses already or the check refuses nothing in any case.
    /// </summary>
    /// <param name="question">What the primary asked.</param>
    /// <param name="method">The challenge by which control was proved.</param>
    /// <param name="here">What the primary found.</param>
    /// <param name="time">The time.</param>
    /// <param name="cancellationToken">Ends the looks.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<CaaCheck> CorroborateAsync(
        CaaQuestion question, Protocol.Authorizations.ChallengeType method, CaaCheck here, TimeProvider time, CancellationToken cancellationToken)
    {
        if (here.Result is not { MayIssue: true, Mode: CaaMode.Enforce })
        {
            return here;
        }

        var view = await AskAsync(new PerspectiveQuestion(method, null) { Caa = question }, time, cancellationToken).ConfigureAwait(false);
        var evidence = here.Evidence with { FinishedAt = time.GetUtcNow(), Quorum = view.Quorum, Perspectives = view.Perspectives };
        if (view.Decision.IsSatisfied)
        {
            return here with { Evidence = evidence };
        }

        var refused = here.Result with
        {
            Verdict = new CaaVerdict(CaaOutcome.Unknown, CaaReason.NotCorroborated, $"The CAA records seen from here allow {question.Requested.Text}, but {view.Sentence}"),
        };
        return new CaaCheck(refused, evidence with
        {
            Outcome = refused.Verdict.Outcome.ToString(),
            Reason = refused.Verdict.Reason.ToString(),
            Detail = refused.Verdict.Detail,
            MayIssue = refused.MayIssue,
            FreshUntil = refused.FreshUntil,
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var perspective in Perspectives.OfType<IDisposable>())
        {
            perspective.Dispose();
        }
    }

    /// <summary>Once no silent perspective can change the verdict any more: how long they are waited for all the same, so that evidence has them.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Asks all at once, and waits for each until its deadline, or until the verdict cannot change and the grace is over. Who is not waited for counts as not
    /// corroborating: the number that may miss is of all that were asked (BR section 3.2.2.9).
    /// </summary>
    internal async Task<PanelView> AskAsync(PerspectiveQuestion question, TimeProvider time, CancellationToken cancellationToken)
    {
        using var settled = new CancellationTokenSource();
        var started = time.GetTimestamp();
        var looks = Perspectives.Select(p => LookAsync(p, question, time, settled.Token, cancellationToken)).ToList();
        var open = looks.Cast<Task>().ToList();
        var reports = new PerspectiveReport?[looks.Count];
        Task? grace = null;
        while (open.Count > 0)
        {
            var next = await Task.WhenAny(grace is null ? open : open.Append(grace)).ConfigureAwait(false);
            await next.ConfigureAwait(false);
            if (next is not Task<PerspectiveReport> look)
            {
                break;
            }

            open.Remove(look);
            reports[looks.IndexOf(look)] = await look.ConfigureAwait(false);
            grace ??= open.Count > 0 && IsSettled(reports, time.GetUtcNow()) ? Task.Delay(Grace, time, cancellationToken) : null;
        }

        // A report that comes from here on is too late: what is decided and what is kept must be the same.
        await settled.CancelAsync().ConfigureAwait(false);
        var all = reports.Select((r, i) => r ?? NotWaitedFor(Perspectives[i], time.GetElapsedTime(started))).ToImmutableArray();
        return new PanelView(Regime, Quorum.Decide([.. all.Select(r => r.Verdict)], time.GetUtcNow()), all);
    }

    /// <summary>Whether the verdict is the same if all that are silent corroborate, and if none does.</summary>
    private bool IsSettled(PerspectiveReport?[] reports, DateTimeOffset now)
    {
        MpicDecision If(PerspectiveFinding silent) => Quorum.Decide(
            [.. reports.Select((r, i) => r?.Verdict ?? new PerspectiveVerdict(Perspectives[i].Id, Perspectives[i].Region, silent, ""))], now);

        return If(PerspectiveFinding.NotWaitedFor).IsSatisfied || !If(PerspectiveFinding.Corroborates).IsSatisfied;
    }

    private static PerspectiveReport NotWaitedFor(IPerspective perspective, TimeSpan elapsed)
    {
        var report = Sighting.Silent(perspective, "Not waited for: the verdict could not change any more.", null, elapsed);
        return report with
        {
            Verdict = report.Verdict with { Finding = PerspectiveFinding.NotWaitedFor },
            Evidence = report.Evidence with { Finding = nameof(PerspectiveFinding.NotWaitedFor) },
        };
    }

    private async Task<PerspectiveReport> LookAsync(IPerspective perspective, PerspectiveQuestion question, TimeProvider time, CancellationToken settled, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token, settled);
        var started = time.GetTimestamp();
        try
        {
            return await perspective.LookAsync(question, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Sighting.Silent(perspective, $"A remote perspective did not answer within {Deadline.TotalSeconds:0.##} seconds.", null, time.GetElapsedTime(started));
        }
    }
}

/// <summary>What a panel saw in one round.</summary>
/// <param name="Regime">The rules' name.</param>
/// <param name="Decision">What it comes to.</param>
/// <param name="Reports">One of each perspective.</param>
internal sealed record PanelView(string Regime, MpicDecision Decision, ImmutableArray<PerspectiveReport> Reports)
{
    /// <summary>The quorum as evidence.</summary>
    public QuorumEvidence Quorum => new(Decision.Text, Decision.IsSatisfied, Decision.Reason.ToString(), Regime) { Regions = Decision.Regions.IsEmpty ? null : [.. Decision.Regions] };

    /// <summary>Each perspective as evidence.</summary>
    public IReadOnlyList<PerspectiveEvidence> Perspectives => [.. Reports.Select(r => r.Evidence)];

    /// <summary>The first verdict that contradicts, else the first that failed; null when all corroborate.</summary>
    public PerspectiveVerdict? Objection => Reports.Select(r => r.Verdict).Where(v => v.Finding != PerspectiveFinding.Corroborates).OrderBy(v => v.Finding).FirstOrDefault();

    /// <summary>The end of a sentence for the account's owner: the quorum, and what can be mended. Ids and addresses of perspectives are not told.</summary>
    public string Sentence => $"{Decision.Detail}.{(Objection is { } first ? " From elsewhere: " + first.Reason : "")}";
}

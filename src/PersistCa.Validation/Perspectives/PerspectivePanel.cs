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

    /// <summary>Asks all at once, and waits for each until its deadline.</summary>
    internal async Task<PanelView> AskAsync(PerspectiveQuestion question, TimeProvider time, CancellationToken cancellationToken)
    {
        var reports = await Task.WhenAll(Perspectives.Select(p => LookAsync(p, question, time, cancellationToken))).ConfigureAwait(false);
        return new PanelView(Regime, Quorum.Decide([.. reports.Select(r => r.Verdict)], time.GetUtcNow()), [.. reports]);
    }

    private async Task<PerspectiveReport> LookAsync(IPerspective perspective, PerspectiveQuestion question, TimeProvider time, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
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

using System.Collections.Immutable;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Mpic;
using PersistCa.Validation.Challenges;
using PersistCa.Validation.Evidence;

namespace PersistCa.Validation.Perspectives;

/// <summary>Remote perspectives and the rules they are counted by.</summary>
/// <param name="Regime">The rules' name, for the evidence: private or cabf-br.</param>
/// <param name="Quorum">How many must see the same.</param>
/// <param name="Perspectives">All that are asked, each time.</param>
/// <param name="Deadline">Longest time for one look.</param>
public sealed record PerspectivePanel(string Regime, MpicQuorum Quorum, ImmutableArray<IPerspective> Perspectives, TimeSpan Deadline) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var perspective in Perspectives.OfType<IDisposable>())
        {
            perspective.Dispose();
        }
    }
}

/// <summary>
/// Validates from several places (BR section 3.2.2.9): the primary first, and only after its success the remote perspectives, all at once. Every one is
/// waited for until its deadline, since each one's verdict has to be logged; nothing of an earlier attempt counts.
/// </summary>
/// <param name="primary">The validator here.</param>
/// <param name="panel">The remote perspectives.</param>
/// <param name="time">The time.</param>
public sealed class MultiPerspectiveValidator(IChallengeValidator primary, PerspectivePanel panel, TimeProvider time) : IChallengeValidator
{
    /// <inheritdoc/>
    public ChallengeType Type => primary.Type;

    /// <summary>Validators that ask the panel after each of those given.</summary>
    public static ChallengeValidators Over(ChallengeValidators primary, PerspectivePanel panel, TimeProvider time) =>
        new(ChallengeTypes.All.Select(t => new MultiPerspectiveValidator(primary.For(t), panel, time)));

    /// <inheritdoc/>
    public async Task<ChallengeResult> ValidateAsync(ChallengeAttempt attempt, CancellationToken cancellationToken)
    {
        var here = await primary.ValidateAsync(attempt, cancellationToken).ConfigureAwait(false);
        if (!here.IsValid)
        {
            return here;
        }

        var question = PerspectiveQuestion.After(attempt, Type, here);
        var reports = await Task.WhenAll(panel.Perspectives.Select(p => LookAsync(p, question, cancellationToken))).ConfigureAwait(false);
        var now = time.GetUtcNow();
        var decision = panel.Quorum.Decide([.. reports.Select(r => r.Verdict)], now);
        var evidence = here.Evidence with
        {
            FinishedAt = now,
            Quorum = new QuorumEvidence(decision.Text, decision.IsSatisfied, decision.Reason.ToString(), panel.Regime) { Regions = decision.Regions.IsEmpty ? null : [.. decision.Regions] },
            Perspectives = [.. reports.Select(r => r.Evidence)],
        };
        if (decision.IsSatisfied)
        {
            return here with { Evidence = evidence };
        }

        var problem = Problem(attempt, decision, reports);
        return (here with { Evidence = evidence }).Refused(problem);
    }

    private async Task<PerspectiveReport> LookAsync(IPerspective perspective, PerspectiveQuestion question, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(panel.Deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        var started = time.GetTimestamp();
        try
        {
            return await perspective.LookAsync(question, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Sighting.Silent(perspective, $"A remote perspective did not answer within {panel.Deadline.TotalSeconds:0.##} seconds.", null, time.GetElapsedTime(started));
        }
    }

    // What the owner can mend is told: the first verdict that contradicts, else the first that failed. Ids and addresses of perspectives are not.
    private static AcmeProblem Problem(ChallengeAttempt attempt, MpicDecision decision, PerspectiveReport[] reports)
    {
        var first = reports.Select(r => r.Verdict).Where(v => v.Finding != PerspectiveFinding.Corroborates).OrderBy(v => v.Finding).FirstOrDefault();
        var type = decision.Reason is MpicReason.TooFewAsked or MpicReason.TooFewRegions ? ProblemCatalog.ServerInternal
            : first?.Finding == PerspectiveFinding.Differs ? ProblemCatalog.Unauthorized
            : ProblemCatalog.Dns;
        return new AcmeProblem(type, $"Control of {attempt.Identifier.Text} was proved from here, but {decision.Detail}.{(first is null ? "" : " From elsewhere: " + first.Reason)}");
    }
}

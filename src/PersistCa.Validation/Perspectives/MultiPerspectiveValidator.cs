using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Mpic;
using PersistCa.Validation.Challenges;

namespace PersistCa.Validation.Perspectives;

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

        var view = await panel.AskAsync(PerspectiveQuestion.After(attempt, Type, here), time, cancellationToken).ConfigureAwait(false);
        var evidence = here.Evidence with { FinishedAt = time.GetUtcNow(), Quorum = view.Quorum, Perspectives = view.Perspectives };
        if (view.Decision.IsSatisfied)
        {
            return here with { Evidence = evidence };
        }

        var problem = Problem(attempt, view);
        return (here with { Evidence = evidence }).Refused(problem);
    }

    private static AcmeProblem Problem(ChallengeAttempt attempt, PanelView view)
    {
        var type = view.Decision.Reason is MpicReason.TooFewAsked or MpicReason.TooFewRegions ? ProblemCatalog.ServerInternal
            : view.Objection?.Finding == PerspectiveFinding.Differs ? ProblemCatalog.Unauthorized
            : ProblemCatalog.Dns;
        return new AcmeProblem(type, $"Control of {attempt.Identifier.Text} was proved from here, but {view.Sentence}");
    }
}

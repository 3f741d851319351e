using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Mpic;
using PersistCa.Validation.Challenges;
using PersistCa.Validation.Evidence;

namespace PersistCa.Validation.Perspectives;

/// <summary>What one perspective saw, before it is compared with the primary.</summary>
/// <param name="Control">The proof of control as it looks from there; null when only CAA was asked.</param>
/// <param name="Caa">CAA as it looks from there; null when it was not asked.</param>
internal sealed record Sighting(ChallengeResult? Control, CaaResult? Caa)
{
    /// <summary>What the perspective itself thinks of the proof of control; null when it has no opinion of its own.</summary>
    public bool? OwnOpinion { get; init; }

    /// <summary>The same of CAA.</summary>
    public bool? OwnOpinionOfCaa { get; init; }

    /// <summary>What went wrong on the way, null for nothing.</summary>
    public string? Trouble { get; init; }

    /// <summary>Compares with the primary: the one place where it is decided what corroborates. Pure.</summary>
    /// <param name="perspective">Who saw it.</param>
    /// <param name="question">What the primary saw.</param>
    /// <param name="elapsed">How long it took.</param>
    public PerspectiveReport Judge(IPerspective perspective, PerspectiveQuestion question, TimeSpan elapsed)
    {
        var (finding, reason) = Find(question);
        var account = finding == PerspectiveFinding.Corroborates && Control is not null && question.Type == ChallengeType.DnsPersist01 ? question.Account : null;
        var evidence = Control?.Evidence;
        return new PerspectiveReport(
            new PerspectiveVerdict(perspective.Id, perspective.Region, finding, reason) { Account = account },
            new PerspectiveEvidence
            {
                Id = perspective.Id,
                Region = perspective.Region,
                Finding = finding.ToString(),
                Reason = reason,
                Account = account,
                OwnOpinion = OwnOpinion,
                OwnOpinionOfCaa = OwnOpinionOfCaa,
                Trouble = Trouble,
                Milliseconds = (long)elapsed.TotalMilliseconds,
                Lookups = evidence?.Lookups,
                Judged = evidence?.Judged,
                Caa = Caa?.Verdict.Reason.ToString(),
                CaaRecords = Caa is null || Caa.Verdict.Records.IsEmpty ? null : [.. Caa.Verdict.Records.Select(r => CaaRecord.Present(r.Found.Rdata))],
            });
    }

    /// <summary>The report of a perspective that said nothing that could be judged.</summary>
    public static PerspectiveReport Silent(IPerspective perspective, string reason, string? trouble, TimeSpan elapsed) => new(
        new PerspectiveVerdict(perspective.Id, perspective.Region, PerspectiveFinding.Failed, reason),
        new PerspectiveEvidence
        {
            Id = perspective.Id,
            Region = perspective.Region,
            Finding = nameof(PerspectiveFinding.Failed),
            Reason = reason,
            Trouble = trouble,
            Milliseconds = (long)elapsed.TotalMilliseconds,
        });

    private (PerspectiveFinding Finding, string Reason) Find(PerspectiveQuestion question)
    {
        if (Control is null && Caa is null)
        {
            return (PerspectiveFinding.Failed, "Nothing was looked at from there.");
        }

        if (Control?.Problem is { } problem)
        {
            // Who could not look has not contradicted; neither corroborates, but the log tells them apart.
            var failed = problem.Type == ProblemCatalog.Dns || problem.Type == ProblemCatalog.Connection || problem.Type == ProblemCatalog.ServerInternal;
            return (failed ? PerspectiveFinding.Failed : PerspectiveFinding.Differs, problem.Detail);
        }

        // BR section 3.2.2.4.22: the same accounturi as the primary. One of the records that fit there is enough; which of them wins there is no matter.
        if (Control is not null && question.Type == ChallengeType.DnsPersist01 && (question.Account is null || !Control.ProvenAccounts.Contains(question.Account)))
        {
            return (PerspectiveFinding.Differs, $"The records seen from there name the account as {string.Join(", ", Control.ProvenAccounts)}, not as {question.Account}.");
        }

        // BR section 3.2.2.9: of CAA a perspective must conclude that it permits. Where the operator does not enforce it, it decides nothing here either.
        return Caa is { MayIssue: false } result
            ? (result.Verdict.Outcome == CaaOutcome.Unknown ? PerspectiveFinding.Failed : PerspectiveFinding.Differs, result.Verdict.Detail)
            : (PerspectiveFinding.Corroborates, Control?.Evidence.Reason ?? Caa!.Verdict.Detail);
    }
}

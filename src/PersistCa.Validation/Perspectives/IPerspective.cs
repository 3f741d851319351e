using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Mpic;
using PersistCa.Validation.Challenges;
using PersistCa.Validation.Evidence;

namespace PersistCa.Validation.Perspectives;

/// <summary>What a remote perspective is asked after the primary had success.</summary>
/// <param name="Type">The challenge by which control was proved.</param>
/// <param name="Attempt">What the primary validated; null to ask for CAA alone.</param>
public sealed record PerspectiveQuestion(ChallengeType Type, ChallengeAttempt? Attempt)
{
    /// <summary>dns-persist-01: the account of the primary's record as it is written there; null for other challenges.</summary>
    public string? Account { get; init; }

    /// <summary>What CAA is asked, null for addresses, which have no CAA.</summary>
    public CaaQuestion? Caa { get; init; }

    /// <summary>The question about what the primary saw.</summary>
    public static PerspectiveQuestion After(ChallengeAttempt attempt, ChallengeType type, ChallengeResult primary) => new(type, attempt)
    {
        Account = primary.ProvenAccounts.FirstOrDefault(),
        Caa = attempt.Identifier is Protocol.Identifiers.CertificateName name ? CaaQuestion.For(name, attempt.Account, type) : null,
    };
}

/// <summary>What a remote perspective comes to, and what it saw.</summary>
/// <param name="Verdict">The verdict.</param>
/// <param name="Evidence">What to keep.</param>
public sealed record PerspectiveReport(PerspectiveVerdict Verdict, PerspectiveEvidence Evidence);

/// <summary>A place from which a name looks as it looks from there (BR section 3.2.2.9). Two share no cache and no result.</summary>
public interface IPerspective
{
    /// <summary>Its id, unique among those of an authority.</summary>
    public string Id { get; }

    /// <summary>Its region; empty for unknown.</summary>
    public string Region { get; }

    /// <summary>Looks afresh. What goes wrong there is a verdict, never an exception.</summary>
    /// <param name="question">What the primary saw proved.</param>
    /// <param name="cancellationToken">Ends the look.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<PerspectiveReport> LookAsync(PerspectiveQuestion question, CancellationToken cancellationToken);
}

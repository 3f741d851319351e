using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;
using PersistCa.Validation.Evidence;

namespace PersistCa.Validation.Challenges;

/// <summary>What is to be validated, for whom.</summary>
/// <param name="Identifier">The name, wildcard or not, or the address.</param>
/// <param name="Token">The challenge's token; not used by dns-persist-01.</param>
/// <param name="Account">The account, read live for this attempt.</param>
public sealed record ChallengeAttempt(Identifier Identifier, string Token, AccountFacts Account)
{
    /// <summary>The name, for challenges that prove no address.</summary>
    /// <exception cref="InvalidOperationException">It is an address: such an attempt is refused before anything is asked.</exception>
    public CertificateName Name => Identifier as CertificateName ?? throw new InvalidOperationException("the attempt is for an address");

    /// <summary>dns-persist-01: where the client says that its record stands, null when it says nothing.</summary>
    public DnsName? RecordAt { get; init; }

    /// <summary>Whether the names under it are to be proved too (RFC 9444).</summary>
    public bool WithSubdomains { get; init; }

    /// <summary>Whether the server looks by itself, before the client asks it to.</summary>
    public bool JustInTime { get; init; }

    /// <summary>Key authorization (RFC 8555 section 8.1), with the current account key.</summary>
    public string KeyAuthorization => $"{Token}.{Account.CurrentThumbprint}";

    /// <summary>SHA-256 of the key authorization. Set by a perspective that is told the digest and nothing else; it follows from the rest otherwise.</summary>
    public ImmutableArray<byte> KeyAuthorizationDigest
    {
        get => field.IsDefault ? [.. SHA256.HashData(Encoding.ASCII.GetBytes(KeyAuthorization))] : field;
        init;
    }
}

/// <summary>The verdict of one attempt.</summary>
/// <param name="IsValid">Whether control was proved.</param>
/// <param name="Problem">Why not; null when it was.</param>
/// <param name="Evidence">What was seen.</param>
public sealed record ChallengeResult(bool IsValid, AcmeProblem? Problem, ValidationEvidence Evidence)
{
    /// <summary>The moment the proof itself ends, which the authorization must not outlive (dns-persist-01 rules, section 6.6); null when it has no end.</summary>
    public DateTimeOffset? RecordExpires { get; init; }

    /// <summary>Whether other orders may use the authorization (dns-persist-01 rules, section 6.6). Always true for the other challenges.</summary>
    public bool Reusable { get; init; }

    /// <summary>Dialect of the record that fitted; null for the other challenges and for failures.</summary>
    public PersistDialect? Dialect { get; init; }

    /// <summary>
    /// dns-persist-01: the accounts of the records that fit, exactly as they are written, the winner's first. What a remote perspective must have seen too
    /// (BR section 3.2.2.4.22: the same accounturi). Empty for the other challenges and for failures.
    /// </summary>
    public ImmutableArray<string> ProvenAccounts { get; init; } = [];

    /// <summary>The result of an attempt that its caller ended because it took too long.</summary>
    /// <param name="type">The challenge.</param>
    /// <param name="attempt">The attempt.</param>
    /// <param name="startedAt">When it began.</param>
    /// <param name="finishedAt">When it was ended.</param>
    /// <param name="deadline">How long it was allowed to take.</param>
    public static ChallengeResult DeadlinePassed(
        ChallengeType type, ChallengeAttempt attempt, DateTimeOffset startedAt, DateTimeOffset finishedAt, TimeSpan deadline) =>
        new AttemptRecord(type, attempt, startedAt, () => finishedAt).Invalid(new AcmeProblem(
            type.ProvesWildcards() ? ProblemCatalog.Dns : ProblemCatalog.Connection,
            $"Validating {attempt.Identifier.Text} by {type.Wire()} was not finished within {deadline.TotalSeconds:0.##} seconds."));

    /// <summary>The same attempt, refused for a reason outside the challenge: control was proved, and CAA forbids all the same.</summary>
    public ChallengeResult Refused(AcmeProblem problem) =>
        this with { IsValid = false, Problem = problem, Reusable = false, Evidence = Evidence with { Valid = false, Problem = problem.Type.Name, Reason = problem.Detail } };

    /// <summary>The result where nobody is left who could validate: the rules by which control was to be proved are not in use any more.</summary>
    /// <param name="type">The challenge.</param>
    /// <param name="attempt">The attempt.</param>
    /// <param name="at">When.</param>
    /// <param name="rules">The name of the rules.</param>
    public static ChallengeResult RulesGone(ChallengeType type, ChallengeAttempt attempt, DateTimeOffset at, string rules) =>
        new AttemptRecord(type, attempt, at, () => at).Invalid(new AcmeProblem(
            ProblemCatalog.Unauthorized, $"{attempt.Identifier.Text} was to be proved by the rules {rules}, which no profile on offer has any more; make a new order."));

    /// <summary>The result for work that failed in every attempt, through no fault of the other side.</summary>
    /// <param name="type">The challenge.</param>
    /// <param name="attempt">The attempt.</param>
    /// <param name="at">When it was given up.</param>
    public static ChallengeResult GivenUp(ChallengeType type, ChallengeAttempt attempt, DateTimeOffset at) =>
        new AttemptRecord(type, attempt, at, () => at).Invalid(new AcmeProblem(
            ProblemCatalog.ServerInternal, $"Validating {attempt.Identifier.Text} by {type.Wire()} failed here, however often it was tried; make a new order."));
}

/// <summary>One way of proving control.</summary>
public interface IChallengeValidator
{
    /// <summary>The challenge it validates.</summary>
    public ChallengeType Type { get; }

    /// <summary>Makes one attempt. Whatever the other side does is a result; an exception means broken surroundings.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<ChallengeResult> ValidateAsync(ChallengeAttempt attempt, CancellationToken cancellationToken);
}

using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Mpic;
using PersistCa.Protocol.Records;
using PersistCa.Server.Hosting;
using PersistCa.Server.Telemetry;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.WorkQueue;
using PersistCa.Validation.CaaLookup;
using PersistCa.Validation.Challenges;
using PersistCa.Validation.Evidence;

namespace PersistCa.Server.Registration;

/// <summary>What every validation has in common, whoever asked for it: how it is tried, and how its verdict is recorded (steps 5 to 7 of docs/order-flow.md).</summary>
public sealed class ValidationDesk(ValidationRegimes regimes, AuthorityUrls urls, LimitDesk limits, PublicSuffixList suffixes, PersistCaOptions options, TimeProvider clock)
{
    /// <summary>A dns-persist-01 validation may be used for 10 days at most (BR 4.2.1; dns-persist-01 rules section 6 item 6).</summary>
    private static readonly TimeSpan PersistReuse = TimeSpan.FromDays(10);

    /// <summary>What is to be validated, from what the store holds.</summary>
    public ChallengeAttempt Attempt(Authorization authorization, Challenge challenge, Account account) =>
        new(Identifier.Of(authorization.CertificateName), challenge.Token, urls.Facts(account))
        {
            WithSubdomains = authorization.SubdomainsAllowed,
            RecordAt = challenge.RecordAt is { } at ? ((CertificateName)Identifier.Of(at)).Name : null,
        };

    /// <summary>Validates within a time, and asks CAA meanwhile: a name that may not be issued for is not proved for nothing.</summary>
    /// <param name="regime">By whose rules: the authorization's regime.</param>
    /// <param name="type">The challenge.</param>
    /// <param name="attempt">What is to be validated.</param>
    /// <param name="deadline">Longest time; passing it is a failed validation.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<Validated> ValidateAsync(string regime, ChallengeType type, ChallengeAttempt attempt, TimeSpan deadline, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await using var timer = clock.CreateTimer(static s => ((CancellationTokenSource)s!).Cancel(), limit, deadline, Timeout.InfiniteTimeSpan);
        var startedAt = clock.GetUtcNow();
        if (regimes.Find(regime) is not { } court)
        {
            return new Validated(ChallengeResult.RulesGone(type, attempt, startedAt, regime), null);
        }

        try
        {
            var permission = attempt.Identifier is CertificateName name
                ? court.Caa.CheckAsync(CaaQuestion.For(name, attempt.Account, type), limit.Token)
                : null;
            var result = await court.Validators.For(type).ValidateAsync(attempt, limit.Token);
            var check = permission is null ? null : await permission;
            return new Validated(result.IsValid && check?.Result.Problem is { } refusal ? result.Refused(refusal) : result, check);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new Validated(ChallengeResult.DeadlinePassed(type, attempt, startedAt, clock.GetUtcNow(), deadline), null);
        }
    }

    /// <summary>The authorization and the account that queued work is about, asked together with what was asked for already.</summary>
    public static async Task<(Authorization Authorization, Account Account)> FindAsync(StoreReads reads, WorkItem item, CancellationToken cancel)
    {
        var authorization = reads.Authorization(item.SubjectId);
        var account = reads.Account(item.AccountId);
        await reads.RunAsync(cancel);
        return (authorization.Value ?? throw new InvalidOperationException("a queued authorization vanished"), account.Value ?? throw new InvalidOperationException("an account vanished"));
    }

    /// <summary>Records a verdict inside the change that ends the attempt: challenge, authorization, evidence, audit entry.</summary>
    /// <returns>Why it failed; null when control was proved.</returns>
    public AcmeProblem? Record(StoreTransaction t, Authorization authorization, Challenge challenge, Account account, Validated validated, bool justInTime)
    {
        var result = validated.Result;
        if (validated.Caa is { } check)
        {
            CaaDesk.Record(t, check, authorization.Id, authorization.CertificateName, account);
        }

        foreach (var p in result.Evidence.Perspectives ?? [])
        {
            CaTelemetry.PerspectiveLooks.Add(1, new KeyValuePair<string, object?>("perspective", p.Id), new KeyValuePair<string, object?>("finding", p.Finding.ToLowerInvariant()));
        }

        // Account status is read live here too: a deactivation during the look-up wins.
        var court = regimes.Find(authorization.Regime);
        var problem = result.Problem
            ?? (!account.IsValid ? AccountRegistrar.NotValid(account) with { Status = ProblemCatalog.Unauthorized.Status }
                : Holds(result, account) ? null
                : new AcmeProblem(ProblemCatalog.Unauthorized, "The account's key was changed while this was being validated, and control was proved by the old one; make a new order."));
        if (problem is null)
        {
            authorization.Conclude(challenge, t.Now, Expiry(result, challenge.Type, court!, t.Now), result.Reusable && !court!.Proofs.ProvedAnew, court!.Rules.Fingerprint);
            if (challenge.Type == ChallengeType.DnsPersist01 && account.ProvedByRecordAt is null)
            {
                account.ProvedByRecord(t.Now);
                t.SaveProved(account);
            }
        }
        else
        {
            authorization.Fail(challenge, problem);
        }

        if (problem is null || problem.Type == ProblemCatalog.ServerInternal)
        {
            limits.Succeeded(t, account, authorization);
        }

        t.Save(authorization, challenge);
        Write(t, authorization, challenge, account, result, problem, justInTime);
        return problem;
    }

    /// <summary>Keeps what a look in advance saw that proved nothing: the authorization stays as it is.</summary>
    public void Keep(StoreTransaction t, Authorization authorization, Challenge challenge, Account account, Validated validated) =>
        Write(t, authorization, challenge, account, validated.Result, validated.Result.Problem, justInTime: true);

    private static void Write(StoreTransaction t, Authorization authorization, Challenge challenge, Account account, ChallengeResult result, AcmeProblem? problem, bool justInTime)
    {
        t.Add(new ValidationRecord
        {
            AuthorizationId = authorization.Id,
            ChallengeType = challenge.Type.Wire(),
            At = t.Now,
            Succeeded = problem is null,
            JustInTime = justInTime,
            Dialect = result.Dialect?.Wire(),
            Evidence = EvidenceJson.Write(result.Evidence),
        });
        t.Audit(
            problem is null ? AuditKinds.ValidationSucceeded : AuditKinds.ValidationFailed,
            "authorization:" + authorization.PublicId,
            ("account", account.PublicId),
            ("name", authorization.CertificateName),
            ("challenge", challenge.Type.Wire()),
            ("dialect", result.Dialect?.Wire()),
            ("perspectives", result.Evidence.Quorum?.Text),
            ("objections", Objections(result)),
            ("justInTime", justInTime ? "true" : null),
            ("problem", problem?.Type.Name),
            ("detail", problem?.Detail));
    }

    /// <summary>
    /// Whether a proof still holds for the account as it is now: what rests on a key (key authorizations, thumbprints in acme-persist records) does not
    /// outlive it, not even by the time of one validation (RFC 8555 section 7.3.5; dns-persist-01 rules, section 3).
    /// </summary>
    public static bool Holds(ChallengeResult result, Account account) =>
        result.Evidence.Thumbprint == account.CurrentThumbprint
        || (result.Evidence.ChallengeType == ChallengeType.DnsPersist01.Wire() && result.Dialect is PersistDialect.Draft01 or PersistDialect.Draft02);

    /// <summary>The domain a validation belongs to, so that one that does not answer does not hold up others.</summary>
    public string Domain(Authorization authorization) =>
        Identifier.Of(authorization.Name) is CertificateName { Name: var name } ? (suffixes.RegistrableDomain(name) ?? name).Text : authorization.Name;

    /// <summary>Which perspectives did not see it, and what they found instead.</summary>
    private static string? Objections(ChallengeResult result)
    {
        var found = (result.Evidence.Perspectives ?? []).Where(p => p.Finding != nameof(PerspectiveFinding.Corroborates)).Select(p => $"{p.Id} {p.Finding}").ToList();
        return found.Count == 0 ? null : string.Join(", ", found);
    }

    /// <summary>How long a validation may be used under the Baseline Requirements (section 4.2.1), by the day on which it was made.</summary>
    private static readonly (DateTimeOffset From, int Days)[] PublicReuse =
    [
        (new(2029, 3, 15, 0, 0, 0, TimeSpan.Zero), 10),
        (new(2027, 3, 15, 0, 0, 0, TimeSpan.Zero), 100),
        (DateTimeOffset.MinValue, 200),
    ];

    /// <summary>How long a validation may be used: by configuration, by the profile, by the challenge, and under the Baseline Requirements by the day.</summary>
    /// <param name="lifetime">Acme:AuthorizationLifetime.</param>
    /// <param name="regime">By whose rules.</param>
    /// <param name="proofs">What the profile says of it.</param>
    /// <param name="type">The challenge.</param>
    /// <param name="at">When it was made.</param>
    internal static TimeSpan LongestUse(TimeSpan lifetime, string regime, ProfileProofs proofs, ChallengeType type, DateTimeOffset at)
    {
        var longest = proofs.LongestUse(lifetime);
        if (ProfileProofs.BaseOf(regime) == PerspectiveRules.CabfBr && TimeSpan.FromDays(PublicReuse.First(r => at >= r.From).Days) is var allowed && allowed < longest)
        {
            longest = allowed;
        }

        return type == ChallengeType.DnsPersist01 && PersistReuse < longest ? PersistReuse : longest;
    }

    private DateTimeOffset Expiry(ChallengeResult result, ChallengeType type, ValidationRegime court, DateTimeOffset now)
    {
        var expires = now + LongestUse(options.Acme.AuthorizationLifetime, court.Name, court.Proofs, type, now);
        return result.RecordExpires is { } end && end < expires ? end : expires;
    }
}

/// <summary>The verdict on a challenge, and what CAA said of the name.</summary>
/// <param name="Result">The verdict; a prohibition by CAA is in it.</param>
/// <param name="Caa">What CAA said; null for an address, and when time ran out.</param>
public sealed record Validated(ChallengeResult Result, CaaCheck? Caa);

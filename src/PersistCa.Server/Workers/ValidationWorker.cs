using System.Diagnostics;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Server.Telemetry;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.WorkQueue;
using PersistCa.Validation.Challenges;
using PersistCa.Validation.Evidence;

namespace PersistCa.Server.Workers;

/// <summary>Validates challenges (steps 4 to 7 of docs/order-flow.md).</summary>
internal sealed partial class ValidationWorker(
    CaStore store,
    WorkLeases leases,
    WorkSignal signal,
    NodeIdentity node,
    ChallengeValidators validators,
    AuthorityUrls urls,
    PersistCaOptions options,
    TimeProvider clock,
    ILogger<ValidationWorker> logger) : LeaseLoop(WorkKind.Validate, leases, signal, node, clock, logger)
{
    /// <summary>A dns-persist-01 validation may be used for 10 days at most (BR 4.2.1; dns-persist-01 rules section 6 item 6).</summary>
    private static readonly TimeSpan PersistReuse = TimeSpan.FromDays(10);

    /// <inheritdoc/>
    protected override int Concurrency => options.Validation.Concurrency;

    /// <inheritdoc/>
    protected override int MaxAttempts => options.Server.MaxWorkAttempts;

    /// <inheritdoc/>
    protected override async Task GiveUpAsync(WorkItem item, CancellationToken cancel)
    {
        var (authorization, account) = await FindAsync(item, cancel);
        var challenge = authorization.Challenges.Single(c => c.Ordinal == item.Ordinal);
        var attempt = new ChallengeAttempt(Identifier.Of(authorization.CertificateName), challenge.Token, urls.Facts(account));
        await ConcludeAsync(item, ChallengeResult.GivenUp(challenge.Type, attempt, Clock.GetUtcNow()), cancel);
    }

    private Task<(Authorization Authorization, Account Account)> FindAsync(WorkItem item, CancellationToken cancel) => store.ReadAsync(
        async db => await db.AuthorizationAsync(item.SubjectId, cancel) is { } a && await db.AccountAsync(a.AccountId, cancel) is { } owner
            ? (a, owner)
            : throw new InvalidOperationException("a queued authorization vanished"),
        cancel);

    /// <inheritdoc/>
    protected override async Task HandleAsync(WorkItem item, CancellationToken cancel)
    {
        CrashPoint.Reached("4.leased");
        using var activity = CaTelemetry.Source.StartActivity("validate", ActivityKind.Internal, item.TraceParent);
        var (authorization, account) = await FindAsync(item, cancel);
        var challenge = authorization.Challenges.Single(c => c.Ordinal == item.Ordinal);
        using var scope = Scope(logger, account.PublicId, $"authorization {authorization.PublicId} challenge {challenge.Type.Wire()}");
        activity?.SetTag("acme.authorization", authorization.PublicId).SetTag("acme.account", account.PublicId).SetTag("acme.challenge", challenge.Type.Wire());

        var started = Clock.GetTimestamp();
        var attempt = new ChallengeAttempt(Identifier.Of(authorization.CertificateName), challenge.Token, urls.Facts(account));
        var result = await ValidateAsync(challenge.Type, attempt, cancel);
        CrashPoint.Reached("5.validated");

        var verdict = result.IsValid ? "valid" : result.Problem!.Type.Name;
        await ConcludeAsync(item, result, cancel);
        CrashPoint.Reached("7.concluded");

        var tags = new TagList { { "challenge", challenge.Type.Wire() }, { "verdict", verdict } };
        CaTelemetry.Validations.Add(1, tags);
        CaTelemetry.ValidationTime.Record(Clock.GetElapsedTime(started).TotalSeconds, tags);
        activity?.SetTag("acme.verdict", verdict);
        LogConcluded(logger, authorization.CertificateName, verdict, result.Dialect?.Wire());
    }

    private async Task<ChallengeResult> ValidateAsync(ChallengeType type, ChallengeAttempt attempt, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await using var timer = Clock.CreateTimer(static s => ((CancellationTokenSource)s!).Cancel(), limit, options.Validation.Deadline, Timeout.InfiniteTimeSpan);
        var startedAt = Clock.GetUtcNow();
        try
        {
            return await validators.For(type).ValidateAsync(attempt, limit.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return ChallengeResult.DeadlinePassed(type, attempt, startedAt, Clock.GetUtcNow(), options.Validation.Deadline);
        }
    }

    private async Task ConcludeAsync(WorkItem item, ChallengeResult result, CancellationToken cancel)
    {
        var outcome = await store.WriteAsync<WorkItem>(
            Actor.Server,
            async t =>
            {
                if (!await WorkLeases.TakeAsync(t, item, cancel))
                {
                    return new AcmeProblem(ProblemCatalog.ServerInternal, "the lease was lost: another node concludes");
                }

                var authorization = await t.Db.AuthorizationAsync(item.SubjectId, cancel) ?? throw new InvalidOperationException("a queued authorization vanished");
                var account = await t.Db.AccountAsync(authorization.AccountId, cancel) ?? throw new InvalidOperationException("an account vanished");
                var challenge = authorization.Challenges.Single(c => c.Ordinal == item.Ordinal);

                // Account status is read live here too: a deactivation during the look-up wins.
                var problem = result.Problem ?? (account.IsValid ? null : AccountRegistrar.NotValid(account) with { Status = ProblemCatalog.Unauthorized.Status });
                if (problem is null)
                {
                    authorization.Conclude(challenge, t.Now, Expiry(result, t.Now), result.Reusable);
                }
                else
                {
                    authorization.Fail(challenge, problem);
                }

                t.Db.ValidationRecords.Add(new ValidationRecord
                {
                    AuthorizationId = authorization.Id,
                    ChallengeType = challenge.Type.Wire(),
                    At = t.Now,
                    Succeeded = problem is null,
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
                    ("problem", problem?.Type.Name),
                    ("detail", problem?.Detail));
                CrashPoint.Reached("7.concluding");
                return item;
            },
            cancel);
        if (outcome.IsRefused)
        {
            LogLeaseLost(logger, item.SubjectId);
        }
    }

    private DateTimeOffset Expiry(ChallengeResult result, DateTimeOffset now)
    {
        var expires = now + options.Acme.AuthorizationLifetime;
        if (result.Evidence.ChallengeType == ChallengeType.DnsPersist01.Wire() && now + PersistReuse < expires)
        {
            expires = now + PersistReuse;
        }

        return result.RecordExpires is { } end && end < expires ? end : expires;
    }

    [LoggerMessage(LogLevel.Information, "Validation of {Name}: {Verdict} {Dialect}")]
    private static partial void LogConcluded(ILogger logger, string name, string verdict, string? dialect);

    [LoggerMessage(LogLevel.Warning, "The lease on authorization {Subject} was lost; another node concludes")]
    private static partial void LogLeaseLost(ILogger logger, long subject);
}

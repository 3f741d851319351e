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
    Readiness readiness,
    ValidationDesk desk,
    Completions completions,
    PersistCaOptions options,
    TimeProvider clock,
    ILogger<ValidationWorker> logger) : LeaseLoop(WorkKind.Validate, leases, signal, node, readiness, options, clock, logger)
{
    /// <inheritdoc/>
    protected override int Concurrency => Options.Validation.Concurrency;

    /// <inheritdoc/>
    protected override async Task GiveUpAsync(WorkItem item, CancellationToken cancel)
    {
        var (authorization, account) = await FindAsync(item, cancel);
        var challenge = authorization.Challenges.Single(c => c.Ordinal == item.Ordinal);
        await ConcludeAsync(item, authorization.PublicId, new Validated(ChallengeResult.GivenUp(challenge.Type, desk.Attempt(authorization, challenge, account), Clock.GetUtcNow()), null), cancel);
    }

    private async Task<(Authorization Authorization, Account Account)> FindAsync(WorkItem item, CancellationToken cancel) => await ValidationDesk.FindAsync(store.Read(), item, cancel);

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
        var validated = await desk.ValidateAsync(authorization.Regime, challenge.Type, desk.Attempt(authorization, challenge, account), Options.Validation.Deadline, cancel);
        var result = validated.Result;
        CrashPoint.Reached("5.validated");

        var verdict = result.IsValid ? "valid" : result.Problem!.Type.Name;
        await ConcludeAsync(item, authorization.PublicId, validated, cancel);
        CrashPoint.Reached("7.concluded");

        var tags = new TagList { { "challenge", challenge.Type.Wire() }, { "verdict", verdict } };
        CaTelemetry.Validations.Add(1, tags);
        CaTelemetry.ValidationTime.Record(Clock.GetElapsedTime(started).TotalSeconds, tags);
        activity?.SetTag("acme.verdict", verdict);
        LogConcluded(logger, authorization.CertificateName, challenge.Type.Wire(), result.Dialect is { } dialect ? $"{verdict} ({dialect.Wire()})" : verdict);
    }

    private async Task ConcludeAsync(WorkItem item, string publicId, Validated validated, CancellationToken cancel)
    {
        var outcome = await store.WriteAsync<WorkItem>(
            Actor.Server,
            async t =>
            {
                var reads = t.Read();
                var taken = reads.Take(item);
                var (authorization, account) = await ValidationDesk.FindAsync(reads, item, cancel);
                if (!taken.Value)
                {
                    return new AcmeProblem(ProblemCatalog.ServerInternal, "the lease was lost: another node concludes");
                }

                var challenge = authorization.Challenges.Single(c => c.Ordinal == item.Ordinal);
                desk.Record(t, authorization, challenge, account, validated, justInTime: false);
                CrashPoint.Reached("7.concluding");
                return item;
            },
            cancel);
        if (outcome.IsRefused)
        {
            LogLeaseLost(logger, item.SubjectId);
        }

        completions.Announce(publicId);
    }

    [LoggerMessage(LogLevel.Information, "Validation of {Name} by {Challenge}: {Verdict}")]
    private static partial void LogConcluded(ILogger logger, string name, string challenge, string verdict);

    [LoggerMessage(LogLevel.Warning, "The lease on authorization {Subject} was lost; another node concludes")]
    private static partial void LogLeaseLost(ILogger logger, long subject);
}

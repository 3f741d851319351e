using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.ExternalAccounts;
using PersistCa.Storage.Operators;
using PersistCa.Storage.WorkQueue;
using PersistCa.Validation.Challenges;

namespace PersistCa.Server.Registration;

/// <summary>Queued work with the ids that belong to it.</summary>
/// <param name="Item">The row.</param>
/// <param name="Subject">What it is about: "order:ID" or "authorization:ID".</param>
/// <param name="Account">Id of the account that it is for.</param>
public sealed record JobView(WorkItem Item, string Subject, string Account)
{
    /// <summary>running; parked, tried in vain too often; delayed, tried in vain and due again later; or waiting.</summary>
    public static string StateAt(WorkItem item, DateTimeOffset now) =>
        item.LeasedUntil >= now ? "running" : item.ParkedAt is not null ? "parked" : item.DueAt > now && item.Attempts > 0 ? "delayed" : "waiting";
}

/// <summary>The queue as operators see it, and what they do when work is stuck.</summary>
public sealed class JobDesk(CaStore store, ValidationDesk validation, WorkSignal signal, Completions completions)
{
    private static readonly OperatorRole[] Changers = [OperatorRole.Operator];

    /// <summary>Queued work, the newest first.</summary>
    /// <param name="who">An operator, whatever the role.</param>
    /// <param name="kind">Only this kind; null for all.</param>
    /// <param name="state">running, waiting, delayed or parked; null for all.</param>
    /// <param name="page">Which of them.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<Paged<JobView>> ListAsync(OperatorIdentity who, WorkKind? kind, string? state, PageWish page, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        var (below, now) = (page.Below, store.Now);
        return Paged.Of(
            await store.ReadAsync(
                async db =>
                {
                    var rows = db.WorkItems.Where(w => w.Id < below);
                    rows = kind is { } one ? rows.Where(w => w.Kind == one) : rows;
                    rows = state switch
                    {
                        "running" => rows.Where(w => w.LeasedUntil >= now),
                        "parked" => rows.Where(w => (w.LeasedUntil == null || w.LeasedUntil < now) && w.ParkedAt != null),
                        "delayed" => rows.Where(w => (w.LeasedUntil == null || w.LeasedUntil < now) && w.ParkedAt == null && w.DueAt > now && w.Attempts > 0),
                        "waiting" => rows.Where(w => (w.LeasedUntil == null || w.LeasedUntil < now) && w.ParkedAt == null && (w.DueAt <= now || w.Attempts == 0)),
                        _ => rows,
                    };
                    return await ViewAsync(db, await rows.OrderByDescending(w => w.Id).Take(page.Size + 1).ToListAsync(cancel), cancel);
                },
                cancel),
            page,
            j => j.Item.Id);
    }

    /// <summary>A job.</summary>
    public async Task<Outcome<JobView>> FindAsync(OperatorIdentity who, long id, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        return (await store.ReadAsync(async db => await ViewAsync(db, await db.WorkItems.Where(w => w.Id == id).ToListAsync(cancel), cancel), cancel)) is [var found] ? found : Refusals.NoSuchResource("job");
    }

    /// <summary>Has a job done now rather than when its pause ends; one that is parked is released, and has all its attempts before it again.</summary>
    public async Task<Outcome<JobView>> RetryAsync(OperatorIdentity who, long id, CancellationToken cancel) => await store.WriteAsync<JobView>(
        who.Actor,
        async t =>
        {
            if (!(await FreeAsync(t, who, id, cancel)).TryGet(out var job, out var problem))
            {
                return problem;
            }

            t.Audit(AuditKinds.JobRetried, job.Subject, ("kind", job.Item.Kind.ToString().ToLowerInvariant()), ("parked", job.Item.ParkedAt is { } since ? AcmeJson.Time(since) : null));
            job.Item.Release(t.Now);
            t.AfterCommit(() => signal.Raise(job.Item.Kind));
            return job;
        },
        cancel);

    /// <summary>Gives a job up: its challenge or its order fails, as it would after too many attempts.</summary>
    public async Task<Outcome<JobView>> CancelAsync(OperatorIdentity who, long id, CancellationToken cancel) => await store.WriteAsync<JobView>(
        who.Actor,
        async t =>
        {
            if (!(await FreeAsync(t, who, id, cancel)).TryGet(out var job, out var problem))
            {
                return problem;
            }

            t.Audit(AuditKinds.JobCancelled, job.Subject, ("kind", job.Item.Kind.ToString().ToLowerInvariant()));
            t.Db.WorkItems.Remove(job.Item);
            await (job.Item.Kind == WorkKind.Issue ? FailOrderAsync(t, job.Item, cancel) : FailChallengeAsync(t, job.Item, cancel));
            return job;
        },
        cancel);

    /// <summary>A job that no node is at, held until this transaction ends.</summary>
    private static async Task<Outcome<JobView>> FreeAsync(StoreTransaction t, OperatorIdentity who, long id, CancellationToken cancel)
    {
        if (await who.RefuseAsync(t, Changers, cancel) is { } refused)
        {
            return refused;
        }

        if (await WorkLeases.HoldAsync(t, id, cancel) is not { } item)
        {
            return Refusals.NoSuchResource("job");
        }

        return item.LeasedUntil >= t.Now
            ? Refusals.Conflict($"The node {item.LeasedBy} is at it until {AcmeJson.Time(item.LeasedUntil.Value)} at the latest; try again then.")
            : (await ViewAsync(t.Db, [item], cancel))[0];
    }

    private async Task FailOrderAsync(StoreTransaction t, WorkItem item, CancellationToken cancel)
    {
        var order = await t.Db.Orders.FirstAsync(o => o.Id == item.SubjectId, cancel);
        if (await t.Db.Certificates.FirstOrDefaultAsync(c => c.OrderId == order.Id && c.Status == CertificateStatus.Intended, cancel) is { } intent)
        {
            intent.Abandon();
            var account = await t.Db.AccountAsync(order.AccountId, cancel) ?? throw new InvalidOperationException("an account vanished");
            LimitDesk.GiveBackCertificate(t, await t.Db.ScopeAsync(account, cancel));
            t.Audit(AuditKinds.IssuanceAbandoned, "certificate:" + intent.PublicId, ("serial", intent.Serial));
        }

        var problem = new AcmeProblem(ProblemCatalog.ServerInternal, "Those who run this authority gave the issuance up; make a new order.");
        order.Fail(problem);
        t.Audit(AuditKinds.OrderFailed, "order:" + order.PublicId, ("problem", problem.Type.Name), ("detail", problem.Detail));
        t.AfterCommit(() => completions.Announce(order.PublicId));
    }

    private async Task FailChallengeAsync(StoreTransaction t, WorkItem item, CancellationToken cancel)
    {
        var (authorization, account) = await ValidationDesk.FindAsync(t.Read(), item, cancel);
        var challenge = authorization.Challenges.Single(c => c.Ordinal == item.Ordinal);
        var given = ChallengeResult.GivenUp(challenge.Type, validation.Attempt(authorization, challenge, account), t.Now);
        validation.Record(t, authorization, challenge, account, new Validated(given, null), justInTime: false);
    }

    private static async Task<List<JobView>> ViewAsync(CaDb db, List<WorkItem> items, CancellationToken cancel)
    {
        var (orders, authorizations, accounts) = (Ids(WorkKind.Issue), Ids(WorkKind.Validate), items.Select(i => i.AccountId).Distinct().ToArray());
        var ofOrders = await db.Orders.Where(o => orders.Contains(o.Id)).ToDictionaryAsync(o => o.Id, o => o.PublicId, cancel);
        var ofAuthorizations = await db.Authorizations.Where(a => authorizations.Contains(a.Id)).ToDictionaryAsync(a => a.Id, a => a.PublicId, cancel);
        var ofAccounts = await db.Accounts.Where(a => accounts.Contains(a.Id)).ToDictionaryAsync(a => a.Id, a => a.PublicId, cancel);
        return [.. items.Select(i => new JobView(i, i.Kind == WorkKind.Issue ? "order:" + ofOrders[i.SubjectId] : "authorization:" + ofAuthorizations[i.SubjectId], ofAccounts.GetValueOrDefault(i.AccountId, "")))];

        long[] Ids(WorkKind kind) => [.. items.Where(i => i.Kind == kind).Select(i => i.SubjectId).Distinct()];
    }
}

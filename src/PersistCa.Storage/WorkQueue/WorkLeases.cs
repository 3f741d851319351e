using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;

namespace PersistCa.Storage.WorkQueue;

/// <summary>
/// The durable queue. Items are added through <see cref="StoreTransaction.Enqueue"/>, leased here, and deleted through <see cref="TakeAsync"/>
/// inside the transaction that records the outcome: the lease decides who may conclude.
/// </summary>
/// <param name="factory">Makes contexts.</param>
/// <param name="clock">The time.</param>
public sealed class WorkLeases(IDbContextFactory<CaDb> factory, TimeProvider clock)
{
    /// <summary>Longest delay of work that is not parked.</summary>
    public static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(1);

    /// <summary>Leases due items that nobody is at, those due longest first.</summary>
    /// <param name="kind">Which work.</param>
    /// <param name="node">Name of this node.</param>
    /// <param name="most">At most this many.</param>
    /// <param name="lease">For how long; work that takes longer may be given to another node.</param>
    /// <param name="shares">How many places of this node one account and one domain may have.</param>
    /// <param name="cancel">Stops waiting.</param>
    public async Task<IReadOnlyList<WorkItem>> LeaseAsync(WorkKind kind, string node, int most, TimeSpan lease, WorkShares shares, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var now = clock.GetUtcNow();
        var at = db.TimeParameter(now);

        // Nothing that is not parked is postponed for so long: a time beyond it was given by a clock that has been set back since.
        var far = db.TimeParameter(now + LongestDelay + LongestDelay);
        var until = db.TimeParameter(now + lease);
        var skip = db.Kind == StoreKind.PostgreSql ? "FOR UPDATE SKIP LOCKED" : "";

        // Whatever one account queues, and however long one domain does not answer, others find a place: of those that wait, each account and each domain
        // has only as many in the line as its share leaves it.
        var sql = FormattableStringFactory.Create(
            "WITH busy_accounts AS (SELECT account_id, count(*) AS n FROM work_items WHERE kind = {2} AND leased_by = {0} AND leased_until >= {3} GROUP BY account_id), "
            + "busy_domains AS (SELECT domain, count(*) AS n FROM work_items WHERE kind = {2} AND leased_by = {0} AND leased_until >= {3} AND domain <> '' GROUP BY domain), "
            + "line AS (SELECT w.id, "
            + "row_number() OVER (PARTITION BY w.account_id ORDER BY w.due_at, w.id) + COALESCE(a.n, 0) AS of_account, "
            + "CASE WHEN w.domain = '' THEN 0 ELSE row_number() OVER (PARTITION BY w.domain ORDER BY w.due_at, w.id) + COALESCE(d.n, 0) END AS of_domain "
            + "FROM work_items w LEFT JOIN busy_accounts a ON a.account_id = w.account_id LEFT JOIN busy_domains d ON d.domain = w.domain "
            + "WHERE w.kind = {2} AND (w.due_at <= {3} OR (w.due_at > {7} AND w.parked_at IS NULL)) AND (w.leased_until IS NULL OR w.leased_until < {3} OR w.leased_until > {8})) "
            + "UPDATE work_items SET leased_by = {0}, leased_until = {1}, attempts = attempts + 1 WHERE id IN ("
            + "SELECT id FROM work_items WHERE kind = {2} AND (due_at <= {3} OR (due_at > {7} AND parked_at IS NULL)) AND (leased_until IS NULL OR leased_until < {3} OR leased_until > {8}) "
            + "AND id IN (SELECT id FROM line WHERE of_account <= {5} AND of_domain <= {6}) "
            + "ORDER BY due_at, id LIMIT {4} " + skip + ") RETURNING *",
            node,
            until,
            (int)kind,
            at,
            most,
            shares.OfAccount,
            shares.OfDomain,
            far,
            db.TimeParameter(now + lease + lease));
        var items = await db.WorkItems.FromSql(sql).AsNoTracking().ToListAsync(cancel);
        return [.. items.OrderBy(i => i.DueAt).ThenBy(i => i.Id)]; // what an UPDATE returns has no order
    }

    /// <summary>Frees what this node held before it died, so that nothing waits for a lease to lapse. To be called before the workers start.</summary>
    public async Task<int> ReleaseNodeAsync(string node, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await db.WorkItems.Where(w => w.LeasedBy == node)
            .ExecuteUpdateAsync(s => s.SetProperty(w => w.LeasedBy, (string?)null).SetProperty(w => w.LeasedUntil, (DateTimeOffset?)null), cancel);
    }

    /// <summary>Frees what this node holds without knowing: leases whose answer was lost on its way.</summary>
    /// <param name="kind">Which work.</param>
    /// <param name="node">Name of this node.</param>
    /// <param name="known">Items that it works at.</param>
    /// <param name="cancel">Stops waiting.</param>
    public async Task<int> ReleaseNodeAsync(WorkKind kind, string node, IEnumerable<long> known, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var kept = known.ToArray();
        return await db.WorkItems.Where(w => w.Kind == kind && w.LeasedBy == node && !kept.Contains(w.Id))
            .ExecuteUpdateAsync(s => s.SetProperty(w => w.LeasedBy, (string?)null).SetProperty(w => w.LeasedUntil, (DateTimeOffset?)null), cancel);
    }

    /// <summary>Gives an item back, to be tried again later: for broken surroundings, never for a verdict.</summary>
    /// <param name="item">As it was leased.</param>
    /// <param name="delay">Until then nobody leases it.</param>
    /// <param name="cancel">Stops waiting.</param>
    /// <param name="counted">Whether the attempt counts; one that does not leaves the number of attempts as it was before the lease.</param>
    /// <param name="reason">Why, for operators; null leaves the one before.</param>
    public async Task PostponeAsync(WorkItem item, TimeSpan delay, CancellationToken cancel, bool counted = true, string? reason = null)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var due = clock.GetUtcNow() + delay;
        var attempts = counted ? item.Attempts : item.Attempts - 1;
        var kept = Cut(reason) ?? item.Reason;
        await db.WorkItems.Where(w => w.Id == item.Id && w.LeasedBy == item.LeasedBy && w.Attempts == item.Attempts)
            .ExecuteUpdateAsync(
                s => s.SetProperty(w => w.LeasedBy, (string?)null)
                    .SetProperty(w => w.LeasedUntil, (DateTimeOffset?)null)
                    .SetProperty(w => w.DueAt, due)
                    .SetProperty(w => w.Reason, kept)
                    .SetProperty(w => w.Attempts, attempts),
                cancel);
    }

    /// <summary>Parks an item that was tried too often. Nobody tries it until it is released; it is leased once more, to be given up, when its time is over.</summary>
    /// <param name="item">As it was leased.</param>
    /// <param name="lifetime">How long it waits for an operator.</param>
    /// <param name="reason">Why the last attempt was in vain.</param>
    /// <param name="cancel">Stops waiting.</param>
    public async Task ParkAsync(WorkItem item, TimeSpan lifetime, string reason, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        DateTimeOffset? now = clock.GetUtcNow();
        var due = now.Value + lifetime;
        var kept = Cut(reason);
        await db.WorkItems.Where(w => w.Id == item.Id && w.LeasedBy == item.LeasedBy && w.Attempts == item.Attempts)
            .ExecuteUpdateAsync(
                s => s.SetProperty(w => w.LeasedBy, (string?)null)
                    .SetProperty(w => w.LeasedUntil, (DateTimeOffset?)null)
                    .SetProperty(w => w.DueAt, due)
                    .SetProperty(w => w.ParkedAt, now)
                    .SetProperty(w => w.Reason, kept),
                cancel);
    }

    private static string? Cut(string? reason) => reason is { Length: > WorkItem.MaxReason } ? reason[..WorkItem.MaxReason] : reason;

    /// <summary>Deletes the item inside the transaction that records its outcome.</summary>
    /// <returns>False when the lease was lost to another node: then nothing may be concluded.</returns>
    public static async Task<bool> TakeAsync(StoreTransaction transaction, WorkItem item, CancellationToken cancel)
    {
        var reads = transaction.Read();
        var taken = reads.Take(item);
        await reads.RunAsync(cancel);
        return taken.Value;
    }

    /// <summary>Whether the lease still holds, asked inside a transaction that does not conclude yet.</summary>
    public static async Task<bool> HoldsAsync(StoreTransaction transaction, WorkItem item, CancellationToken cancel)
    {
        var reads = transaction.Read();
        var held = reads.Holds(item);
        await reads.RunAsync(cancel);
        return held.Value;
    }

    /// <summary>An item, held until the transaction ends, so that nobody leases it meanwhile. (SQLite has one writer at a time anyway.)</summary>
    public static async Task<WorkItem?> HoldAsync(StoreTransaction t, long id, CancellationToken cancel) => t.Db.Kind == StoreKind.PostgreSql
        ? (await t.Db.WorkItems.FromSql(FormattableStringFactory.Create("SELECT * FROM work_items WHERE id = {0} FOR UPDATE", id)).ToListAsync(cancel)).FirstOrDefault()
        : await t.Db.WorkItems.FirstOrDefaultAsync(w => w.Id == id, cancel);

    /// <summary>How many items of a kind are parked.</summary>
    public async Task<int> ParkedAsync(WorkKind kind, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await db.WorkItems.CountAsync(w => w.Kind == kind && w.ParkedAt != null, cancel);
    }

    /// <summary>How many items of a kind wait or are being worked on.</summary>
    public async Task<int> DepthAsync(WorkKind kind, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await db.WorkItems.CountAsync(w => w.Kind == kind, cancel);
    }
}

/// <summary>How many of a node's places one account, and one domain, may have at a time.</summary>
/// <param name="OfAccount">Places of one account.</param>
/// <param name="OfDomain">Places of one domain.</param>
public sealed record WorkShares(int OfAccount, int OfDomain)
{
    /// <summary>Shares of so many places: three quarters for one account, a quarter for one domain, one at least.</summary>
    public static WorkShares Of(int places) => new(Math.Max(1, places * 3 / 4), Math.Max(1, places / 4));
}

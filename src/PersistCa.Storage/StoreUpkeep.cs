using System.Data.Common;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Limits;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Storage;

/// <summary>Schema and housekeeping.</summary>
/// <param name="factory">Makes contexts.</param>
/// <param name="store">The way to write.</param>
/// <param name="clock">The time.</param>
public sealed class StoreUpkeep(IDbContextFactory<CaDb> factory, CaStore store, TimeProvider clock)
{
    /// <summary>Any number that nothing else in the database locks: "persistc" in ASCII.</summary>
    private const long MigrationLock = 0x7065727369737463;

    private const int SearchBatch = 500;

    /// <summary>Names of the migrations that the database lacks.</summary>
    public async Task<IReadOnlyList<string>> PendingMigrationsAsync(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return [.. await db.Database.GetPendingMigrationsAsync(cancel)];
    }

    /// <summary>Names of the migrations that the database has and this program does not know: a newer one made them.</summary>
    public async Task<IReadOnlyList<string>> UnknownMigrationsAsync(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return [.. (await db.Database.GetAppliedMigrationsAsync(cancel)).Except(db.Database.GetMigrations()).Order(StringComparer.Ordinal)];
    }

    /// <summary>Brings the schema up to date. Several nodes may call it at once: the first does it, the others wait and find it done.</summary>
    public async Task MigrateAsync(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        if (db.Kind == StoreKind.Sqlite)
        {
            await db.Database.MigrateAsync(cancel); // one file, one server
            return;
        }

        // The library's own lock ends with its first migration, and what is pending was read before: another node would make the second one again.
        await db.Database.OpenConnectionAsync(cancel);
        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_lock({MigrationLock})", cancel);
        try
        {
            await db.Database.MigrateAsync(cancel);
        }
        finally
        {
            await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_unlock({MigrationLock})", CancellationToken.None);
            await db.Database.CloseConnectionAsync();
        }
    }

    /// <summary>Fills what searches need into certificates that were issued before there were searches. Does nothing where nothing is missing.</summary>
    /// <returns>How many certificates.</returns>
    public async Task<int> FillSearchAsync(CancellationToken cancel)
    {
        for (var filled = 0; ;)
        {
            var outcome = await store.WriteAsync<List<IssuedCertificate>>(
                Actor.Server,
                async t =>
                {
                    var some = await t.Db.Certificates.Include(c => c.Names).Where(c => c.Sha256 == null && c.Der != null).OrderBy(c => c.Id).Take(SearchBatch).ToListAsync(cancel);
                    foreach (var certificate in some)
                    {
                        certificate.FillSearch(await t.Db.Orders.Where(o => o.Id == certificate.OrderId).Select(o => o.Names).FirstAsync(cancel));
                    }

                    if (some.Count > 0)
                    {
                        t.Audit(AuditKinds.SearchFilled, "store", ("certificates", some.Count.ToString(CultureInfo.InvariantCulture)));
                    }

                    return some;
                },
                cancel);
            filled += outcome.Value.Count;
            if (outcome.Value.Count < SearchBatch)
            {
                return filled;
            }
        }
    }

    /// <summary>Whether the database answers; the reason when it does not, fit for an operator.</summary>
    public async Task<string?> ProbeAsync(CancellationToken cancel)
    {
        try
        {
            await using var db = await factory.CreateDbContextAsync(cancel);
            await db.Database.OpenConnectionAsync(cancel);
            await db.Database.CloseConnectionAsync();
            return null;
        }
        catch (ArgumentException)
        {
            return "the connection string cannot be read"; // what it holds is not repeated: it may be a password
        }
        catch (DbException e)
        {
            return e.InnerException is { } inner ? $"{e.Message} ({inner.Message})" : e.Message;
        }
        catch (InvalidOperationException e) when (e.InnerException is DbException inner)
        {
            return inner.InnerException is { } cause ? $"{inner.Message} ({cause.Message})" : inner.Message; // EF wraps what it thinks is transient
        }
    }

    /// <summary>Deletes spent nonces that are stale by themselves now.</summary>
    /// <returns>How many went.</returns>
    public async Task<int> ForgetStaleNoncesAsync(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var now = clock.GetUtcNow();
        return await db.ConsumedNonces.Where(n => n.ExpiresAt < now).ExecuteDeleteAsync(cancel);
    }

    /// <summary>Deletes limits that are full again: a bucket that is not there is full.</summary>
    /// <returns>How many went.</returns>
    public async Task<int> ForgetFullBucketsAsync(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var now = LimitBuckets.Microseconds(clock.GetUtcNow());
        return await db.LimitBuckets.Where(b => b.FullAt < now).ExecuteDeleteAsync(cancel);
    }

    /// <summary>
    /// Deletes orders that lapsed before a time without having been finalized, and then authorizations that lapsed, belong to no order any more and were
    /// never validated, whatever the verdict: what has evidence stays.
    /// </summary>
    /// <param name="before">Those that lapsed before this.</param>
    /// <param name="most">At most this many of each, so that no transaction is long.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>How many orders and authorizations went.</returns>
    public async Task<Forgotten> ForgetLapsedAsync(DateTimeOffset before, int most, CancellationToken cancel)
    {
        var outcome = await store.WriteAsync<Forgotten>(
            Actor.Server,
            async t =>
            {
                var lapsed = await t.Db.Orders
                    .Where(o => o.FinalizedAt == null && o.ExpiresAt < before)
                    .Where(o => !t.Db.OrderAuthorizations.Any(l => l.OrderId == o.Id
                        && (t.Db.ValidationRecords.Any(v => v.AuthorizationId == l.AuthorizationId)
                            || t.Db.WorkItems.Any(w => w.Kind == WorkKind.Validate && w.SubjectId == l.AuthorizationId))))
                    .OrderBy(o => o.Id).Select(o => o.Id).Take(most).ToListAsync(cancel);
                await t.Db.OrderAuthorizations.Where(l => lapsed.Contains(l.OrderId)).ExecuteDeleteAsync(cancel);
                var orders = await t.Db.Orders.Where(o => lapsed.Contains(o.Id)).ExecuteDeleteAsync(cancel);
                var orphans = await t.Db.Authorizations
                    .Where(a => a.ExpiresAt < before && a.ValidatedAt == null)
                    .Where(a => !t.Db.OrderAuthorizations.Any(l => l.AuthorizationId == a.Id)
                        && !t.Db.ValidationRecords.Any(v => v.AuthorizationId == a.Id)
                        && !t.Db.WorkItems.Any(w => w.Kind == WorkKind.Validate && w.SubjectId == a.Id))
                    .OrderBy(a => a.Id).Select(a => a.Id).Take(most).ToListAsync(cancel);
                await t.Db.Set<Challenge>().Where(c => orphans.Contains(c.AuthorizationId)).ExecuteDeleteAsync(cancel);
                var authorizations = await t.Db.Authorizations.Where(a => orphans.Contains(a.Id)).ExecuteDeleteAsync(cancel);
                if (orders + authorizations > 0)
                {
                    t.Audit(
                        AuditKinds.LapsedForgotten,
                        "store",
                        ("orders", orders.ToString(CultureInfo.InvariantCulture)),
                        ("authorizations", authorizations.ToString(CultureInfo.InvariantCulture)));
                }

                return new Forgotten(orders, authorizations);
            },
            cancel);
        return outcome.Value;
    }
}

/// <summary>What upkeep deleted.</summary>
/// <param name="Orders">Orders.</param>
/// <param name="Authorizations">Authorizations.</param>
public sealed record Forgotten(int Orders, int Authorizations);

using System.Data;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace PersistCa.Storage.Integrity;

/// <summary>Holds a store against rules. Changes nothing, and may run beside servers: everything is seen as it was at one moment.</summary>
/// <param name="factory">Makes contexts.</param>
public sealed class StoreInspection(IDbContextFactory<CaDb> factory)
{
    /// <summary>Looks for what breaks the rules.</summary>
    /// <param name="rules">The rules, in the order in which they are looked at.</param>
    /// <param name="cancel">Stops.</param>
    public async IAsyncEnumerable<StoreFinding> CheckAsync(IEnumerable<StoreRule> rules, [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        db.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.NoTracking;
        await using var moment = await BeginAsync(db, cancel);
        foreach (var rule in rules)
        {
            await foreach (var finding in rule.CheckAsync(db, cancel))
            {
                yield return finding;
            }
        }
    }

    // Of the two, only PostgreSQL has to be told that all statements are to see one moment; on SQLite a transaction that reads does, if it does not begin as a writer.
    private static async Task<IAsyncDisposable> BeginAsync(CaDb db, CancellationToken cancel)
    {
        if (db.Kind == StoreKind.PostgreSql)
        {
            return await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancel);
        }

        await db.Database.OpenConnectionAsync(cancel);
        var transaction = ((SqliteConnection)db.Database.GetDbConnection()).BeginTransaction(deferred: true);
        await db.Database.UseTransactionAsync(transaction, cancel);
        return transaction;
    }
}

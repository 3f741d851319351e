using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;

namespace PersistCa.Storage;

/// <summary>
/// The way to the store. Reads are untracked and outside transactions. A write is one transaction with its audit entry: it is retried when
/// another writer was first, and leaves nothing behind when it is refused.
/// </summary>
/// <param name="factory">Makes contexts.</param>
/// <param name="clock">The time.</param>
public sealed class CaStore(IDbContextFactory<CaDb> factory, TimeProvider clock) : IDisposable
{
    /// <summary>How often a write is tried when other writers are in its way; beyond that something else is wrong.</summary>
    public const int WriteAttempts = 5;

    private readonly SemaphoreSlim sqliteWriter = new(1, 1);

    /// <summary>The time, cut to the milliseconds that the store keeps.</summary>
    public DateTimeOffset Now => DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>Reads.</summary>
    public async Task<T> ReadAsync<T>(Func<CaDb, Task<T>> read, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        db.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.NoTracking;
        return await read(db);
    }

    /// <summary>Changes state in one transaction. A refusal rolls back.</summary>
    /// <typeparam name="T">What the change yields.</typeparam>
    /// <param name="actor">On whose behalf.</param>
    /// <param name="change">The change; may run several times, each time on a fresh context.</param>
    /// <param name="cancel">Stops before the commit.</param>
    /// <returns>What the change yielded; badNonce when the actor's nonce was spent before.</returns>
    public async Task<Outcome<T>> WriteAsync<T>(Actor actor, Func<StoreTransaction, Task<Outcome<T>>> change, CancellationToken cancel)
        where T : notnull
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await TryWriteAsync(actor, change, again: attempt > 1, cancel);
            }
            catch (DbUpdateException e) when (IsNonceReplay(e))
            {
                return new AcmeProblem(ProblemCatalog.BadNonce, "JWS has invalid anti-replay nonce: it was used before.");
            }
            catch (Exception e) when (attempt < WriteAttempts && IsConflict(e))
            {
                // Another writer was first: what this change saw is stale, so it looks again.
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => sqliteWriter.Dispose();

    private async Task<Outcome<T>> TryWriteAsync<T>(Actor actor, Func<StoreTransaction, Task<Outcome<T>>> change, bool again, CancellationToken cancel)
        where T : notnull
    {
        await using var db = await factory.CreateDbContextAsync(cancel);

        // SQLite has one writer at a time; queueing here is fair, its own busy loop is not.
        var gated = db.Kind == StoreKind.Sqlite;
        if (gated)
        {
            await sqliteWriter.WaitAsync(cancel);
        }

        StoreTransaction transaction;
        Outcome<T> outcome;
        var saved = false;
        void Saved(object? sender, SavedChangesEventArgs e) => saved = true;
        db.SavedChanges += Saved;
        try
        {
            await using var scope = await db.Database.BeginTransactionAsync(cancel);
            if (actor.Signer is { } signer && !await StillActsAsync(db, signer, again || actor.ChangesAccount, cancel))
            {
                return new AcmeProblem(ProblemCatalog.Unauthorized, "The account was closed, or its key changed, while this request was on its way.") { Status = 401 };
            }

            transaction = new StoreTransaction(db, actor, Now);
            outcome = await change(transaction);
            if (outcome.IsRefused)
            {
                return outcome;
            }

            // A change that saved by itself, to learn an id, is a change of state like any other.
            if (saved || db.ChangeTracker.HasChanges())
            {
                if (transaction.AuditEntries == 0)
                {
                    throw new InvalidOperationException("a change of state must have its audit entry");
                }

                transaction.ConsumeNonce();
                await db.SaveChangesAsync(cancel);
            }

            // Not to be called off: a commit that waits for a synchronous standby and is cancelled succeeds all the same, and may be on one server only.
            await scope.CommitAsync(CancellationToken.None);
        }
        finally
        {
            db.SavedChanges -= Saved;
            if (gated)
            {
                sqliteWriter.Release();
            }
        }

        foreach (var action in transaction.CommitActions)
        {
            action();
        }

        return outcome;
    }

    /// <summary>
    /// Asked inside the transaction: what the request was verified against may be history. On PostgreSQL the row is held, so that a deactivation waits for
    /// this change or is seen by it. Two that share it and both change it are a deadlock, so whoever is going to change it, or tries again, asks for it alone.
    /// </summary>
    private static async Task<bool> StillActsAsync(CaDb db, SigningAccount signer, bool alone, CancellationToken cancel)
    {
        var hold = (db.Kind, alone) switch
        {
            (StoreKind.PostgreSql, false) => " FOR SHARE",
            (StoreKind.PostgreSql, true) => " FOR NO KEY UPDATE",
            _ => "",
        };
        var sql = FormattableStringFactory.Create("SELECT * FROM accounts WHERE public_id = {0} AND current_thumbprint = {1}" + hold, signer.PublicId, signer.Thumbprint);
        var found = await db.Accounts.FromSql(sql).AsNoTracking().ToListAsync(cancel);
        return found is [{ IsValid: true }];
    }

    private static bool IsNonceReplay(DbUpdateException e) => e.InnerException switch
    {
        SqliteException s => s.SqliteErrorCode == 19 && s.Message.Contains("consumed_nonces.nonce", StringComparison.Ordinal),
        PostgresException p => p.SqlState == PostgresErrorCodes.UniqueViolation && p.TableName == "consumed_nonces",
        _ => false,
    };

    private static bool IsConflict(Exception e) => e switch
    {
        DbUpdateConcurrencyException => true,
        DbUpdateException { InnerException: SqliteException { SqliteExtendedErrorCode: 2067 or 1555 } } => true, // unique index, primary key
        DbUpdateException { InnerException: PostgresException p } => IsConflict(p),

        // EF wraps what may be transient, a deadlock for one.
        InvalidOperationException { InnerException: (DbUpdateException or PostgresException) and var cause } => IsConflict(cause),
        PostgresException p => p.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected,
        _ => false,
    };
}

using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Storage.Direct;

namespace PersistCa.Storage;

/// <summary>
/// The way to the store. Reads are untracked and outside transactions. A write is one transaction with its audit entry: it is retried when
/// another writer was first, and leaves nothing behind when it is refused.
/// </summary>
public sealed class CaStore : IDisposable
{
    /// <summary>How often a write is tried when other writers are in its way; beyond that something else is wrong.</summary>
    public const int WriteAttempts = 5;

    private readonly IDbContextFactory<CaDb> factory;
    private readonly IDirectPool pool;
    private readonly IJoiningContexts joining;
    private readonly TimeProvider clock;
    private readonly SqliteGroup? group;

    /// <summary>Made by <see cref="StorageRegistration"/>.</summary>
    internal CaStore(IDbContextFactory<CaDb> factory, IDirectPool pool, IJoiningContexts joining, AccountCache accounts, TimeProvider clock)
    {
        (this.factory, this.pool, this.joining, this.clock) = (factory, pool, joining, clock);
        Accounts = accounts;
        group = pool is SqliteDirectPool ? new SqliteGroup(pool) : null;
    }

    /// <summary>The time, cut to the milliseconds that the store keeps.</summary>
    public DateTimeOffset Now => DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds());

    internal AccountCache Accounts { get; }

    /// <summary>Reads.</summary>
    public async Task<T> ReadAsync<T>(Func<CaDb, Task<T>> read, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        db.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.NoTracking;
        return await read(db);
    }

    /// <summary>Questions to be put outside a transaction, without the model.</summary>
    public StoreReads Read() => new(async (batch, cancel) =>
    {
        await using var connection = await pool.TakeAsync(cancel);
        await connection.RunAsync(batch, cancel);
    });

    /// <summary>An order with its authorizations; null when there is none.</summary>
    public Task<LoadedOrder?> OrderAsync(string publicId, CancellationToken cancel) => OneAsync(r => r.Order(publicId), cancel);

    /// <summary>An authorization with its challenges; null when there is none.</summary>
    public Task<Authorization?> AuthorizationAsync(string publicId, CancellationToken cancel) => OneAsync(r => r.Authorization(publicId), cancel);

    /// <summary>A certificate; null when there is none.</summary>
    public Task<IssuedCertificate?> CertificateAsync(string publicId, CancellationToken cancel) => OneAsync(r => r.Certificate(publicId), cancel);

    /// <summary>
    /// An account with its keys, and the key it signs with; null when there is none. It may be as old as <see cref="AccountCache.Life"/> where another node changed it:
    /// enough to say who asks. A change of state asks again, in its transaction, whether the account may act. It is shared, so nobody changes it.
    /// </summary>
    public async Task<KnownAccount?> AccountAsync(string publicId, CancellationToken cancel)
    {
        if (Accounts.Find(publicId) is { } known)
        {
            return known;
        }

        var ticket = Accounts.Ticket;
        return await OneAsync(r => r.Account(publicId), cancel) is { } account ? Accounts.Keep(account, ticket) : null;
    }

    /// <summary>Changes state in one transaction. A refusal rolls back.</summary>
    /// <typeparam name="T">What the change yields.</typeparam>
    /// <param name="actor">On whose behalf.</param>
    /// <param name="change">The change; may run several times, each time in a fresh transaction.</param>
    /// <param name="cancel">Stops before the commit.</param>
    /// <returns>What the change yielded; badNonce when the actor's nonce was spent before.</returns>
    public Task<Outcome<T>> WriteAsync<T>(Actor actor, Func<StoreTransaction, Task<Outcome<T>>> change, CancellationToken cancel)
        where T : notnull => WriteAsync(actor, change, together: false, cancel);

    /// <summary>
    /// The same for a change that begins with questions of <see cref="StoreTransaction.Read"/>: whether the account may act is asked together with them. The change must
    /// not touch the model before.
    /// </summary>
    public Task<Outcome<T>> WriteTogetherAsync<T>(Actor actor, Func<StoreTransaction, Task<Outcome<T>>> change, CancellationToken cancel)
        where T : notnull => WriteAsync(actor, change, together: true, cancel);

    /// <inheritdoc/>
    public void Dispose() => group?.Dispose();

    private async Task<T> OneAsync<T>(Func<StoreReads, Found<T>> question, CancellationToken cancel)
    {
        var reads = Read();
        var found = question(reads);
        await reads.RunAsync(cancel);
        return found.Value;
    }

    private async Task<Outcome<T>> WriteAsync<T>(Actor actor, Func<StoreTransaction, Task<Outcome<T>>> change, bool together, CancellationToken cancel)
        where T : notnull
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await TryWriteAsync(actor, change, together, again: attempt > 1, cancel);
            }
            catch (ActsNoMoreException)
            {
                return new AcmeProblem(ProblemCatalog.Unauthorized, "The account was closed, or its key changed, while this request was on its way.") { Status = 401 };
            }
            catch (Exception e) when (IsNonceReplay(e))
            {
                return new AcmeProblem(ProblemCatalog.BadNonce, "JWS has invalid anti-replay nonce: it was used before.");
            }
            catch (Exception e) when (attempt < WriteAttempts && IsConflict(e))
            {
                // Another writer was first: what this change saw is stale, so it looks again.
            }
        }
    }

    private async Task<Outcome<T>> TryWriteAsync<T>(Actor actor, Func<StoreTransaction, Task<Outcome<T>>> change, bool together, bool again, CancellationToken cancel)
        where T : notnull
    {
        StoreTransaction? transaction = null;
        var outcome = group is null
            ? await AloneAsync(Change, cancel)
            : await group.RunAsync(Change, o => !o.IsRefused);
        if (!outcome.IsRefused && transaction is not null)
        {
            foreach (var id in transaction.ChangedAccounts)
            {
                Accounts.Forget(id);
            }

            foreach (var action in transaction.CommitActions)
            {
                action();
            }
        }

        return outcome;

        async Task<Outcome<T>> Change(DirectConnection connection)
        {
            CaDb? joined = null;
            try
            {
                var alone = again || actor.ChangesAccount;
                transaction = new StoreTransaction(connection, () => joined = joining.Join(connection), StillActs(actor, connection.Kind, alone), actor, Now);
                if (!together || alone)
                {
                    await transaction.BeginAsync(cancel);
                }

                var outcome = await change(transaction);
                if (!outcome.IsRefused)
                {
                    await SaveAsync(transaction, cancel);
                }

                return outcome;
            }
            finally
            {
                if (joined is not null)
                {
                    await joined.DisposeAsync();
                }
            }
        }
    }

    private async Task<Outcome<T>> AloneAsync<T>(Func<DirectConnection, Task<Outcome<T>>> change, CancellationToken cancel)
        where T : notnull
    {
        await using var connection = await pool.TakeAsync(cancel);
        await connection.BeginAsync(cancel);
        var outcome = await change(connection);
        if (!outcome.IsRefused)
        {
            await connection.CommitAsync(cancel);
        }

        return outcome;
    }

    private static async Task SaveAsync(StoreTransaction transaction, CancellationToken cancel)
    {
        // A change that saved by itself, to learn an id, is a change of state like any other.
        if (transaction.Writes || transaction.Used is { } used && (used.HasSaved || used.ChangeTracker.HasChanges()))
        {
            if (transaction.AuditEntries == 0)
            {
                throw new InvalidOperationException("a change of state must have its audit entry");
            }

            transaction.ConsumeNonce();
            if (transaction.Used is { } db)
            {
                await db.SaveChangesAsync(cancel);
                transaction.ChangedAccounts.AddRange(db.ChangeTracker.Entries<Account>().Select(e => e.Entity.PublicId));
            }
        }

        await transaction.FlushAsync(cancel);
    }

    /// <summary>
    /// Asked inside the transaction: what the request was verified against may be history. On PostgreSQL the row is held, so that a deactivation waits for
    /// this change or is seen by it. Two that share it and both change it are a deadlock, so whoever is going to change it, or tries again, asks for it alone.
    /// </summary>
    private static SqlBatch StillActs(Actor actor, StoreKind kind, bool alone)
    {
        var batch = new SqlBatch();
        if (actor.Signer is { } signer)
        {
            var acts = false;
            var hold = (kind, alone) switch
            {
                (StoreKind.PostgreSql, false) => " FOR SHARE",
                (StoreKind.PostgreSql, true) => " FOR NO KEY UPDATE",
                _ => "",
            };
            AccountSql.ReadStillActs(batch, signer, hold, yes => acts = yes);
            batch.After(() =>
            {
                if (!acts)
                {
                    throw new ActsNoMoreException();
                }
            });
        }

        return batch;
    }

    private static bool IsNonceReplay(Exception e) => e switch
    {
        DbUpdateException { InnerException: { } cause } => IsNonceReplay(cause),
        SqliteException s => s.SqliteErrorCode == 19 && s.Message.Contains("consumed_nonces.nonce", StringComparison.Ordinal),
        PostgresException p => p.SqlState == PostgresErrorCodes.UniqueViolation && p.TableName == "consumed_nonces",
        _ => false,
    };

    private static bool IsConflict(Exception e) => e switch
    {
        DbUpdateConcurrencyException or StaleRowException or GroupLostException => true,
        DbUpdateException { InnerException: SqliteException s } => IsConflict(s),
        SqliteException s => s.SqliteExtendedErrorCode is 2067 or 1555, // unique index, primary key
        DbUpdateException { InnerException: PostgresException p } => IsConflict(p),

        // EF wraps what may be transient, a deadlock for one.
        InvalidOperationException { InnerException: (DbUpdateException or PostgresException) and var cause } => IsConflict(cause),
        PostgresException p => p.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected,
        _ => false,
    };
}

/// <summary>The account that signed a request may not act any more, or has another key.</summary>
internal sealed class ActsNoMoreException : Exception;

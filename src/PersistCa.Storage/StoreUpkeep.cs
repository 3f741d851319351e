using System.Data.Common;
using Microsoft.EntityFrameworkCore;

namespace PersistCa.Storage;

/// <summary>Schema and housekeeping.</summary>
/// <param name="factory">Makes contexts.</param>
/// <param name="clock">The time.</param>
public sealed class StoreUpkeep(IDbContextFactory<CaDb> factory, TimeProvider clock)
{
    /// <summary>Names of the migrations that the database lacks.</summary>
    public async Task<IReadOnlyList<string>> PendingMigrationsAsync(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return [.. await db.Database.GetPendingMigrationsAsync(cancel)];
    }

    /// <summary>Brings the schema up to date. Several nodes may call it at once: the migrations history is locked meanwhile.</summary>
    public async Task MigrateAsync(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await db.Database.MigrateAsync(cancel);
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
}

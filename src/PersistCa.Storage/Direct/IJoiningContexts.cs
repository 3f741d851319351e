using Microsoft.EntityFrameworkCore;

namespace PersistCa.Storage.Direct;

/// <summary>Makes contexts of the model that take part in a transaction which is open already.</summary>
internal interface IJoiningContexts
{
    /// <summary>Makes one; whoever asked disposes it, and the connection stays open.</summary>
    public CaDb Join(DirectConnection connection);
}

/// <summary>The contexts of one database.</summary>
/// <param name="options">Of contexts that have no connection of their own yet.</param>
/// <param name="make">Makes a context.</param>
internal sealed class JoiningContexts<TContext>(DbContextOptions<TContext> options, Func<DbContextOptions<TContext>, TContext> make) : IJoiningContexts
    where TContext : CaDb
{
    /// <inheritdoc/>
    public CaDb Join(DirectConnection connection)
    {
        var db = make(options);
        db.Database.SetDbConnection(connection.Connection);
        db.Database.UseTransaction(connection.Transaction);
        db.Database.AutoSavepointsEnabled = false; // what fails rolls the whole transaction back
        return db;
    }
}

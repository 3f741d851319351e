using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using PersistCa.Storage.Direct;
using PersistCa.Storage.Postgres;
using PersistCa.Storage.Sqlite;

namespace PersistCa.Storage;

/// <summary>Puts the store into the container.</summary>
public static class StorageRegistration
{
    /// <summary>How long an account that was read is used again, where another node may have changed it.</summary>
    public static readonly TimeSpan AccountLife = TimeSpan.FromSeconds(1);

    /// <summary>Adds <see cref="CaStore"/>, <see cref="WorkQueue.WorkLeases"/> and the context factory.</summary>
    /// <param name="services">The container.</param>
    /// <param name="kind">Which database.</param>
    /// <param name="connectionString">Where it is.</param>
    /// <param name="pooled">Whether a pooler in transaction mode stands before PostgreSQL: then statements are not prepared.</param>
    /// <param name="accountLife">How long an account that was read is used again; <see cref="AccountLife"/> where nothing is said.</param>
    public static IServiceCollection AddCaStorage(this IServiceCollection services, StoreKind kind, string connectionString, bool pooled = false, TimeSpan? accountLife = null)
    {
        if (kind == StoreKind.Sqlite)
        {
            services.AddPooledDbContextFactory<SqliteCaDb>(b => SqliteCaDb.Configure(b, connectionString));
            services.AddSingleton<IDbContextFactory<CaDb>, AnyContextFactory<SqliteCaDb>>();
            services.AddSingleton<IDirectPool>(_ => new SqliteDirectPool(connectionString));
            services.AddSingleton<IJoiningContexts>(sp => new JoiningContexts<SqliteCaDb>(sp.GetRequiredService<DbContextOptions<SqliteCaDb>>(), o => new SqliteCaDb(o)));
        }
        else
        {
            services.AddSingleton(sp => PostgresCaDb.Source(connectionString, pooled));
            services.AddPooledDbContextFactory<PostgresCaDb>((sp, b) =>
            {
                try
                {
                    PostgresCaDb.Configure(b, sp.GetRequiredService<NpgsqlDataSource>());
                }
                catch (ArgumentException)
                {
                    PostgresCaDb.Configure(b, connectionString); // it cannot be read: the first use says so
                }
            });
            services.AddSingleton<IDbContextFactory<CaDb>, AnyContextFactory<PostgresCaDb>>();
            services.AddSingleton<IDirectPool>(sp => new PostgresDirectPool(sp.GetRequiredService<NpgsqlDataSource>));
            services.AddSingleton<IJoiningContexts>(sp => new JoiningContexts<PostgresCaDb>(sp.GetRequiredService<DbContextOptions<PostgresCaDb>>(), o => new PostgresCaDb(o)));
        }

        services.AddSingleton(sp => new CaStore(
            sp.GetRequiredService<IDbContextFactory<CaDb>>(),
            sp.GetRequiredService<IDirectPool>(),
            sp.GetRequiredService<IJoiningContexts>(),
            new AccountCache(accountLife ?? AccountLife, sp.GetRequiredService<TimeProvider>()),
            sp.GetRequiredService<TimeProvider>()));
        services.AddSingleton<WorkQueue.WorkLeases>();
        services.AddSingleton<Nodes.DutyBook>();
        services.AddSingleton<StoreUpkeep>();
        services.AddSingleton<Integrity.StoreInspection>();
        services.AddSingleton<Backup.StoreDump>();
        services.AddSingleton<Backup.StoreLoad>();
        services.AddSingleton<Backup.StoreReconciliation>();
        return services;
    }

    private sealed class AnyContextFactory<TContext>(IDbContextFactory<TContext> inner) : IDbContextFactory<CaDb>
        where TContext : CaDb
    {
        public CaDb CreateDbContext() => inner.CreateDbContext();

        public async Task<CaDb> CreateDbContextAsync(CancellationToken cancellationToken = default) => await inner.CreateDbContextAsync(cancellationToken);
    }
}

using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Storage.Postgres;
using PersistCa.Storage.Sqlite;

namespace PersistCa.Storage;

/// <summary>Puts the store into the container.</summary>
public static class StorageRegistration
{
    /// <summary>Adds <see cref="CaStore"/>, <see cref="WorkQueue.WorkLeases"/> and the context factory.</summary>
    /// <param name="services">The container.</param>
    /// <param name="kind">Which database.</param>
    /// <param name="connectionString">Where it is.</param>
    public static IServiceCollection AddCaStorage(this IServiceCollection services, StoreKind kind, string connectionString)
    {
        if (kind == StoreKind.Sqlite)
        {
            services.AddPooledDbContextFactory<SqliteCaDb>(b => SqliteCaDb.Configure(b, connectionString));
            services.AddSingleton<IDbContextFactory<CaDb>, AnyContextFactory<SqliteCaDb>>();
        }
        else
        {
            services.AddPooledDbContextFactory<PostgresCaDb>(b => PostgresCaDb.Configure(b, connectionString));
            services.AddSingleton<IDbContextFactory<CaDb>, AnyContextFactory<PostgresCaDb>>();
        }

        services.AddSingleton<CaStore>();
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

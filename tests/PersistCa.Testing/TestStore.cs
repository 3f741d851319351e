using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using PersistCa.Storage;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Testing;

/// <summary>A store of its own, its schema in place, with a time that stands still.</summary>
public sealed class TestStore : IAsyncDisposable
{
    private readonly ServiceProvider services;
    private readonly string? folder;
    private readonly string? database;

    private TestStore(ServiceProvider services, string? folder, string? database)
    {
        this.services = services;
        this.folder = folder;
        this.database = database;
    }

    /// <summary>The store's time, from 1 January 2030 on.</summary>
    public FakeTimeProvider Time => (FakeTimeProvider)services.GetRequiredService<TimeProvider>();

    /// <summary>The way to the rows.</summary>
    public CaStore Store => services.GetRequiredService<CaStore>();

    /// <summary>The queue.</summary>
    public WorkLeases Leases => services.GetRequiredService<WorkLeases>();

    /// <summary>Schema and housekeeping.</summary>
    public StoreUpkeep Upkeep => services.GetRequiredService<StoreUpkeep>();

    /// <summary>Makes contexts.</summary>
    public IDbContextFactory<CaDb> Factory => services.GetRequiredService<IDbContextFactory<CaDb>>();

    /// <summary>Opens one; the test is skipped where its database is not available.</summary>
    /// <param name="kind">Which database.</param>
    public static async Task<TestStore> OpenAsync(StoreKind kind)
    {
        if (kind == StoreKind.PostgreSql)
        {
            var database = await PostgresCluster.MigratedDatabaseAsync();
            return new TestStore(Services(kind, database), null, database);
        }

        var folder = Directory.CreateTempSubdirectory("persistca-store-").FullName;
        var file = Path.Combine(folder, "store.db");
        await StoreTemplate.CopyAsync(file);
        return new TestStore(Services(kind, $"Data Source={file}"), folder, null);
    }

    /// <summary>Opens one over an empty database, without a schema.</summary>
    /// <param name="kind">Which database.</param>
    public static async Task<TestStore> OpenEmptyAsync(StoreKind kind)
    {
        if (kind == StoreKind.PostgreSql)
        {
            var database = await PostgresCluster.NewDatabaseAsync();
            return new TestStore(Services(kind, database), null, database);
        }

        var folder = Directory.CreateTempSubdirectory("persistca-store-").FullName;
        return new TestStore(Services(kind, $"Data Source={Path.Combine(folder, "store.db")}"), folder, null);
    }

    /// <summary>One over a connection string, as it is.</summary>
    public static TestStore Over(StoreKind kind, string connectionString) => new(Services(kind, connectionString), null, null);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        if (folder is not null)
        {
            SqliteConnection.ClearAllPools();
            Directory.Delete(folder, recursive: true);
        }

        if (database is not null)
        {
            await PostgresCluster.DropDatabaseAsync(database);
        }
    }

    private static ServiceProvider Services(StoreKind kind, string connectionString) => new ServiceCollection()
        .AddSingleton<TimeProvider>(new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero)))
        .AddCaStorage(kind, connectionString)
        .BuildServiceProvider();
}

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

    private TestStore(ServiceProvider services, string? folder)
    {
        this.services = services;
        this.folder = folder;
    }

    public FakeTimeProvider Time => (FakeTimeProvider)services.GetRequiredService<TimeProvider>();

    public CaStore Store => services.GetRequiredService<CaStore>();

    public WorkLeases Leases => services.GetRequiredService<WorkLeases>();

    public StoreUpkeep Upkeep => services.GetRequiredService<StoreUpkeep>();

    public IDbContextFactory<CaDb> Factory => services.GetRequiredService<IDbContextFactory<CaDb>>();

    /// <summary>Opens one.</summary>
    /// <param name="kind">Which database.</param>
    public static async Task<TestStore> OpenAsync(StoreKind kind)
    {
        var folder = kind == StoreKind.Sqlite ? Directory.CreateTempSubdirectory("persistca-store-").FullName : null;
        var store = Over(kind, folder is null ? await PostgresCluster.NewDatabaseAsync() : $"Data Source={Path.Combine(folder, "store.db")}", folder);
        await store.Upkeep.MigrateAsync(CancellationToken.None);
        return store;
    }

    /// <summary>One over a connection string, as it is.</summary>
    public static TestStore Over(StoreKind kind, string connectionString, string? folder = null)
    {
        var services = new ServiceCollection().AddSingleton<TimeProvider>(new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero)));
        services.AddCaStorage(kind, connectionString);
        return new TestStore(services.BuildServiceProvider(), folder);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        if (folder is not null)
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

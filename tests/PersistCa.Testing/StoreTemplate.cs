using PersistCa.Storage;

namespace PersistCa.Testing;

/// <summary>Stores whose schema is in place, to be copied: migrating each anew would be most of what the tests do.</summary>
internal static class StoreTemplate
{
    private static readonly Lazy<Task<string>> File = new(MakeFileAsync);

    /// <summary>Puts a SQLite file with the schema at a path.</summary>
    public static async Task CopyAsync(string path) => System.IO.File.Copy(await File.Value, path);

    /// <summary>Brings the schema of an empty database up to date.</summary>
    public static async Task MigrateAsync(StoreKind kind, string connectionString)
    {
        await using var store = TestStore.Over(kind, connectionString);
        await store.Upkeep.MigrateAsync(CancellationToken.None);
    }

    private static async Task<string> MakeFileAsync()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("persistca-template-").FullName, "store.db");
        await MigrateAsync(StoreKind.Sqlite, $"Data Source={path};Pooling=False");
        return path;
    }
}

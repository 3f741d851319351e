using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using PersistCa.Testing;
using static PersistCa.Storage.Tests.Sample;

namespace PersistCa.Storage.Tests;

/// <summary>The schema comes from migrations alone, and they say what the model says.</summary>
public abstract class SchemaTests(StoreKind kind)
{
    [SkippableFact]
    public async Task Migrations_bring_an_empty_database_up_to_date()
    {
        await using var s = await TestStore.OpenEmptyAsync(kind);
        Assert.NotEmpty(await s.Upkeep.PendingMigrationsAsync(None));

        await s.Upkeep.MigrateAsync(None);

        Assert.Empty(await s.Upkeep.PendingMigrationsAsync(None));
        await s.AddAccountAsync();
    }

    [SkippableFact]
    public async Task Migrating_again_changes_nothing()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var account = await s.AddAccountAsync();
        var before = await s.Store.ReadAsync(db => db.Database.GetAppliedMigrationsAsync(), None);

        await s.Upkeep.MigrateAsync(None);

        Assert.Equal(before, await s.Store.ReadAsync(db => db.Database.GetAppliedMigrationsAsync(), None));
        Assert.NotNull(await s.Store.ReadAsync(db => db.AccountAsync(account.Id, None), None));
    }

    [SkippableFact]
    public async Task Nodes_that_start_together_migrate_once()
    {
        await using var s = await TestStore.OpenEmptyAsync(kind);

        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => s.Upkeep.MigrateAsync(None))));

        await using var db = await s.Factory.CreateDbContextAsync(None);
        Assert.Equal(db.Database.GetMigrations(), await db.Database.GetAppliedMigrationsAsync(None));
    }

    [SkippableFact]
    public async Task The_model_has_no_change_that_no_migration_makes()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await using var db = await s.Factory.CreateDbContextAsync(None);
        Assert.False(db.Database.HasPendingModelChanges());
    }
}

public sealed class SqliteSchemaTests() : SchemaTests(StoreKind.Sqlite)
{
    [SkippableTheory]
    [InlineData("")]
    [InlineData("PRAGMA journal_mode=DELETE; CREATE TABLE restored (id INTEGER)")]
    public async Task A_file_that_is_there_and_not_yet_write_ahead_logged_is_taken(string made)
    {
        await using var s = await TestStore.OpenEmptyAsync(StoreKind.Sqlite);
        await using var db = await s.Factory.CreateDbContextAsync(None);
        await using (var file = new SqliteConnection(db.Database.GetConnectionString() + ";Pooling=False"))
        {
            await file.OpenAsync();
            await using var command = new SqliteCommand(made, file);
            await command.ExecuteNonQueryAsync();
        }

        await s.Upkeep.MigrateAsync(None);

        Assert.Empty(await s.Upkeep.PendingMigrationsAsync(None));
        await s.AddAccountAsync();
        Assert.Equal("wal", Assert.Single(await db.Database.SqlQueryRaw<string>("PRAGMA journal_mode").ToListAsync()));
    }
}

public sealed class PostgreSqlSchemaTests() : SchemaTests(StoreKind.PostgreSql);

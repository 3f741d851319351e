using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace PersistCa.Storage.Sqlite;

/// <summary>The store in one SQLite file, write-ahead logged.</summary>
public sealed class SqliteCaDb(DbContextOptions<SqliteCaDb> options) : CaDb(options)
{
    /// <inheritdoc/>
    public override StoreKind Kind => StoreKind.Sqlite;

    /// <summary>Sets the context up for a connection string.</summary>
    public static void Configure(DbContextOptionsBuilder builder, string connectionString) => builder
        .UseSqlite(connectionString)
        .UseSnakeCaseNamingConvention()
        .AddInterceptors(SqlitePragmas.Instance);

    /// <inheritdoc/>
    internal override object TimeParameter(DateTimeOffset time) => time.ToUnixTimeMilliseconds();

    /// <inheritdoc/>
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UnixMilliseconds>();

    /// <summary>SQLite compares text; integers order and range as times do.</summary>
    private sealed class UnixMilliseconds() :
        ValueConverter<DateTimeOffset, long>(t => t.ToUnixTimeMilliseconds(), ms => DateTimeOffset.FromUnixTimeMilliseconds(ms));
}

/// <summary>Pragmas that hold per connection. synchronous=FULL: what a client was told survives a power cut.</summary>
internal sealed class SqlitePragmas : DbConnectionInterceptor
{
    public static readonly SqlitePragmas Instance = new();

    private const string EachTime = "PRAGMA busy_timeout=30000; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;";

    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) => Set(connection);

    /// <summary>Sets them on a connection that was opened.</summary>
    public static void Set(DbConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = Pragmas(connection);
        command.ExecuteNonQuery();
    }

    public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = Pragmas(connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// The journal mode is a property of the file, so it takes a connection that may write. EF looks for the file with one that may not, and finds files in
    /// another mode where a copy was restored or an empty file was put.
    /// </summary>
    private static string Pragmas(DbConnection connection) =>
        SQLitePCL.raw.sqlite3_db_readonly(((SqliteConnection)connection).Handle, "main") == 1 ? EachTime : EachTime + " PRAGMA journal_mode=WAL;";
}

/// <summary>For the migrations tool only.</summary>
internal sealed class SqliteDesignFactory : IDesignTimeDbContextFactory<SqliteCaDb>
{
    public SqliteCaDb CreateDbContext(string[] args)
    {
        var builder = new DbContextOptionsBuilder<SqliteCaDb>();
        SqliteCaDb.Configure(builder, "Data Source=design.db");
        return new SqliteCaDb(builder.Options);
    }
}

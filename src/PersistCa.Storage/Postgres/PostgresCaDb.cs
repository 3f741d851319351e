using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Npgsql;
using PersistCa.Protocol.Certificates;

namespace PersistCa.Storage.Postgres;

/// <summary>The store in PostgreSQL.</summary>
public sealed class PostgresCaDb(DbContextOptions<PostgresCaDb> options) : CaDb(options)
{
    /// <inheritdoc/>
    public override StoreKind Kind => StoreKind.PostgreSql;

    /// <summary>Statements that a connection keeps prepared, unless the connection string says otherwise.</summary>
    private const int Prepared = 200;

    /// <summary>The connections of a connection string. Statements that come twice are prepared, where it says nothing of that.</summary>
    public static NpgsqlDataSource Source(string connectionString, bool pooled)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        if (!pooled && !new DbConnectionStringBuilder { ConnectionString = connectionString }.ContainsKey("Max Auto Prepare"))
        {
            (settings.MaxAutoPrepare, settings.AutoPrepareMinUsages) = (Prepared, 2);
        }

        return new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();
    }

    /// <summary>Sets the context up for connections.</summary>
    public static void Configure(DbContextOptionsBuilder builder, NpgsqlDataSource source) => builder
        .UseNpgsql(source)
        .UseSnakeCaseNamingConvention();

    /// <summary>Sets the context up for a connection string.</summary>
    public static void Configure(DbContextOptionsBuilder builder, string connectionString) => builder
        .UseNpgsql(connectionString)
        .UseSnakeCaseNamingConvention();

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);

        // By octets, so that the index finds beginnings whatever the database's language.
        modelBuilder.Entity<CertifiedName>().Property(n => n.Reversed).UseCollation("C");
    }

    /// <inheritdoc/>
    internal override object TimeParameter(DateTimeOffset time) => time.ToUniversalTime();
}

/// <summary>For the migrations tool only.</summary>
internal sealed class PostgresDesignFactory : IDesignTimeDbContextFactory<PostgresCaDb>
{
    public PostgresCaDb CreateDbContext(string[] args)
    {
        var builder = new DbContextOptionsBuilder<PostgresCaDb>();
        PostgresCaDb.Configure(builder, "Host=localhost;Database=design");
        return new PostgresCaDb(builder.Options);
    }
}

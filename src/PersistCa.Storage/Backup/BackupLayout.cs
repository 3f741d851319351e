using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace PersistCa.Storage.Backup;

/// <summary>What a column of a backup holds, the same whichever database it came from.</summary>
public enum ColumnKind
{
    /// <summary>A whole number.</summary>
    Int = 1,

    /// <summary>True or false.</summary>
    Bool = 2,

    /// <summary>A text.</summary>
    Text = 3,

    /// <summary>Octets.</summary>
    Bytes = 4,

    /// <summary>A moment, microseconds since 1970.</summary>
    Time = 5,

    /// <summary>A day, yyyy-MM-dd.</summary>
    Date = 6,

    /// <summary>Several texts.</summary>
    Texts = 7,

    /// <summary>Several strings of octets.</summary>
    Blobs = 8,
}

/// <summary>A column of a table.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What it holds.</param>
public sealed record BackupColumn(string Name, ColumnKind Kind);

/// <summary>A table as a backup has it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Columns">Its columns, in the order of the values of a row.</param>
public sealed record BackupTable(string Name, IReadOnlyList<BackupColumn> Columns);

/// <summary>The tables of the model, those that others refer to first: so that rows can be written in this order.</summary>
internal static class BackupLayout
{
    /// <summary>All tables.</summary>
    public static IReadOnlyList<BackupTable> Of(CaDb db)
    {
        var waiting = db.Model.GetRelationalModel().Tables.OrderBy(t => t.Name, StringComparer.Ordinal).ToList();
        var placed = new List<ITable>();
        while (waiting.Count > 0)
        {
            var next = waiting.Find(t => t.ForeignKeyConstraints.All(f => f.PrincipalTable == t || placed.Contains(f.PrincipalTable)))
                ?? throw new InvalidOperationException("tables refer to each other in a circle: " + string.Join(", ", waiting.Select(t => t.Name)));
            waiting.Remove(next);
            placed.Add(next);
        }

        return [.. placed.Select(t => new BackupTable(t.Name, [.. t.Columns.OrderBy(c => c.Name, StringComparer.Ordinal).Select(c => new BackupColumn(c.Name, KindOf(c)))]))];
    }

    /// <summary>Names of the schema's changes, without the times that each database's have of their own.</summary>
    public static string SchemaName(string migration) => migration[(migration.IndexOf('_', StringComparison.Ordinal) + 1)..];

    private static ColumnKind KindOf(IColumn column)
    {
        var property = column.PropertyMappings[0].Property;
        var type = Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType;
        if (property.IsPrimitiveCollection)
        {
            return property.GetElementType()!.ClrType == typeof(byte[]) ? ColumnKind.Blobs : ColumnKind.Texts;
        }

        if (type == typeof(DateTimeOffset))
        {
            return ColumnKind.Time;
        }

        var kept = property.GetRelationalTypeMapping().Converter?.ProviderClrType ?? type;
        kept = Nullable.GetUnderlyingType(kept) ?? kept;
        return kept switch
        {
            _ when kept == typeof(bool) => ColumnKind.Bool,
            _ when kept == typeof(int) || kept == typeof(long) || kept.IsEnum => ColumnKind.Int,
            _ when kept == typeof(string) => ColumnKind.Text,
            _ when kept == typeof(byte[]) => ColumnKind.Bytes,
            _ when kept == typeof(DateOnly) => ColumnKind.Date,
            _ => throw new InvalidOperationException($"the column {column.Table.Name}.{column.Name} holds {kept}, of which backups know nothing"),
        };
    }
}

/// <summary>A column of the database that rows are written into.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type, as the database calls it.</param>
/// <param name="CountsUp">Whether the database gives numbers of its own there.</param>
internal sealed record CatalogColumn(string Name, string Type, bool CountsUp);

/// <summary>What the database itself says of its tables: whatever its schema is, older ones too.</summary>
internal static class StoreCatalog
{
    private const string History = "__EFMigrationsHistory";

    /// <summary>The tables with rows of the store, and their columns.</summary>
    public static async Task<IReadOnlyDictionary<string, IReadOnlyList<CatalogColumn>>> TablesAsync(CaDb db, CancellationToken cancel)
    {
        var sql = db.Kind == StoreKind.PostgreSql
            ? "SELECT c.table_name, c.column_name, c.udt_name, c.is_identity = 'YES' FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name) WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'"
            : "SELECT m.name, c.name, c.type, 0 FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'";
        var found = new List<(string Table, CatalogColumn Column)>();
        await using var command = await CommandAsync(db, sql, cancel);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            found.Add((reader.GetString(0), new CatalogColumn(reader.GetString(1), reader.GetString(2), db.Kind == StoreKind.PostgreSql && reader.GetBoolean(3))));
        }

        return found.Where(f => f.Table is not (History or "__EFMigrationsLock" or RestoreMark.Table)).GroupBy(f => f.Table).ToDictionary(g => g.Key, g => (IReadOnlyList<CatalogColumn>)[.. g.Select(f => f.Column)]);
    }

    /// <summary>A command on the context's connection and in its transaction.</summary>
    public static async Task<DbCommand> CommandAsync(CaDb db, string sql, CancellationToken cancel)
    {
        await db.Database.OpenConnectionAsync(cancel);
        var command = db.Database.GetDbConnection().CreateCommand();
        command.CommandText = sql;
        command.CommandTimeout = 0; // as long as a big table takes
        command.Transaction = db.Database.CurrentTransaction is { } current ? Microsoft.EntityFrameworkCore.Storage.DbContextTransactionExtensions.GetDbTransaction(current) : null;
        return command;
    }

    /// <summary>A name in SQL.</summary>
    public static string Quoted(string name) => '"' + name.Replace("\"", "\"\"", StringComparison.Ordinal) + '"';

    /// <summary>Whether a column can hold what a backup has for it.</summary>
    public static bool Fits(StoreKind store, string type, ColumnKind kind) => store == StoreKind.PostgreSql
        ? kind switch
        {
            ColumnKind.Int => type is "int4" or "int8",
            ColumnKind.Bool => type == "bool",
            ColumnKind.Text => type is "text" or "varchar",
            ColumnKind.Bytes => type == "bytea",
            ColumnKind.Time => type == "timestamptz",
            ColumnKind.Date => type == "date",
            ColumnKind.Texts => type is "_text" or "_varchar",
            ColumnKind.Blobs => type == "_bytea",
            _ => false,
        }
        : kind switch
        {
            ColumnKind.Int or ColumnKind.Bool or ColumnKind.Time => type == "INTEGER",
            ColumnKind.Text or ColumnKind.Date or ColumnKind.Texts or ColumnKind.Blobs => type == "TEXT",
            ColumnKind.Bytes => type == "BLOB",
            _ => false,
        };
}

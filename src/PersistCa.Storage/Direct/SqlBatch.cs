using System.Data.Common;
using System.Text.Json;

namespace PersistCa.Storage.Direct;

/// <summary>
/// Statements that go to the database together: on PostgreSQL in one round trip. The text of a statement is the same on both databases, its parameters are $1, $2 and so on, and it is
/// prepared once per connection, so it must not be made of values.
/// </summary>
internal sealed class SqlBatch
{
    private readonly List<SqlStatement> statements = [];
    private readonly List<Action> after = [];

    public IReadOnlyList<SqlStatement> Statements => statements;

    public int Count => statements.Count;

    /// <summary>Adds a statement that returns no rows.</summary>
    /// <param name="sql">The statement.</param>
    /// <param name="args">Its parameters.</param>
    public void Do(string sql, params SqlArg[] args) => statements.Add(new SqlStatement(sql, args, null, null));

    /// <summary>Adds a statement that returns no rows, and asks how many it changed.</summary>
    public void Change(string sql, Action<int> changed, params SqlArg[] args) => statements.Add(new SqlStatement(sql, args, null, changed));

    /// <summary>Adds a statement that returns rows, none or more.</summary>
    public void Read(string sql, Action<SqlRow> row, params SqlArg[] args) => statements.Add(new SqlStatement(sql, args, row, null));

    /// <summary>Judges what was read, once all of it was.</summary>
    public void After(Action judge) => after.Add(judge);

    /// <summary>Puts another's statements, and its judgement, before one's own.</summary>
    public void Prepend(SqlBatch other)
    {
        statements.InsertRange(0, other.statements);
        after.InsertRange(0, other.after);
    }

    /// <summary>The statements ran.</summary>
    public void Judge() => after.ForEach(judge => judge());

    /// <summary>Empties it.</summary>
    public void Clear()
    {
        statements.Clear();
        after.Clear();
    }
}

/// <summary>One statement.</summary>
/// <param name="Sql">Its text.</param>
/// <param name="Args">Its parameters.</param>
/// <param name="Row">Takes each row; null where it returns none.</param>
/// <param name="Changed">Is told how many rows it changed.</param>
internal sealed record SqlStatement(string Sql, SqlArg[] Args, Action<SqlRow>? Row, Action<int>? Changed);

/// <summary>What a parameter is.</summary>
internal enum SqlKind
{
    Number,
    Integer,
    Text,
    Time,
    Bool,
    Octets,
    Texts,
}

/// <summary>A parameter: a value, and what it is, which a null does not tell.</summary>
internal readonly record struct SqlArg(SqlKind Kind, object? Value, long Number)
{
    public static implicit operator SqlArg(long value) => new(SqlKind.Number, null, value);

    public static implicit operator SqlArg(int value) => new(SqlKind.Integer, null, value);

    public static implicit operator SqlArg(bool value) => new(SqlKind.Bool, null, value ? 1 : 0);

    public static implicit operator SqlArg(string? value) => new(SqlKind.Text, value, 0);

    public static implicit operator SqlArg(byte[]? value) => new(SqlKind.Octets, value, 0);

    public static implicit operator SqlArg(DateTimeOffset value) => new(SqlKind.Time, value, 0);

    public static implicit operator SqlArg(DateTimeOffset? value) => new(SqlKind.Time, value, 0);

    public static implicit operator SqlArg(List<string> value) => new(SqlKind.Texts, value, 0);

    /// <summary>Whether it is a null.</summary>
    public bool IsNull => Value is null && Kind is SqlKind.Text or SqlKind.Octets or SqlKind.Time or SqlKind.Texts;

    public static SqlArg Maybe(long? value) => value is { } n ? n : new SqlArg(SqlKind.Text, null, 0);
}

/// <summary>A row, read in the forms in which each database keeps things.</summary>
internal readonly struct SqlRow(DbDataReader reader, StoreKind kind)
{
    public bool IsNull(int i) => reader.IsDBNull(i);

    public long Long(int i) => reader.GetInt64(i);

    public long? LongOrNull(int i) => reader.IsDBNull(i) ? null : reader.GetInt64(i);

    public int Int(int i) => reader.GetInt32(i);

    public int? IntOrNull(int i) => reader.IsDBNull(i) ? null : reader.GetInt32(i);

    public bool Bool(int i) => reader.GetBoolean(i);

    public string Text(int i) => reader.GetString(i);

    public string? TextOrNull(int i) => reader.IsDBNull(i) ? null : reader.GetString(i);

    public byte[] Octets(int i) => reader.GetFieldValue<byte[]>(i);

    public byte[]? OctetsOrNull(int i) => reader.IsDBNull(i) ? null : reader.GetFieldValue<byte[]>(i);

    public DateTimeOffset Time(int i) => kind == StoreKind.Sqlite
        ? DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(i))
        : reader.GetFieldValue<DateTimeOffset>(i);

    public DateTimeOffset? TimeOrNull(int i) => reader.IsDBNull(i) ? null : Time(i);

    public List<string> Texts(int i) => kind == StoreKind.Sqlite
        ? JsonSerializer.Deserialize(reader.GetString(i), Protocol.Acme.AcmeJson.Wire.ListString) ?? []
        : [.. reader.GetFieldValue<string[]>(i)];
}

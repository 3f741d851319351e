using System.Buffers;
using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using PersistCa.Protocol;

namespace PersistCa.Storage.Backup;

/// <summary>Rows as lines: a JSON array of the values in the order of the columns. Octets are base64, times microseconds since 1970.</summary>
internal static class BackupRow
{
    private const long TicksPerMicrosecond = TimeSpan.TicksPerMicrosecond;
    private const string DateForm = "yyyy-MM-dd";
    private static readonly long MostMicroseconds = (DateTime.MaxValue.Ticks - DateTime.UnixEpoch.Ticks) / TicksPerMicrosecond;
    private static readonly long LeastMicroseconds = -(DateTime.UnixEpoch.Ticks / TicksPerMicrosecond);

    /// <summary>Writes the row that a reader stands at.</summary>
    public static void Write(IBufferWriter<byte> line, Utf8JsonWriter json, DbDataReader row, StoreKind store, IReadOnlyList<BackupColumn> columns)
    {
        json.Reset(line);
        json.WriteStartArray();
        for (var at = 0; at < columns.Count; at++)
        {
            if (row.IsDBNull(at))
            {
                json.WriteNullValue();
            }
            else if (store == StoreKind.PostgreSql)
            {
                WritePostgres(json, row, at, columns[at].Kind);
            }
            else
            {
                WriteSqlite(json, row, at, columns[at].Kind);
            }
        }

        json.WriteEndArray();
        json.Flush();
    }

    /// <summary>Reads the values of a row: long, bool, string, byte[], DateTime, DateOnly, string[], byte[][], null.</summary>
    public static Parsed<object?[]> Read(ReadOnlySpan<byte> line, IReadOnlyList<BackupColumn> columns)
    {
        try
        {
            var json = new Utf8JsonReader(line);
            var values = new object?[columns.Count];
            json.Read();
            Expect(json.TokenType == JsonTokenType.StartArray);
            for (var at = 0; at < values.Length; at++)
            {
                json.Read();
                values[at] = json.TokenType == JsonTokenType.Null ? null : Value(ref json, columns[at].Kind);
            }

            json.Read();
            Expect(json.TokenType == JsonTokenType.EndArray && !json.Read());
            return Parsed<object?[]>.Ok(values);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            return Parsed<object?[]>.Refused($"it is no row of {columns.Count} values of their kinds");
        }
    }

    /// <summary>A value as SQLite keeps it.</summary>
    public static object ForSqlite(object? value) => value switch
    {
        null => DBNull.Value,
        bool b => b ? 1L : 0L,
        DateTime t => new DateTimeOffset(t).ToUnixTimeMilliseconds(),
        DateOnly d => d.ToString(DateForm, CultureInfo.InvariantCulture),
        string[] texts => JsonSerializer.Serialize(texts),
        byte[][] blobs => JsonSerializer.Serialize(blobs.Select(Convert.ToHexString)),
        _ => value,
    };

    private static void WritePostgres(Utf8JsonWriter json, DbDataReader row, int at, ColumnKind kind)
    {
        switch (kind)
        {
            case ColumnKind.Int:
                json.WriteNumberValue(row.GetFieldValue<long>(at));
                break;
            case ColumnKind.Bool:
                json.WriteBooleanValue(row.GetBoolean(at));
                break;
            case ColumnKind.Text:
                json.WriteStringValue(row.GetString(at));
                break;
            case ColumnKind.Bytes:
                json.WriteBase64StringValue(row.GetFieldValue<byte[]>(at));
                break;
            case ColumnKind.Time:
                json.WriteNumberValue((row.GetFieldValue<DateTime>(at).Ticks - DateTime.UnixEpoch.Ticks) / TicksPerMicrosecond);
                break;
            case ColumnKind.Date:
                json.WriteStringValue(row.GetFieldValue<DateOnly>(at).ToString(DateForm, CultureInfo.InvariantCulture));
                break;
            case ColumnKind.Texts:
                WriteTexts(json, row.GetFieldValue<string[]>(at));
                break;
            case ColumnKind.Blobs:
                WriteBlobs(json, row.GetFieldValue<byte[][]>(at));
                break;
            default:
                throw new InvalidOperationException($"a column of the kind {kind}");
        }
    }

    private static void WriteSqlite(Utf8JsonWriter json, DbDataReader row, int at, ColumnKind kind)
    {
        switch (kind)
        {
            case ColumnKind.Int:
                json.WriteNumberValue(row.GetInt64(at));
                break;
            case ColumnKind.Bool:
                json.WriteBooleanValue(row.GetInt64(at) != 0);
                break;
            case ColumnKind.Text or ColumnKind.Date:
                json.WriteStringValue(row.GetString(at));
                break;
            case ColumnKind.Bytes:
                json.WriteBase64StringValue(row.GetFieldValue<byte[]>(at));
                break;
            case ColumnKind.Time:
                json.WriteNumberValue(row.GetInt64(at) * 1000);
                break;
            case ColumnKind.Texts:
                WriteTexts(json, JsonSerializer.Deserialize<string[]>(row.GetString(at))!);
                break;
            case ColumnKind.Blobs:
                WriteBlobs(json, JsonSerializer.Deserialize<string[]>(row.GetString(at))!.Select(Convert.FromHexString));
                break;
            default:
                throw new InvalidOperationException($"a column of the kind {kind}");
        }
    }

    private static void WriteTexts(Utf8JsonWriter json, IEnumerable<string> texts)
    {
        json.WriteStartArray();
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }

    private static void WriteBlobs(Utf8JsonWriter json, IEnumerable<byte[]> blobs)
    {
        json.WriteStartArray();
        foreach (var blob in blobs)
        {
            json.WriteBase64StringValue(blob);
        }

        json.WriteEndArray();
    }

    private static object Value(ref Utf8JsonReader json, ColumnKind kind)
    {
        switch (kind)
        {
            case ColumnKind.Int:
                return json.GetInt64();
            case ColumnKind.Bool:
                return json.GetBoolean();
            case ColumnKind.Text:
                return json.GetString()!;
            case ColumnKind.Bytes:
                return json.GetBytesFromBase64();
            case ColumnKind.Time:
                var microseconds = json.GetInt64();
                Expect(microseconds >= LeastMicroseconds && microseconds <= MostMicroseconds);
                return new DateTime(DateTime.UnixEpoch.Ticks + (microseconds * TicksPerMicrosecond), DateTimeKind.Utc);
            case ColumnKind.Date:
                return DateOnly.ParseExact(json.GetString()!, DateForm, CultureInfo.InvariantCulture);
            case ColumnKind.Texts:
                var texts = new List<string>();
                for (Expect(json.TokenType == JsonTokenType.StartArray); json.Read() && json.TokenType != JsonTokenType.EndArray;)
                {
                    Expect(json.TokenType == JsonTokenType.String);
                    texts.Add(json.GetString()!);
                }

                return texts.ToArray();
            case ColumnKind.Blobs:
                var blobs = new List<byte[]>();
                for (Expect(json.TokenType == JsonTokenType.StartArray); json.Read() && json.TokenType != JsonTokenType.EndArray;)
                {
                    Expect(json.TokenType == JsonTokenType.String);
                    blobs.Add(json.GetBytesFromBase64());
                }

                return blobs.ToArray();
            default:
                throw new FormatException();
        }
    }

    private static void Expect(bool holds)
    {
        if (!holds)
        {
            throw new FormatException();
        }
    }
}

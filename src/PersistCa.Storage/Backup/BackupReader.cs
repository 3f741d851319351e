using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using PersistCa.Protocol;

namespace PersistCa.Storage.Backup;

/// <summary>Something of a backup, in the order of its lines.</summary>
public abstract record BackupPart
{
    /// <summary>The beginning of a table.</summary>
    public sealed record Table(BackupTable Value) : BackupPart;

    /// <summary>A row of the last table: long, bool, string, byte[], DateTime, DateOnly, string[], byte[][] or null for each column.</summary>
    public sealed record Row(IReadOnlyList<object?> Values) : BackupPart;

    /// <summary>A file.</summary>
    public sealed record File(string Name, byte[] Octets) : BackupPart;

    /// <summary>The end: everything before it is what it says.</summary>
    public sealed record End(BackupManifest Manifest) : BackupPart;
}

/// <summary>Reads a backup line by line, strictly: a line that is not understood, a sum that differs, a line too many or too few is a refusal. Memory is bounded by the longest line.</summary>
/// <param name="stream">The lines.</param>
public sealed class BackupReader(Stream stream) : IDisposable
{
    /// <summary>Longest line, octets.</summary>
    public const int MaxLineOctets = 64 * 1024 * 1024;

    private const int MaxTables = 1000;
    private const int MaxColumns = 200;
    private const int MaxFiles = 1000;
    private const int MaxNameLength = 63;

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly List<BackupSum> tables = [];
    private readonly List<BackupSum> files = [];
    private byte[] buffer = new byte[128 * 1024];
    private int start;
    private int end;
    private BackupTable? table;
    private long rows;
    private long lines;

    /// <summary>Reads the first line.</summary>
    public Parsed<BackupHeader> ReadHeader()
    {
        var line = Line(out var refusal);
        if (line is null)
        {
            return Parsed<BackupHeader>.Refused(refusal ?? "it is empty");
        }

        var read = Json(line.Value.Span, BackupJson.Default.BackupHeader);
        return !read.IsValid ? Parsed<BackupHeader>.Refused(read.Reason)
            : read.Value.Format != BackupHeader.FormatName ? Parsed<BackupHeader>.Refused("it is no backup of this product")
            : read.Value.Version is < 1 or > BackupHeader.NewestVersion ? Parsed<BackupHeader>.Refused($"its form has version {read.Value.Version}; this program reads up to {BackupHeader.NewestVersion}: use a newer one")
            : read.Value.Schema.Count == 0 || read.Value.Schema.Contains(null!) ? Parsed<BackupHeader>.Refused("it does not say which schema it is of")
            : read;
    }

    /// <summary>Reads what comes next. After the end nothing may be read.</summary>
    public Parsed<BackupPart> Read()
    {
        var line = Line(out var refusal);
        if (line is null)
        {
            return Parsed<BackupPart>.Refused(refusal ?? "it is cut: its last line is missing");
        }

        if (line.Value.Span is [(byte)'[', ..])
        {
            return ReadRow(line.Value.Span);
        }

        CloseTable();
        return line.Value.Span.StartsWith("{\"table\":"u8) ? ReadTable(line.Value.Span)
            : line.Value.Span.StartsWith("{\"file\":"u8) ? ReadFile(line.Value.Span)
            : ReadEnd(line.Value.Span);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        hash.Dispose();
        stream.Dispose();
    }

    private Parsed<BackupPart> ReadRow(ReadOnlySpan<byte> line)
    {
        if (table is null)
        {
            return Refused("a row stands outside of any table");
        }

        hash.AppendData(line);
        hash.AppendData("\n"u8);
        rows++;
        var row = BackupRow.Read(line, table.Columns);
        return row.IsValid ? Parsed<BackupPart>.Ok(new BackupPart.Row(row.Value)) : Refused($"row {rows} of {table.Name}: {row.Reason}");
    }

    private Parsed<BackupPart> ReadTable(ReadOnlySpan<byte> line)
    {
        var read = Json(line, BackupJson.Default.TableLine);
        if (!read.IsValid)
        {
            return Refused(read.Reason);
        }

        var columns = new List<BackupColumn>();
        foreach (var column in read.Value.Columns)
        {
            if (column is not [{ } name, { } kind] || !IsName(name) || !Enum.TryParse<ColumnKind>(kind, out var known) || known.ToString() != kind || columns.Exists(c => c.Name == name))
            {
                return Refused("a table has a column that is none");
            }

            columns.Add(new BackupColumn(name, known));
        }

        if (!IsName(read.Value.Table) || columns.Count is 0 or > MaxColumns || tables.Count == MaxTables || tables.Exists(t => t.Name == read.Value.Table) || files.Count > 0)
        {
            return Refused("a table is there twice, without columns, or in the wrong place");
        }

        (table, rows) = (new BackupTable(read.Value.Table, columns), 0);
        return Parsed<BackupPart>.Ok(new BackupPart.Table(table));
    }

    private Parsed<BackupPart> ReadFile(ReadOnlySpan<byte> line)
    {
        var read = Json(line, BackupJson.Default.FileLine);
        if (!read.IsValid || files.Count == MaxFiles || files.Exists(f => f.Name == read.Value.File))
        {
            return Refused(read.Reason ?? "a file is there twice, or there are too many");
        }

        files.Add(new BackupSum(read.Value.File, 1, Convert.ToHexStringLower(SHA256.HashData(read.Value.Data))));
        return Parsed<BackupPart>.Ok(new BackupPart.File(read.Value.File, read.Value.Data));
    }

    private Parsed<BackupPart> ReadEnd(ReadOnlySpan<byte> line)
    {
        var read = Json(line, BackupJson.Default.ManifestLine);
        if (!read.IsValid)
        {
            return Refused(read.Reason);
        }

        var manifest = read.Value.Manifest;
        if (manifest.Marks.Lists.Contains(null!) || Differs(manifest.Tables, tables) || Differs(manifest.Files, files))
        {
            return Refused($"its sums do not fit its {tables.Count} tables and {files.Count} files");
        }

        return Line(out var refusal) is null && refusal is null ? Parsed<BackupPart>.Ok(new BackupPart.End(manifest)) : Refused(refusal ?? "something follows its end");
    }

    private static bool Differs(IReadOnlyList<BackupSum> said, List<BackupSum> found) => !said.SequenceEqual(found);

    private void CloseTable()
    {
        if (table is not null)
        {
            tables.Add(new BackupSum(table.Name, rows, Convert.ToHexStringLower(hash.GetHashAndReset())));
            table = null;
        }
    }

    private Parsed<BackupPart> Refused(string reason) => Parsed<BackupPart>.Refused($"line {lines}: {reason}");

    private static bool IsName(string name) => name.Length is > 0 and <= MaxNameLength && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_');

    private static Parsed<T> Json<T>(ReadOnlySpan<byte> line, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(line, type) is { } value ? Parsed<T>.Ok(value) : Parsed<T>.Refused("a line says nothing");
        }
        catch (JsonException)
        {
            return Parsed<T>.Refused("a line is of no known form");
        }
    }

    /// <summary>The next line without its end; null at the end of the stream, or when there is none that can be read.</summary>
    private ReadOnlyMemory<byte>? Line(out string? refusal)
    {
        refusal = null;
        for (var scanned = start; ;)
        {
            var found = buffer.AsSpan(scanned, end - scanned).IndexOf((byte)'\n');
            if (found >= 0)
            {
                var line = buffer.AsMemory(start, scanned + found - start);
                start = scanned + found + 1;
                lines++;
                return line;
            }

            if (end - start >= MaxLineOctets)
            {
                refusal = $"line {lines + 1} is longer than {MaxLineOctets} octets";
                return null;
            }

            scanned = Fill(end);
            int count;
            try
            {
                count = stream.Read(buffer, end, buffer.Length - end);
            }
            catch (InvalidDataException e)
            {
                refusal = e.Message; // so do streams say that what they read was damaged
                return null;
            }

            if (count == 0)
            {
                refusal = end > start ? "it is cut in the middle of a line" : null;
                return null;
            }

            end += count;
        }
    }

    /// <summary>Makes room behind what is held, by moving it to the front or by more memory.</summary>
    /// <returns>Where what was held ends now.</returns>
    private int Fill(int held)
    {
        if (held < buffer.Length)
        {
            return held;
        }

        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
        }
        else
        {
            Array.Resize(ref buffer, buffer.Length * 2);
        }

        (start, end) = (0, end - start);
        return end;
    }
}

using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace PersistCa.Storage.Backup;

/// <summary>Writes the lines of a backup, one after the other: never more of it than a row is in memory.</summary>
/// <param name="stream">Where they go; compressed and encrypted there.</param>
internal sealed class BackupWriter(Stream stream) : IDisposable
{
    private readonly ArrayBufferWriter<byte> line = new(64 * 1024);
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly List<BackupSum> tables = [];
    private readonly List<BackupSum> files = [];
    private string? table;
    private long rows;

    /// <summary>Where a row is put before <see cref="EndRow"/>.</summary>
    public IBufferWriter<byte> Line => line;

    public void Head(BackupHeader header) => Plain(header, BackupJson.Default.BackupHeader);

    public void BeginTable(BackupTable next)
    {
        Plain(new TableLine(next.Name, [.. next.Columns.Select(c => new[] { c.Name, c.Kind.ToString() })]), BackupJson.Default.TableLine);
        (table, rows) = (next.Name, 0);
    }

    public void EndRow()
    {
        line.Write("\n"u8);
        if (line.WrittenCount > BackupReader.MaxLineOctets)
        {
            throw new InvalidOperationException($"a row of {table} has {line.WrittenCount} octets, which no backup can hold"); // it could not be read again
        }

        hash.AppendData(line.WrittenSpan);
        Send();
        rows++;
    }

    public void EndTable() => tables.Add(new BackupSum(table!, rows, Convert.ToHexStringLower(hash.GetHashAndReset())));

    public void File(string name, byte[] octets)
    {
        Plain(new FileLine(name, octets), BackupJson.Default.FileLine);
        files.Add(new BackupSum(name, 1, Convert.ToHexStringLower(SHA256.HashData(octets))));
    }

    public BackupManifest End(StoreMarks marks)
    {
        var manifest = new BackupManifest(tables, files, marks);
        Plain(new ManifestLine(manifest), BackupJson.Default.ManifestLine);
        return manifest;
    }

    public void Dispose() => hash.Dispose();

    private void Plain<T>(T value, JsonTypeInfo<T> type)
    {
        line.Write(JsonSerializer.SerializeToUtf8Bytes(value, type));
        line.Write("\n"u8);
        Send();
    }

    private void Send()
    {
        stream.Write(line.WrittenSpan);
        line.ResetWrittenCount();
    }
}

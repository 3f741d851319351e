using System.Text.Json;
using System.Text.Json.Serialization;

namespace PersistCa.Storage.Backup;

/// <summary>First line of a backup: what it is, before anything of it is taken.</summary>
/// <param name="Format">Always persistca-backup.</param>
/// <param name="Version">Version of the form of the lines.</param>
/// <param name="Product">Version of the program that made it.</param>
/// <param name="MadeAt">When.</param>
/// <param name="Store">Kind of database that it came from.</param>
/// <param name="Schema">Every change of the schema, oldest first.</param>
public sealed record BackupHeader(string Format, int Version, string Product, DateTimeOffset MadeAt, string Store, IReadOnlyList<string> Schema)
{
    /// <summary>What <see cref="Format"/> says.</summary>
    public const string FormatName = "persistca-backup";

    /// <summary>The version that is written, and the newest that is read.</summary>
    public const int NewestVersion = 1;
}

/// <summary>What a table, or a file, must come to.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Rows">Its rows; 1 for a file.</param>
/// <param name="Sha256">SHA-256 over its lines, or over the file's octets; lower-case hex.</param>
public sealed record BackupSum(string Name, long Rows, string Sha256);

/// <summary>Last line of a backup.</summary>
/// <param name="Tables">The tables, in their order.</param>
/// <param name="Files">The files.</param>
/// <param name="Marks">How far the store had come.</param>
public sealed record BackupManifest(IReadOnlyList<BackupSum> Tables, IReadOnlyList<BackupSum> Files, StoreMarks Marks);

/// <summary>How far a store has come in what may never go back.</summary>
/// <param name="At">When this was seen.</param>
/// <param name="Audit">The newest entry of the audit log; null while there is none.</param>
/// <param name="Lists">The highest CRL number of each part of each issuer.</param>
/// <param name="Checkpoint">The newest checkpoint of the log, a signed note; null while there is none.</param>
public sealed record StoreMarks(DateTimeOffset At, AuditMark? Audit, IReadOnlyList<ListMark> Lists, string? Checkpoint = null);

/// <summary>An entry of the audit log, by its place and its content.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Hash">Its <see cref="AuditDigest"/>.</param>
public sealed record AuditMark(long Id, string Hash);

/// <summary>A revocation list that was made.</summary>
/// <param name="Issuer">Id of the issuer.</param>
/// <param name="Part">The part, 0 for the list at the issuer's own URL.</param>
/// <param name="Number">Its number.</param>
public sealed record ListMark(string Issuer, int Part, long Number);

/// <summary>First line of a table.</summary>
/// <param name="Table">Its name.</param>
/// <param name="Columns">Name and kind of each column.</param>
internal sealed record TableLine(string Table, IReadOnlyList<IReadOnlyList<string>> Columns);

/// <summary>A file beside the store.</summary>
/// <param name="File">Its name in the data folder.</param>
/// <param name="Data">Its octets.</param>
internal sealed record FileLine(string File, byte[] Data);

/// <summary>The last line.</summary>
/// <param name="Manifest">The sums.</param>
internal sealed record ManifestLine(BackupManifest Manifest);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 16)]
[JsonSerializable(typeof(BackupHeader))]
[JsonSerializable(typeof(TableLine))]
[JsonSerializable(typeof(FileLine))]
[JsonSerializable(typeof(ManifestLine))]
[JsonSerializable(typeof(StoreMarks))]
internal sealed partial class BackupJson : JsonSerializerContext;

/// <summary>Reads marks that were written down.</summary>
public static class StoreMarksText
{
    private const int MaxLength = 1024 * 1024;

    /// <summary>Writes them.</summary>
    public static string Write(StoreMarks marks) => JsonSerializer.Serialize(marks, BackupJson.Default.StoreMarks);

    /// <summary>Reads them.</summary>
    public static Protocol.Parsed<StoreMarks> Read(string text)
    {
        if (text.Length > MaxLength)
        {
            return Protocol.Parsed<StoreMarks>.Refused($"it has {text.Length} characters; at most {MaxLength} are read");
        }

        try
        {
            return JsonSerializer.Deserialize(text, BackupJson.Default.StoreMarks) is { } marks && !marks.Lists.Contains(null!)
                ? Protocol.Parsed<StoreMarks>.Ok(marks)
                : Protocol.Parsed<StoreMarks>.Refused("it holds no marks");
        }
        catch (JsonException e)
        {
            return Protocol.Parsed<StoreMarks>.Refused("it is not what 'persistca backup marks' writes: " + e.Message.ReplaceLineEndings(" "));
        }
    }
}

using System.Collections.Immutable;
using System.Text;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Ceremonies;

/// <summary>The public files of a ceremony: transcripts, certificates, requests, lists, the description of shares. Nothing in it is ever overwritten.</summary>
/// <param name="path">The folder; made when the first file is.</param>
public sealed class CeremonyFolder(string path)
{
    /// <summary>Name of the root's certificate.</summary>
    public const string RootFile = "root.pem";

    /// <summary>Most files.</summary>
    public const int MaxFiles = 4096;

    /// <summary>Longest file, octets.</summary>
    public const int MaxFileOctets = 4 * 1024 * 1024;

    private static readonly string[] Endings = [".json", ".pem", ".csr", ".crl"];

    /// <summary>The folder.</summary>
    public string Path => path;

    /// <summary>Reads the public files.</summary>
    /// <returns>Each by its name; or what is in the way.</returns>
    public Parsed<ImmutableSortedDictionary<string, byte[]>> Read()
    {
        var found = ImmutableSortedDictionary.CreateBuilder<string, byte[]>(StringComparer.Ordinal);
        try
        {
            foreach (var file in Directory.Exists(path) ? new DirectoryInfo(path).EnumerateFiles() : [])
            {
                if (!IsPublic(file.Name))
                {
                    continue;
                }

                if (found.Count == MaxFiles || file.Length > MaxFileOctets)
                {
                    return Refuse(found.Count == MaxFiles ? $"{path} has more than {MaxFiles} files" : $"{file.Name} has {file.Length} octets; at most {MaxFileOctets} are read");
                }

                found[file.Name] = File.ReadAllBytes(file.FullName);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Refuse($"the folder {path} cannot be read: {e.Message}");
        }

        return Parsed<ImmutableSortedDictionary<string, byte[]>>.Ok(found.ToImmutable());
    }

    /// <summary>Writes files in their order, through to the disk.</summary>
    /// <returns>Null when all are written; else a reason.</returns>
    public string? Write(IEnumerable<(string Name, byte[] Octets)> files)
    {
        foreach (var (name, octets) in files)
        {
            try
            {
                Directory.CreateDirectory(path);
                using var stream = new FileStream(System.IO.Path.Combine(path, name), FileMode.CreateNew, FileAccess.Write);
                stream.Write(octets);
                stream.Flush(flushToDisk: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return $"{name} cannot be written to {path}: {e.Message}";
            }
        }

        return null;
    }

    /// <summary>Says why a text names no file of a ceremony; null when it does: letters, digits, dots, hyphens and underscores, and no folder.</summary>
    internal static string? JudgeName(string name) =>
        name.Length is > 0 and <= 100 && char.IsAsciiLetterOrDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_') ? null : "a file's name is none of a ceremony";

    // Keys and shares are not even read.
    private static bool IsPublic(string name) => JudgeName(name) is null && Endings.Any(e => name.EndsWith(e, StringComparison.Ordinal)) && !name.EndsWith(".key.pem", StringComparison.Ordinal);

    private static Parsed<ImmutableSortedDictionary<string, byte[]>> Refuse(string reason) => Parsed<ImmutableSortedDictionary<string, byte[]>>.Refused(reason);

    /// <summary>Text as octets.</summary>
    internal static byte[] Octets(string text) => Encoding.ASCII.GetBytes(text);
}

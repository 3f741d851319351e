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

    /// <summary>
    /// Writes files in their order, through to the disk, unless the folder has changed since it was read: two commands at once would each write a step of the same number.
    /// Each file comes to its name whole or not at all.
    /// </summary>
    /// <param name="files">The files.</param>
    /// <param name="read">What <see cref="Read"/> gave.</param>
    /// <returns>Null when all are written; else a reason.</returns>
    public string? Write(IEnumerable<(string Name, byte[] Octets)> files, IReadOnlyDictionary<string, byte[]> read)
    {
        var at = path;
        try
        {
            Directory.CreateDirectory(path);
            at = System.IO.Path.Combine(path, ".lock");
            using var alone = new FileStream(at, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
            var now = Read();
            if (!now.IsValid || !now.Value.Keys.SequenceEqual(read.Keys.Order(StringComparer.Ordinal)))
            {
                return now.Reason ?? $"{path} has changed meanwhile: another command works there; begin again";
            }

            foreach (var (name, octets) in files)
            {
                at = System.IO.Path.Combine(path, name);
                var beside = System.IO.Path.Combine(path, "." + name); // hidden, so that nobody takes half a file for a whole one
                using (var stream = new FileStream(beside, FileMode.Create, FileAccess.Write))
                {
                    stream.Write(octets);
                    stream.Flush(flushToDisk: true);
                }

                File.Move(beside, at, overwrite: false);
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{at} cannot be written: {e.Message}";
        }
    }

    /// <summary>Says why a text names no file of a ceremony; null when it does: letters, digits, dots, hyphens and underscores, and no folder.</summary>
    internal static string? JudgeName(string name) =>
        name.Length is > 0 and <= 100 && char.IsAsciiLetterOrDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_') ? null : "a file's name is none of a ceremony";

    /// <summary>Says why a file of this name would be none that everybody may see; null when it would be.</summary>
    internal static string? JudgePublic(string name) => JudgeName(name) ?? (IsPublic(name) ? null : $"{name} is no name of a public file of a ceremony: those of keys end in .key.pem");

    // Keys and shares are not even read.
    private static bool IsPublic(string name) => JudgeName(name) is null && Endings.Any(e => name.EndsWith(e, StringComparison.Ordinal)) && !name.EndsWith(".key.pem", StringComparison.Ordinal);

    private static Parsed<ImmutableSortedDictionary<string, byte[]>> Refuse(string reason) => Parsed<ImmutableSortedDictionary<string, byte[]>>.Refused(reason);

    /// <summary>Text as octets.</summary>
    internal static byte[] Octets(string text) => Encoding.ASCII.GetBytes(text);
}

using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands.Backup;

/// <summary>The authority's files in a backup: certificates, and keys that are encrypted already.</summary>
internal static class AuthorityCopies
{
    private const string Folder = "ca/";
    private const int MaxFileOctets = 1024 * 1024;
    private const int MaxNameLength = 200;

    /// <summary>Reads the files of the data folder's ca/.</summary>
    /// <exception cref="StartRefusedException">One holds a key in clear, is too long or cannot be read.</exception>
    public static IReadOnlyList<(string Name, byte[] Octets)> Read(PersistCaOptions options)
    {
        try
        {
            return [.. Directory.EnumerateFiles(AuthorityFiles.Folder(options)).Where(f => IsName(Folder + Path.GetFileName(f))).Order(StringComparer.Ordinal).Select(Read)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException("--with-keys", e.Message);
        }
    }

    /// <summary>Why a file of a backup cannot be put into the data folder; null when it can.</summary>
    public static string? Refuse(PersistCaOptions options, string name) =>
        !IsName(name) ? "the backup has a file of a name that no authority's file has"
        : File.Exists(Path.Combine(options.Server.DataDirectory, name)) ? $"{Path.Combine(options.Server.DataDirectory, name)} exists; a key is never overwritten"
        : null;

    /// <summary>Puts a file of a backup into the data folder.</summary>
    public static void Write(PersistCaOptions options, string name, byte[] octets)
    {
        if (Refuse(options, name) is { } reason)
        {
            throw new StartRefusedException("--with-keys", reason);
        }

        AuthorityFiles.MakeOwn(AuthorityFiles.Folder(options));
        AuthorityFiles.WriteOwn(Path.Combine(options.Server.DataDirectory, name), octets);
    }

    private static (string Name, byte[] Octets) Read(string path)
    {
        var octets = new FileInfo(path).Length <= MaxFileOctets ? File.ReadAllBytes(path) : throw new StartRefusedException("--with-keys", $"{path} has more than {MaxFileOctets} octets, and is no key or certificate");
        var text = System.Text.Encoding.Latin1.GetString(octets);
        return text.Contains("PRIVATE KEY-----", StringComparison.Ordinal) && !text.Contains("BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal)
            ? throw new StartRefusedException("--with-keys", $"{path} holds a key in clear; keys go along only encrypted")
            : (Folder + Path.GetFileName(path), octets);
    }

    private static bool IsName(string name) =>
        name.StartsWith(Folder, StringComparison.Ordinal) && name[Folder.Length..] is { Length: > 0 and <= MaxNameLength } file && file[0] != '.' && file.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');
}

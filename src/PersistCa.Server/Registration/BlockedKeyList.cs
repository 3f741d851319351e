using System.Collections.Frozen;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.Status;

namespace PersistCa.Server.Registration;

/// <summary>
/// Keys that are never certified: those in the store, which revocations put there, and those of the operator's file, such as the weak keys of Debian or
/// what a scan of one's own found.
/// </summary>
public sealed class BlockedKeyList
{
    /// <summary>Most lines of a file. Each costs about 40 octets of memory.</summary>
    public const int MaxLines = 10_000_000;

    private readonly FrozenSet<(UInt128 High, UInt128 Low)> listed;

    private BlockedKeyList(FrozenSet<(UInt128 High, UInt128 Low)> listed) => this.listed = listed;

    /// <summary>A list without a file.</summary>
    public static BlockedKeyList Empty { get; } = new(FrozenSet<(UInt128, UInt128)>.Empty);

    /// <summary>How many keys the file has.</summary>
    public int Count => listed.Count;

    /// <summary>Reads the operator's file: one SHA-256 of a SubjectPublicKeyInfo in hex on each line; empty lines and those that begin with # say nothing.</summary>
    /// <param name="path">Issuance:BlockedKeysFile; empty for none.</param>
    /// <exception cref="StartRefusedException">It cannot be read, a line is no fingerprint, or there are too many.</exception>
    public static BlockedKeyList Read(string path)
    {
        const string key = "Issuance:BlockedKeysFile";
        if (path.Length == 0)
        {
            return Empty;
        }

        try
        {
            var found = new HashSet<(UInt128, UInt128)>();
            var number = 0;
            foreach (var line in File.ReadLines(path))
            {
                number++;
                var text = line.AsSpan().Trim();
                if (text.IsEmpty || text[0] == '#')
                {
                    continue;
                }

                if (Parse(text) is not { } fingerprint)
                {
                    throw new StartRefusedException(key, $"{path}, line {number}: a SHA-256 fingerprint of 64 hexadecimal digits is expected");
                }

                if (found.Add(fingerprint) && found.Count > MaxLines)
                {
                    throw new StartRefusedException(key, $"{path} has more than {MaxLines} keys");
                }
            }

            return new BlockedKeyList(found.ToFrozenSet());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException(key, $"{path} cannot be read: {e.Message}");
        }
    }

    /// <summary>Whether a key is blocked, by the file or by the store.</summary>
    /// <param name="db">The model.</param>
    /// <param name="fingerprint">SHA-256 of its SubjectPublicKeyInfo, lower-case hex.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<bool> ContainsAsync(CaDb db, string fingerprint, CancellationToken cancel) =>
        Lists(fingerprint) || await db.IsBlockedAsync(fingerprint, cancel);

    /// <summary>Whether a key is blocked by the file.</summary>
    /// <param name="fingerprint">SHA-256 of its SubjectPublicKeyInfo, lower-case hex.</param>
    public bool Lists(string fingerprint) => Parse(fingerprint) is { } parsed && listed.Contains(parsed);

    private static (UInt128 High, UInt128 Low)? Parse(ReadOnlySpan<char> text) =>
        text.Length == 64
        && UInt128.TryParse(text[..32], System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out var high)
        && UInt128.TryParse(text[32..], System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out var low)
            ? (high, low)
            : null;
}

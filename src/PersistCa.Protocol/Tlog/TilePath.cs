using System.Globalization;
using System.Text;

namespace PersistCa.Protocol.Tlog;

/// <summary>
/// Where a tile is found (C2SP tlog-tiles): 256 hashes of a level, or 256 entries, in one file that never changes. The last of a level may be there in part,
/// and again with more.
/// </summary>
/// <param name="Level">0 for the tile of leaf hashes, each further level 8 levels of the tree above; null for a bundle of entries.</param>
/// <param name="Index">Which of its level, from 0.</param>
/// <param name="Width">How many are in it, 1 to 256.</param>
public sealed record TilePath(int? Level, long Index, int Width)
{
    /// <summary>Levels of the tree in a tile.</summary>
    public const int Height = 8;

    /// <summary>Hashes or entries in a whole tile.</summary>
    public const int Full = 1 << Height;

    private const int MostLevels = 63;
    private const string Hashes = "tile/";
    private const string Entries = "tile/entries/";

    /// <summary>The bundle or tiles that hold what a tree of some size has at a level.</summary>
    /// <param name="level">Level of tiles; null for bundles.</param>
    /// <param name="size">Leaves of the tree.</param>
    /// <param name="after">Those that were there with a tree of this size are left out, whole ones at least.</param>
    public static IEnumerable<TilePath> Of(int? level, long size, long after = 0)
    {
        var shift = Height * (level ?? 0);
        var (count, known) = (size >> shift, after >> shift);
        for (var index = known / Full; index * Full < count; index++)
        {
            var width = (int)Math.Min(Full, count - (index * Full));
            if ((index * Full) + width > known)
            {
                yield return new TilePath(level, index, width);
            }
        }
    }

    /// <summary>Reads a path: what follows the prefix of the log.</summary>
    public static Parsed<TilePath> Parse(string path)
    {
        int? level = null;
        string rest;
        if (path.StartsWith(Entries, StringComparison.Ordinal))
        {
            rest = path[Entries.Length..];
        }
        else if (path.StartsWith(Hashes, StringComparison.Ordinal) && path.IndexOf('/', Hashes.Length) is > 0 and var end
            && Number(path[Hashes.Length..end], MostLevels) is { } number)
        {
            (level, rest) = ((int)number, path[(end + 1)..]);
        }
        else
        {
            return Refused(path);
        }

        var width = Full;
        if (rest.IndexOf(".p/", StringComparison.Ordinal) is >= 0 and var dot)
        {
            if (Number(rest[(dot + 3)..], Full - 1) is not (> 0 and var part))
            {
                return Refused(path);
            }

            (width, rest) = ((int)part, rest[..dot]);
        }

        var groups = rest.Split('/');
        long index = 0;
        for (var i = 0; i < groups.Length; i++)
        {
            var last = i == groups.Length - 1;
            var digits = last ? groups[i] : groups[i] is ['x', ..] ? groups[i][1..] : "";
            if (digits.Length != 3 || !digits.All(char.IsAsciiDigit) || groups.Length > 6)
            {
                return Refused(path);
            }

            index = (index * 1000) + int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
        }

        var read = new TilePath(level, index, width);
        return read.ToString() == path ? Parsed<TilePath>.Ok(read) : Refused(path); // one spelling only
    }

    /// <summary>The path, such as tile/0/x001/x234/067 or tile/entries/000.p/12.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Level is { } level ? string.Create(CultureInfo.InvariantCulture, $"{Hashes}{level}/") : Entries);
        var digits = Index.ToString("D3", CultureInfo.InvariantCulture);
        digits = digits.PadLeft((digits.Length + 2) / 3 * 3, '0');
        for (var i = 0; i < digits.Length; i += 3)
        {
            text.Append(i + 3 < digits.Length ? "x" : "").Append(digits, i, 3).Append(i + 3 < digits.Length ? "/" : "");
        }

        return Width == Full ? text.ToString() : text.Append(CultureInfo.InvariantCulture, $".p/{Width}").ToString();
    }

    private static long? Number(string text, long most) =>
        text.Length is > 0 and <= 3 && (text.Length == 1 || text[0] != '0') && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= most ? number : null;

    private static Parsed<TilePath> Refused(string path) =>
        Parsed<TilePath>.Refused($"'{Excerpt.Of(path, 100, "")}' is no path of a tile; one such as tile/0/x001/234 or tile/entries/000.p/12 was expected");
}

using System.Globalization;

namespace PersistCa.Protocol.Tlog;

/// <summary>What a log says of itself (C2SP tlog-checkpoint): which log, how many entries, and the hash over all of them. Signed as a note.</summary>
/// <param name="Origin">Name of the log, the name of its keys too.</param>
/// <param name="Size">Entries.</param>
/// <param name="Root">Hash of the tree.</param>
public sealed record Checkpoint(string Origin, long Size, TreeHash Root)
{
    /// <summary>Reads the text of a note.</summary>
    /// <remarks>Lines that extend a checkpoint are refused: none is written here, and tlog-checkpoint advises against them.</remarks>
    public static Parsed<Checkpoint> Parse(string text)
    {
        if (text.Split('\n') is not [var origin, var size, var root, ""])
        {
            return Parsed<Checkpoint>.Refused("it has another form; three lines were expected: origin, size, hash");
        }

        return !NoteKey.IsName(origin) ? Parsed<Checkpoint>.Refused($"'{Excerpt.Of(origin, 100, "")}' is no origin: 1 to 255 octets without spaces and '+' were expected")
            : !long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var entries) || entries.ToString(CultureInfo.InvariantCulture) != size
                ? Parsed<Checkpoint>.Refused($"'{Excerpt.Of(size, 40, "")}' is no size: a number without leading zeros was expected")
            : TreeHash.FromBase64(root) is not { } hash ? Parsed<Checkpoint>.Refused($"'{Excerpt.Of(root, 60, "")}' is no hash: 32 octets in base64 were expected")
            : Parsed<Checkpoint>.Ok(new Checkpoint(origin, entries, hash));
    }

    /// <summary>The text of the note.</summary>
    public string Text => string.Create(CultureInfo.InvariantCulture, $"{Origin}\n{Size}\n{Root}\n");
}

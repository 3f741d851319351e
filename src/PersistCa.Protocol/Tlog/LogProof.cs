using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace PersistCa.Protocol.Tlog;

/// <summary>All that shows offline that an entry is in a log (C2SP tlog-proof): its place, the hashes beside its way up, and the signed checkpoint.</summary>
/// <param name="Index">Which entry, from 0.</param>
/// <param name="Path">The proof of inclusion, from the leaf up.</param>
/// <param name="Note">The checkpoint with its signatures.</param>
public sealed record LogProof(long Index, ImmutableArray<TreeHash> Path, SignedNote Note)
{
    private const string First = "c2sp.org/tlog-proof@v1";
    private const string IndexWord = "index ";

    /// <summary>Longest way up.</summary>
    public const int MaxPath = 63;

    /// <summary>Reads a proof file.</summary>
    public static Parsed<LogProof> Parse(ReadOnlySpan<byte> octets)
    {
        if (octets.Length > SignedNote.MaxOctets + 8192)
        {
            return Refused($"it has {octets.Length} octets");
        }

        var end = octets.IndexOf("\n\n"u8);
        var lines = end < 0 ? [] : Encoding.ASCII.GetString(octets[..end]).Split('\n');
        if (lines.Length < 2 || lines[0] != First || !lines[1].StartsWith(IndexWord, StringComparison.Ordinal))
        {
            return Refused($"'{First}', 'index N', hashes, an empty line and a checkpoint were expected");
        }

        var number = lines[1][IndexWord.Length..];
        if (!long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index.ToString(CultureInfo.InvariantCulture) != number)
        {
            return Refused($"'{Excerpt.Of(number, 40, "")}' is no index");
        }

        var path = ImmutableArray.CreateBuilder<TreeHash>();
        foreach (var line in lines.Skip(2))
        {
            if (path.Count == MaxPath || TreeHash.FromBase64(line) is not { } hash)
            {
                return Refused($"line {path.Count + 3} is no hash, or there are more than {MaxPath}");
            }

            path.Add(hash);
        }

        var note = SignedNote.Parse(octets[(end + 2)..]);
        return note.IsValid ? Parsed<LogProof>.Ok(new LogProof(index, path.ToImmutable(), note.Value)) : Refused("its checkpoint: " + note.Reason);
    }

    /// <summary>Whether the entry is in the tree of the checkpoint. Who signed it is another question.</summary>
    public bool Holds(ReadOnlySpan<byte> entry) =>
        Checkpoint.Parse(Note.Text) is { IsValid: true } checkpoint && MerkleTree.VerifyInclusion(Index, TreeHash.Leaf(entry), checkpoint.Value.Size, checkpoint.Value.Root, Path);

    /// <summary>The file.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{First}\n{IndexWord}{Index}\n{string.Concat(Path.Select(h => h + "\n"))}\n{Note}");

    private static Parsed<LogProof> Refused(string reason) => Parsed<LogProof>.Refused(reason);
}

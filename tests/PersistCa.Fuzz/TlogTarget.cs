using System.Text;
using PersistCa.Protocol.Tlog;

namespace PersistCa.Fuzz;

/// <summary>Notes, checkpoints, proofs, keys, paths and bundles of a log: what is read is written again in the same octets.</summary>
internal static class TlogTarget
{
    public static void Run(byte[] octets)
    {
        if (SignedNote.Parse(octets) is { IsValid: true } note)
        {
            Same(octets, note.Value.ToString());
            if (Checkpoint.Parse(note.Value.Text) is { IsValid: true } checkpoint)
            {
                Same(Encoding.UTF8.GetBytes(note.Value.Text), checkpoint.Value.Text);
            }
        }

        if (LogProof.Parse(octets) is { IsValid: true } proof)
        {
            Same(octets, proof.Value.ToString());
            _ = proof.Value.Holds(octets);
        }

        var text = Encoding.UTF8.GetString(octets);
        if (NoteKey.Parse(text) is { IsValid: true } key)
        {
            Same(octets, key.Value.ToString());
        }

        if (TilePath.Parse(text) is { IsValid: true } path)
        {
            Same(octets, path.Value.ToString());
        }

        if (octets.Length > 0 && EntryBundle.Read(octets.AsMemory(1), octets[0]) is { IsValid: true } bundle && bundle.Value.Length > 0
            && !EntryBundle.Write(bundle.Value).AsSpan().SequenceEqual(octets.AsSpan(1)))
        {
            throw new InvalidOperationException("a bundle is written otherwise than it was read");
        }
    }

    public static IEnumerable<byte[]> Seeds()
    {
        var key = NoteKey.Of("log.example/admin", NoteKeyType.Ed25519, new byte[32]).Value!;
        var note = new SignedNote(new Checkpoint("log.example/admin", 1, TreeHash.Leaf("a"u8)).Text, []).With(key, new byte[64]);
        return new[] { note.ToString(), new LogProof(0, [], note).ToString(), key.ToString(), "tile/0/x001/x234/067.p/17", "tile/entries/000", "\u0002\0\u0001a\0\u0002bc" }.Select(Encoding.UTF8.GetBytes);
    }

    private static void Same(byte[] octets, string text)
    {
        if (!octets.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(text)))
        {
            throw new InvalidOperationException("what was read is written otherwise: " + text);
        }
    }
}

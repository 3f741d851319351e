using System.Collections.Immutable;
using System.Text;
using CsCheck;
using PersistCa.Protocol.Tlog;

namespace PersistCa.Protocol.Tests.Tlog;

/// <summary>Tiles, bundles, notes, checkpoints, proofs: what is written is read, and nothing else is.</summary>
public sealed class LogFilesTests
{
    private const string Known = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    private const string KnownNote = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
        + "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    private static readonly TreeHash Hash = TreeHash.Leaf("x"u8);

    [Theory]
    [InlineData(0, 0, 256, "tile/0/000")]
    [InlineData(0, 1234067, 256, "tile/0/x001/x234/067")]
    [InlineData(1, 5, 17, "tile/1/005.p/17")]
    [InlineData(63, 999, 1, "tile/63/999.p/1")]
    [InlineData(null, 1000, 256, "tile/entries/x001/000")]
    [InlineData(null, 273, 112, "tile/entries/273.p/112")]
    public void A_tile_has_its_path(int? level, long index, int width, string path)
    {
        var tile = new TilePath(level, index, width);
        Assert.Equal(path, tile.ToString());
        Assert.Equal(tile, TilePath.Parse(path).Value);
    }

    [Theory]
    [InlineData("tile/00/000")]
    [InlineData("tile/64/000")]
    [InlineData("tile/-1/000")]
    [InlineData("tile/0/0")]
    [InlineData("tile/0/0000")]
    [InlineData("tile/0/x000/000")]
    [InlineData("tile/0/001/000")]
    [InlineData("tile/0/x001")]
    [InlineData("tile/0/000.p/0")]
    [InlineData("tile/0/000.p/256")]
    [InlineData("tile/0/000.p/01")]
    [InlineData("tile/0/000/")]
    [InlineData("tile/0/../x001/000")]
    [InlineData("tile/0/x999/x999/x999/x999/x999/x999/999")]
    [InlineData("tile/entries/")]
    [InlineData("tile/")]
    [InlineData("")]
    public void A_path_with_another_spelling_is_none(string path) => Assert.Contains("is no path of a tile", TilePath.Parse(path).Reason, StringComparison.Ordinal);

    [Fact]
    public void A_tree_of_70000_has_the_tiles_of_the_specification()
    {
        Assert.Equal(["tile/0/273.p/112"], TilePath.Of(0, 70_000, 69_999).Select(t => t.ToString()));
        Assert.Equal(274, TilePath.Of(0, 70_000).Count());
        Assert.Equal(["tile/1/000", "tile/1/001.p/17"], TilePath.Of(1, 70_000).Select(t => t.ToString()));
        Assert.Equal(["tile/2/000.p/1"], TilePath.Of(2, 70_000).Select(t => t.ToString()));
        Assert.Empty(TilePath.Of(3, 70_000));
        Assert.Equal(["tile/0/000"], TilePath.Of(0, 256).Select(t => t.ToString()));
        Assert.Equal(["tile/1/000.p/1"], TilePath.Of(1, 256).Select(t => t.ToString()));
        Assert.Empty(TilePath.Of(0, 256, 256));
    }

    [Fact]
    public void Every_path_that_is_read_is_the_one_that_is_written() =>
        Gen.Select(Gen.Int[0, 63].Nullable(), Gen.Long[0, 999_999_999_999], Gen.Int[1, 256]).Sample((level, index, width) =>
        {
            var tile = new TilePath(level, index, width);
            Assert.Equal(tile, TilePath.Parse(tile.ToString()).Value);
        });

    [Fact]
    public void A_bundle_gives_back_its_entries() => Gen.Byte.Array[0, 300].Array[1, 256].Sample(entries =>
    {
        var bundle = EntryBundle.Write([.. entries.Select(e => (ReadOnlyMemory<byte>)e)]);
        Assert.Equal(entries, EntryBundle.Read(bundle, entries.Length).Value.Select(e => e.ToArray()));
        Assert.Contains("were expected", EntryBundle.Read(bundle, entries.Length + 1).Reason, StringComparison.Ordinal);
        Assert.Contains("follow its", EntryBundle.Read(bundle.Concat(new byte[] { 0 }).ToArray(), entries.Length).Reason, StringComparison.Ordinal);
    });

    [Fact]
    public void A_bundle_that_is_cut_names_the_entry() =>
        Assert.Equal("entry 1 has 3 octets, of which 2 are there", EntryBundle.Read(new byte[] { 0, 0, 0, 3, 1, 2 }, 2).Reason);

    [Fact]
    public void The_known_key_and_note_are_read()
    {
        var key = NoteKey.Parse(Known).Value!;
        Assert.Equal(("PeterNeumann", NoteKeyType.Ed25519, 0xc74f20a3u, Known), (key.Name, key.Type, key.Id, key.ToString()));
        var note = SignedNote.Parse(Encoding.UTF8.GetBytes(KnownNote)).Value!;
        Assert.Equal(KnownNote, note.ToString());
        var asked = 0;
        Assert.NotNull(note.SignedAt(key, (_, message, signature) =>
        {
            asked++;
            return Encoding.UTF8.GetString(message.Span) == note.Text && signature.Length == 64;
        }));
        Assert.Equal(1, asked);
        Assert.Null(note.SignedAt(key, (_, _, _) => false));
    }

    [Theory]
    [InlineData("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "its id is c74f20a4")]
    [InlineData("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "no name of a key")]
    [InlineData("PeterNeumann+c74f20a3+BRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "its type is 5")]
    [InlineData("PeterNeumann+c74f20a3+ARpc", "NAME+ID+KEY was expected")]
    [InlineData("PeterNeumann", "NAME+ID+KEY was expected")]
    public void A_key_that_is_none_says_why(string text, string words) => Assert.Contains(words, NoteKey.Parse(text).Reason, StringComparison.Ordinal);

    [Theory]
    [InlineData("text\n\n", "signature lines")]
    [InlineData("text\n— a AAAAAAA=\n", "signature lines")]
    [InlineData("text\n\n— a AAAAAAA=", "signature lines")]
    [InlineData("text\n\n— a AAAA\n", "no signature line")]
    [InlineData("text\n\n- a AAAAAAA=\n", "no signature line")]
    [InlineData("text\n\n— a b AAAAAAA=\n", "no signature line")]
    [InlineData("text\n\n— a AAAAAAB=\n", "no signature line")]
    [InlineData("te\rxt\n\n— a AAAAAAA=\n", "control characters")]
    [InlineData("", "signature lines")]
    public void A_note_that_is_none_says_why(string text, string words) => Assert.Contains(words, SignedNote.Parse(Encoding.UTF8.GetBytes(text)).Reason, StringComparison.Ordinal);

    [Fact]
    public void Notes_are_bounded()
    {
        var line = "— a AAAAAAA=\n";
        Assert.True(SignedNote.Parse(Encoding.UTF8.GetBytes("t\n\n" + string.Concat(Enumerable.Repeat(line, SignedNote.MaxSignatures)))).IsValid);
        Assert.Contains("at most 100 are read", SignedNote.Parse(Encoding.UTF8.GetBytes("t\n\n" + string.Concat(Enumerable.Repeat(line, SignedNote.MaxSignatures + 1)))).Reason, StringComparison.Ordinal);
        Assert.Contains("at most 65536 are read", SignedNote.Parse(new byte[SignedNote.MaxOctets + 1]).Reason, StringComparison.Ordinal);
        Assert.Equal("it is no UTF-8", SignedNote.Parse([0xFF, 0x0A]).Reason);
    }

    [Fact]
    public void Two_signatures_that_claim_one_key_count_as_none()
    {
        var key = NoteKey.Parse(Known).Value!;
        var note = new SignedNote("t\n", []).With(key, new byte[64]);
        Assert.NotNull(note.SignedAt(key, (_, _, _) => true));
        Assert.Null(note.With(key, new byte[64]).SignedAt(key, (_, _, _) => true));
    }

    [Fact]
    public void A_cosignature_is_over_its_time_and_the_text()
    {
        var key = NoteKey.Of("witness.example/w1", NoteKeyType.Ed25519Cosignature, new byte[32]).Value!;
        var at = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
        var note = new SignedNote("log.example\n1\nx\n", []).With(key, SignedNote.WithTime(at, new byte[64]));
        var read = SignedNote.Parse(Encoding.UTF8.GetBytes(note.ToString())).Value!;
        Assert.Equal(at, read.SignedAt(key, (_, message, signature) => Encoding.UTF8.GetString(message.Span) == "cosignature/v1\ntime 1800000000\nlog.example\n1\nx\n" && signature.Length == 64));
        Assert.Null(new SignedNote("t\n", []).With(key, SignedNote.WithTime(DateTimeOffset.UnixEpoch, new byte[64])).SignedAt(key, (_, _, _) => true));
        Assert.Null(new SignedNote("t\n", []).With(key, new byte[8]).SignedAt(key, (_, _, _) => true));
    }

    [Fact]
    public void A_checkpoint_is_three_lines()
    {
        var checkpoint = new Checkpoint("log.example/admin", 70_000, Hash);
        Assert.Equal($"log.example/admin\n70000\n{Hash}\n", checkpoint.Text);
        Assert.Equal(checkpoint, Checkpoint.Parse(checkpoint.Text).Value);
    }

    [Theory]
    [InlineData("o\n1\nHASH\nmore\n", "three lines")]
    [InlineData("o\n1\nHASH", "three lines")]
    [InlineData("o o\n1\nHASH\n", "is no origin")]
    [InlineData("o\n01\nHASH\n", "is no size")]
    [InlineData("o\n-1\nHASH\n", "is no size")]
    [InlineData("o\n99999999999999999999\nHASH\n", "is no size")]
    [InlineData("o\n1\nAAAA\n", "is no hash")]
    public void A_checkpoint_in_another_form_says_why(string text, string words) =>
        Assert.Contains(words, Checkpoint.Parse(text.Replace("HASH", Hash.ToString(), StringComparison.Ordinal)).Reason, StringComparison.Ordinal);

    [Fact]
    public void A_proof_file_holds_for_its_entry_only()
    {
        byte[][] entries = [[1], [2], [3], [4], [5]];
        TreeHash HashOf(TreeNode n) => n.Level == 0 ? TreeHash.Leaf(entries[n.Index]) : TreeHash.Node(HashOf(new(n.Level - 1, 2 * n.Index)), HashOf(new(n.Level - 1, (2 * n.Index) + 1)));
        var note = new SignedNote(new Checkpoint("log.example", 5, MerkleTree.Root(5, HashOf)).Text, []).With(NoteKey.Parse(Known).Value!, new byte[64]);
        var proof = new LogProof(2, MerkleTree.ProveInclusion(2, 5, HashOf), note);
        var read = LogProof.Parse(Encoding.UTF8.GetBytes(proof.ToString())).Value!;
        Assert.Equal(proof.ToString(), read.ToString());
        Assert.True(read.Holds(entries[2]));
        Assert.False(read.Holds(entries[3]));
        foreach (var (from, to) in new[] { ("@v1", "@v2"), ("index 2", "index 02"), ("index 2", "indices"), (proof.Path[0] + "\n", "AAAA\n"), ("log.example\n5", "log.example") })
        {
            var changed = LogProof.Parse(Encoding.UTF8.GetBytes(proof.ToString().Replace(from, to, StringComparison.Ordinal)));
            Assert.False(changed.IsValid && changed.Value.Holds(entries[2]), to);
        }
    }
}

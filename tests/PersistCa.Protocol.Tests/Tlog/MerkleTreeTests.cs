using System.Collections.Immutable;
using PersistCa.Protocol.Tlog;

namespace PersistCa.Protocol.Tests.Tlog;

/// <summary>Roots and proofs, against the definition of RFC 6962 written down once more, plainly.</summary>
public sealed class MerkleTreeTests
{
    private const int Most = 70;

    private static readonly ImmutableArray<byte[]> Entries = [.. Enumerable.Range(0, Most).Select(i => (byte[])[(byte)i])];

    private static readonly ImmutableArray<byte[]> Classic =
        [.. new[] { "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f" }.Select(Convert.FromHexString)];

    private static TreeHash MTH(ReadOnlySpan<byte[]> entries)
    {
        if (entries.Length < 2)
        {
            return entries.Length == 0 ? TreeHash.Empty : TreeHash.Leaf(entries[0]);
        }

        var k = 1;
        while (2 * k < entries.Length)
        {
            k *= 2;
        }

        return TreeHash.Node(MTH(entries[..k]), MTH(entries[k..]));
    }

    private static TreeHash HashOf(TreeNode node) => MTH(Entries.AsSpan().Slice((int)(node.Index << node.Level), 1 << node.Level));

    [Theory]
    [InlineData(0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData(1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")]
    [InlineData(2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125")]
    [InlineData(3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77")]
    [InlineData(4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7")]
    [InlineData(5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4")]
    [InlineData(6, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef")]
    [InlineData(7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c")]
    [InlineData(8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")]
    public void The_classic_trees_have_their_roots(int size, string root)
    {
        var found = MerkleTree.Root(size, n => MTH(Classic.AsSpan().Slice((int)(n.Index << n.Level), 1 << n.Level)));
        Assert.Equal(root, Convert.ToHexStringLower(found.Span));
    }

    [Fact]
    public void Every_root_is_that_of_the_definition()
    {
        for (var size = 0; size <= Most; size++)
        {
            Assert.Equal(MTH(Entries.AsSpan()[..size]), MerkleTree.Root(size, HashOf));
            Assert.Equal(size, MerkleTree.Peaks(size).Sum(p => 1L << p.Level));
        }
    }

    [Fact]
    public void Every_leaf_of_every_tree_is_proved_and_nothing_else_is()
    {
        for (var size = 1; size <= Most; size++)
        {
            var root = MerkleTree.Root(size, HashOf);
            for (var index = 0; index < size; index++)
            {
                var leaf = TreeHash.Leaf(Entries[index]);
                var proof = MerkleTree.ProveInclusion(index, size, HashOf);
                Assert.True(MerkleTree.VerifyInclusion(index, leaf, size, root, proof));
                Assert.False(MerkleTree.VerifyInclusion(index, TreeHash.Leaf([7, 7]), size, root, proof));
                Assert.False(MerkleTree.VerifyInclusion(index, leaf, size, TreeHash.Empty, proof));
                Assert.False(MerkleTree.VerifyInclusion(index, leaf, size, root, [.. proof, root]));
                Assert.False(MerkleTree.VerifyInclusion(size, leaf, size, root, proof));
                Assert.False(MerkleTree.VerifyInclusion(-1, leaf, size, root, proof));
                if (proof.Length > 0)
                {
                    Assert.False(MerkleTree.VerifyInclusion(index, leaf, size, root, proof[1..]));
                    Assert.False(MerkleTree.VerifyInclusion(index, leaf, size, root, proof.SetItem(0, TreeHash.Empty)));
                    Assert.False(MerkleTree.VerifyInclusion(index ^ 1, leaf, size, root, proof));
                }
            }
        }
    }

    [Fact]
    public void Every_tree_is_proved_to_begin_every_later_one_and_no_other_tree_is()
    {
        for (var newer = 1; newer <= Most; newer++)
        {
            var newerRoot = MerkleTree.Root(newer, HashOf);
            for (var older = 1; older <= newer; older++)
            {
                var olderRoot = MerkleTree.Root(older, HashOf);
                var proof = MerkleTree.ProveConsistency(older, newer, HashOf);
                Assert.True(MerkleTree.VerifyConsistency(older, olderRoot, newer, newerRoot, proof));
                Assert.False(MerkleTree.VerifyConsistency(older, TreeHash.Empty, newer, newerRoot, proof));
                Assert.False(MerkleTree.VerifyConsistency(older, olderRoot, newer, TreeHash.Empty, proof));
                Assert.False(MerkleTree.VerifyConsistency(older, olderRoot, newer, newerRoot, [.. proof, newerRoot]));
                for (var i = 0; i < proof.Length; i++)
                {
                    Assert.False(MerkleTree.VerifyConsistency(older, olderRoot, newer, newerRoot, proof.SetItem(i, TreeHash.Empty)));
                }
            }

            Assert.True(MerkleTree.VerifyConsistency(0, TreeHash.Empty, newer, newerRoot, []));
            Assert.False(MerkleTree.VerifyConsistency(0, newerRoot, newer, newerRoot, []));
            Assert.False(MerkleTree.VerifyConsistency(newer + 1, newerRoot, newer, newerRoot, []));
        }
    }
}

using System.Collections.Immutable;
using System.Numerics;

namespace PersistCa.Protocol.Tlog;

/// <summary>Where a complete subtree stands: 2^Level leaves from Index x 2^Level on.</summary>
/// <param name="Level">Height above the leaves, 0 for a leaf.</param>
/// <param name="Index">Which of its level, from 0.</param>
public readonly record struct TreeNode(int Level, long Index);

/// <summary>
/// Roots and proofs of an append-only Merkle tree (RFC 6962 section 2.1), from the hashes of complete subtrees, which never change. Whoever keeps those,
/// in tiles or elsewhere, hands them over by a function.
/// </summary>
public static class MerkleTree
{
    /// <summary>The hash of the first leaves.</summary>
    /// <param name="size">How many.</param>
    /// <param name="hashOf">Hash of a complete subtree within them.</param>
    public static TreeHash Root(long size, Func<TreeNode, TreeHash> hashOf)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        return size == 0 ? TreeHash.Empty : Range(0, size, hashOf);
    }

    /// <summary>The complete subtrees that the first leaves fall into, from left to right: all that is needed to append.</summary>
    public static ImmutableArray<TreeNode> Peaks(long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        return [.. Complete(0, size)];
    }

    /// <summary>Proof that a leaf is in a tree: PATH(m, D[n]) of RFC 6962 section 2.1.1, from the leaf up.</summary>
    /// <param name="index">Which leaf, from 0.</param>
    /// <param name="size">Leaves of the tree.</param>
    /// <param name="hashOf">Hash of a complete subtree.</param>
    public static ImmutableArray<TreeHash> ProveInclusion(long index, long size, Func<TreeNode, TreeHash> hashOf)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        var proof = ImmutableArray.CreateBuilder<TreeHash>();
        var (from, to) = (0L, size);
        while (to - from > 1)
        {
            var middle = from + Split(to - from);
            if (index < middle)
            {
                proof.Add(Range(middle, to, hashOf));
                to = middle;
            }
            else
            {
                proof.Add(Range(from, middle, hashOf));
                from = middle;
            }
        }

        proof.Reverse();
        return proof.ToImmutable();
    }

    /// <summary>Proof that a tree is the beginning of another: PROOF(m, D[n]) of RFC 6962 section 2.1.2.</summary>
    /// <param name="older">Leaves of the older tree, at least one.</param>
    /// <param name="newer">Leaves of the newer one, no fewer.</param>
    /// <param name="hashOf">Hash of a complete subtree.</param>
    public static ImmutableArray<TreeHash> ProveConsistency(long older, long newer, Func<TreeNode, TreeHash> hashOf)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(older, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(older, newer);
        var proof = ImmutableArray.CreateBuilder<TreeHash>();
        var (from, to, whole) = (0L, newer, true);
        while (older != to)
        {
            var middle = from + Split(to - from);
            if (older <= middle)
            {
                proof.Add(Range(middle, to, hashOf));
                to = middle;
            }
            else
            {
                proof.Add(Range(from, middle, hashOf));
                (from, whole) = (middle, false);
            }
        }

        if (!whole)
        {
            proof.Add(Range(from, to, hashOf));
        }

        proof.Reverse();
        return proof.ToImmutable();
    }

    /// <summary>Whether a proof shows that a leaf is in a tree (RFC 9162 section 2.1.3.2, the same tree).</summary>
    public static bool VerifyInclusion(long index, TreeHash leaf, long size, TreeHash root, IReadOnlyList<TreeHash> proof)
    {
        if (index < 0 || index >= size)
        {
            return false;
        }

        var (node, last, hash) = (index, size - 1, leaf);
        foreach (var beside in proof)
        {
            if (last == 0)
            {
                return false;
            }

            if ((node & 1) == 1 || node == last)
            {
                hash = TreeHash.Node(beside, hash);
                while ((node & 1) == 0 && node != 0)
                {
                    (node, last) = (node >> 1, last >> 1);
                }
            }
            else
            {
                hash = TreeHash.Node(hash, beside);
            }

            (node, last) = (node >> 1, last >> 1);
        }

        return last == 0 && hash == root;
    }

    /// <summary>Whether a proof shows that a tree is the beginning of another (RFC 9162 section 2.1.4.2, the same tree).</summary>
    public static bool VerifyConsistency(long older, TreeHash olderRoot, long newer, TreeHash newerRoot, IReadOnlyList<TreeHash> proof)
    {
        if (older < 0 || older > newer)
        {
            return false;
        }

        if (older == newer)
        {
            return proof.Count == 0 && olderRoot == newerRoot;
        }

        if (older == 0)
        {
            return proof.Count == 0 && olderRoot == TreeHash.Empty; // nothing is the beginning of everything
        }

        var (node, last) = (older - 1, newer - 1);
        while ((node & 1) == 1)
        {
            (node, last) = (node >> 1, last >> 1);
        }

        // A tree of 2^n leaves is a subtree of the newer one, and its root is where the way begins.
        var rest = proof.AsEnumerable();
        if (node != 0)
        {
            if (proof.Count == 0)
            {
                return false;
            }

            rest = proof.Skip(1);
        }

        var (inOlder, inNewer) = node == 0 ? (olderRoot, olderRoot) : (proof[0], proof[0]);
        foreach (var beside in rest)
        {
            if (last == 0)
            {
                return false;
            }

            if ((node & 1) == 1 || node == last)
            {
                (inOlder, inNewer) = (TreeHash.Node(beside, inOlder), TreeHash.Node(beside, inNewer));
                while ((node & 1) == 0 && node != 0)
                {
                    (node, last) = (node >> 1, last >> 1);
                }
            }
            else
            {
                inNewer = TreeHash.Node(inNewer, beside);
            }

            (node, last) = (node >> 1, last >> 1);
        }

        return last == 0 && inOlder == olderRoot && inNewer == newerRoot;
    }

    // Complete subtrees are joined from the right: the tree of n leaves has the largest power of two below n to its left.
    private static TreeHash Range(long from, long to, Func<TreeNode, TreeHash> hashOf)
    {
        TreeHash? joined = null;
        foreach (var node in Complete(from, to).Reverse())
        {
            joined = joined is { } right ? TreeHash.Node(hashOf(node), right) : hashOf(node);
        }

        return joined!.Value;
    }

    /// <summary>A range that begins where a tree of its length may begin, in complete subtrees from left to right.</summary>
    private static IEnumerable<TreeNode> Complete(long from, long to)
    {
        while (from < to)
        {
            var level = BitOperations.Log2((ulong)(to - from));
            yield return new TreeNode(level, from >> level);
            from += 1L << level;
        }
    }

    /// <summary>The largest power of two below a number above one.</summary>
    private static long Split(long count) => 1L << BitOperations.Log2((ulong)(count - 1));
}

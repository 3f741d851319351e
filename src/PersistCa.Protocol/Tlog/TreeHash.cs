using System.Collections.Immutable;
using System.Security.Cryptography;

namespace PersistCa.Protocol.Tlog;

/// <summary>A hash of a Merkle tree: SHA-256, 32 octets, compared by value.</summary>
public readonly record struct TreeHash
{
    /// <summary>Octets of a hash.</summary>
    public const int Length = 32;

    private readonly ImmutableArray<byte> octets;

    private TreeHash(ImmutableArray<byte> octets) => this.octets = octets;

    /// <summary>The hash of a tree without leaves: SHA-256 of nothing (RFC 6962 section 2.1).</summary>
    public static TreeHash Empty { get; } = new([.. SHA256.HashData([])]);

    /// <summary>The octets.</summary>
    public ReadOnlySpan<byte> Span => octets.IsDefault ? throw new InvalidOperationException("the hash was never set") : octets.AsSpan();

    /// <summary>A hash of 32 octets.</summary>
    /// <exception cref="ArgumentException">There are more, or fewer.</exception>
    public static TreeHash Of(ReadOnlySpan<byte> octets) =>
        octets.Length == Length ? new([.. octets]) : throw new ArgumentException($"a hash has {Length} octets, not {octets.Length}", nameof(octets));

    /// <summary>The hash of a leaf: SHA-256 over a zero octet and the entry (RFC 6962 section 2.1).</summary>
    public static TreeHash Leaf(ReadOnlySpan<byte> entry)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([0]);
        hash.AppendData(entry);
        return new([.. hash.GetHashAndReset()]);
    }

    /// <summary>The hash of a node: SHA-256 over a one octet and the hashes below it (RFC 6962 section 2.1).</summary>
    public static TreeHash Node(TreeHash left, TreeHash right)
    {
        Span<byte> below = stackalloc byte[1 + (2 * Length)];
        below[0] = 1;
        left.Span.CopyTo(below[1..]);
        right.Span.CopyTo(below[(1 + Length)..]);
        return new([.. SHA256.HashData(below)]);
    }

    /// <summary>Reads base64 with padding, as checkpoints and proofs have it.</summary>
    /// <returns>The hash; null when the text is not the one spelling of 32 octets.</returns>
    public static TreeHash? FromBase64(ReadOnlySpan<char> text)
    {
        Span<byte> octets = stackalloc byte[Length];
        return Convert.TryFromBase64Chars(text, octets, out var written) && written == Length && text.SequenceEqual(Convert.ToBase64String(octets)) ? Of(octets) : null;
    }

    /// <inheritdoc/>
    public bool Equals(TreeHash other) => octets.IsDefault || other.octets.IsDefault ? octets.IsDefault == other.octets.IsDefault : Span.SequenceEqual(other.Span);

    /// <inheritdoc/>
    public override int GetHashCode() => octets.IsDefault ? 0 : BitConverter.ToInt32(Span);

    /// <summary>Base64 with padding.</summary>
    public override string ToString() => octets.IsDefault ? "" : Convert.ToBase64String(Span);
}

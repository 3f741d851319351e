using System.Buffers.Binary;
using System.Collections.Immutable;

namespace PersistCa.Protocol.Tlog;

/// <summary>The entries of a tile, each behind its length in two octets (C2SP tlog-tiles).</summary>
public static class EntryBundle
{
    /// <summary>Longest entry, octets.</summary>
    public const int MaxEntry = ushort.MaxValue;

    /// <summary>Puts entries together.</summary>
    /// <exception cref="ArgumentException">There are none, or more than a tile has, or one is too long.</exception>
    public static byte[] Write(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        if (entries.Count is 0 or > TilePath.Full || entries.Any(e => e.Length > MaxEntry))
        {
            throw new ArgumentException($"a bundle has 1 to {TilePath.Full} entries of at most {MaxEntry} octets", nameof(entries));
        }

        var bundle = new byte[entries.Sum(e => 2 + e.Length)];
        var at = 0;
        foreach (var entry in entries)
        {
            BinaryPrimitives.WriteUInt16BigEndian(bundle.AsSpan(at), (ushort)entry.Length);
            entry.Span.CopyTo(bundle.AsSpan(at + 2));
            at += 2 + entry.Length;
        }

        return bundle;
    }

    /// <summary>Takes a bundle apart.</summary>
    /// <param name="bundle">The bundle.</param>
    /// <param name="width">How many entries it is to have.</param>
    public static Parsed<ImmutableArray<ReadOnlyMemory<byte>>> Read(ReadOnlyMemory<byte> bundle, int width)
    {
        var entries = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>(width);
        while (bundle.Length >= 2 && entries.Count < width)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(bundle.Span);
            if (bundle.Length - 2 < length)
            {
                return Parsed<ImmutableArray<ReadOnlyMemory<byte>>>.Refused($"entry {entries.Count} has {length} octets, of which {bundle.Length - 2} are there");
            }

            entries.Add(bundle.Slice(2, length));
            bundle = bundle[(2 + length)..];
        }

        return entries.Count != width ? Parsed<ImmutableArray<ReadOnlyMemory<byte>>>.Refused($"it has {entries.Count} entries; {width} were expected")
            : !bundle.IsEmpty ? Parsed<ImmutableArray<ReadOnlyMemory<byte>>>.Refused($"{bundle.Length} octets follow its {width} entries")
            : Parsed<ImmutableArray<ReadOnlyMemory<byte>>>.Ok(entries.ToImmutable());
    }
}

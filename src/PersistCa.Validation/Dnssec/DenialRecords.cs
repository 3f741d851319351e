using System.Buffers.Binary;

namespace PersistCa.Validation.Dnssec;

/// <summary>The types that exist at a name, as NSEC and NSEC3 list them (RFC 4034 section 4.1.2).</summary>
internal sealed class TypeBitmap
{
    private readonly HashSet<int> types;

    private TypeBitmap(HashSet<int> types) => this.types = types;

    /// <summary>A delegation to another zone, seen from above: NS without SOA. Such a record says nothing of what lies under it (RFC 6840 section 4.1).</summary>
    public bool IsDelegation => Has(DnssecTypes.Ns) && !Has(DnssecTypes.Soa);

    /// <summary>Number of types.</summary>
    public int Count => types.Count;

    /// <summary>Reads window blocks.</summary>
    /// <returns>The types, null where the octets break the form.</returns>
    public static TypeBitmap? Read(ReadOnlySpan<byte> data)
    {
        const int mostBlockOctets = 32;
        var types = new HashSet<int>();
        var last = -1;
        while (!data.IsEmpty)
        {
            if (data.Length < 2 || data[0] <= last || data[1] is 0 or > mostBlockOctets || data.Length < data[1] + 2)
            {
                return null;
            }

            last = data[0];
            for (var i = 0; i < data[1] * 8; i++)
            {
                if ((data[2 + (i / 8)] & (0x80 >> (i % 8))) != 0)
                {
                    types.Add((last << 8) | i);
                }
            }

            data = data[(data[1] + 2)..];
        }

        return new TypeBitmap(types);
    }

    /// <summary>Whether a type exists at the name.</summary>
    public bool Has(int type) => types.Contains(type);
}

/// <summary>An NSEC record (RFC 4034 section 4.1): nothing stands between its owner and the next name.</summary>
/// <param name="Owner">Its owner.</param>
/// <param name="Next">The next name of the zone; the zone's own after the last.</param>
/// <param name="Types">Types at the owner.</param>
internal sealed record NsecRecord(CanonicalName Owner, CanonicalName Next, TypeBitmap Types)
{
    /// <summary>Reads RDATA.</summary>
    /// <returns>The record, null where the octets are none.</returns>
    public static NsecRecord? Read(CanonicalName owner, ReadOnlySpan<byte> data) =>
        CanonicalName.Read(data, out var length) is { } next && TypeBitmap.Read(data[length..]) is { } types ? new NsecRecord(owner, next, types) : null;

    /// <summary>Whether it proves that a name of its zone does not exist.</summary>
    /// <param name="name">The name, within the zone.</param>
    /// <param name="zone">The zone.</param>
    public bool Covers(CanonicalName name, CanonicalName zone)
    {
        // What lies under a delegation or a DNAME is not this zone's to deny (RFC 6840 section 4.1, RFC 6672 section 5.3.4.1).
        if (name.IsBelow(Owner) && (Types.IsDelegation || Types.Has(DnssecTypes.Dname)))
        {
            return false;
        }

        var after = CanonicalName.Compare(Owner, name) < 0;
        return Next.Equals(zone) ? after : after && CanonicalName.Compare(name, Next) < 0;
    }
}

/// <summary>An NSEC3 record (RFC 5155 section 3).</summary>
internal sealed record Nsec3Record
{
    private const int Sha1 = 1;
    private const int OptOutFlag = 1;

    /// <summary>Hash of the name it stands for.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>Hash of the next name.</summary>
    public required byte[] Next { get; init; }

    /// <summary>Whether delegations without signatures may lie between the two (section 6).</summary>
    public required bool OptOut { get; init; }

    /// <summary>Additional rounds of the hash.</summary>
    public required int Iterations { get; init; }

    /// <summary>Salt.</summary>
    public required byte[] Salt { get; init; }

    /// <summary>Types at the name.</summary>
    public required TypeBitmap Types { get; init; }

    /// <summary>Reads RDATA. Other hashes than SHA-1 and unknown flags make a record that is to be ignored (sections 8.1 and 8.2).</summary>
    /// <param name="owner">Its owner: the hash in base32hex, and the zone.</param>
    /// <param name="data">RDATA.</param>
    /// <returns>The record, null where it is none or to be ignored.</returns>
    public static Nsec3Record? Read(CanonicalName owner, ReadOnlySpan<byte> data)
    {
        const int fixedOctets = 5;
        if (data.Length < fixedOctets || data[0] != Sha1 || (data[1] & ~OptOutFlag) != 0 || owner.LabelCount == 0)
        {
            return null;
        }

        var salt = data[4];
        var rest = data[fixedOctets..];
        if (rest.Length <= salt || rest.Length < salt + 1 + rest[salt])
        {
            return null;
        }

        var next = rest.Slice(salt + 1, rest[salt]);
        return Base32Hex(owner.FirstLabel) is { } hash && hash.Length == Nsec3Hash.Octets && next.Length == Nsec3Hash.Octets
            && TypeBitmap.Read(rest[(salt + 1 + next.Length)..]) is { } types
            ? new Nsec3Record
            {
                Hash = hash,
                Next = next.ToArray(),
                OptOut = data[1] == OptOutFlag,
                Iterations = BinaryPrimitives.ReadUInt16BigEndian(data[2..]),
                Salt = rest[..salt].ToArray(),
                Types = types,
            }
            : null;
    }

    /// <summary>Whether a hash lies between this one and the next; the last wraps around.</summary>
    public bool Covers(ReadOnlySpan<byte> hash)
    {
        var after = Hash.AsSpan().SequenceCompareTo(hash) < 0;
        var before = hash.SequenceCompareTo(Next) < 0;
        return Hash.AsSpan().SequenceCompareTo(Next) < 0 ? after && before : (after || before) && !hash.SequenceEqual(Hash);
    }

    private static byte[]? Base32Hex(ReadOnlySpan<byte> text)
    {
        var octets = new List<byte>();
        var (bits, count) = (0, 0);
        foreach (var c in text)
        {
            var digit = c is >= (byte)'0' and <= (byte)'9' ? c - '0' : c is >= (byte)'a' and <= (byte)'v' ? c - 'a' + 10 : -1;
            if (digit < 0)
            {
                return null;
            }

            bits = ((bits << 5) | digit) & 0xFFFF;
            count += 5;
            if (count >= 8)
            {
                count -= 8;
                octets.Add((byte)(bits >> count));
            }
        }

        return [.. octets];
    }
}

using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PersistCa.Server.Demo;

/// <summary>
/// The few DNS message forms that <see cref="LoopbackZone"/> reads and writes (RFC 1035 section 4.1, RFC 6891 section 6.1).
/// Octets of TXT records travel as Latin-1 characters, so that any octet can be published.
/// </summary>
internal sealed class LoopbackZoneMessage
{
    public const ushort TypeA = 1;
    public const ushort TypeCname = 5;
    public const ushort TypeTxt = 16;
    public const ushort TypeAaaa = 28;
    public const ushort TypeCaa = 257;
    private const ushort TypeOpt = 41;
    private const ushort ClassIn = 1;
    private const int HeaderOctets = 12;
    private const int MostLabelOctets = 63;
    private const int MostNameOctets = 255;
    private const int MostStringOctets = 255;
    private const int LeastUdpOctets = 512;
    private const int OwnUdpOctets = 1232;
    private const ushort PointerToQuestion = 0xC000 | HeaderOctets;

    private readonly byte[] question;
    private readonly ushort id;
    private readonly bool recursionDesired;
    private readonly bool edns;

    private LoopbackZoneMessage(ushort id, byte[] question, string owner, ushort type, bool recursionDesired, int? ednsOctets)
    {
        this.id = id;
        this.question = question;
        this.recursionDesired = recursionDesired;
        Owner = owner;
        Type = type;
        edns = ednsOctets is not null;
        UdpOctets = Math.Clamp(ednsOctets ?? LeastUdpOctets, LeastUdpOctets, OwnUdpOctets);
    }

    /// <summary>Name asked for, lower case, without the root's dot.</summary>
    public string Owner { get; }

    public ushort Type { get; }

    /// <summary>Size of the largest answer that fits a datagram for this asker.</summary>
    public int UdpOctets { get; }

    /// <summary>Reads a query with exactly one question; null for anything else, which then stays unanswered.</summary>
    public static LoopbackZoneMessage? Read(ReadOnlySpan<byte> message)
    {
        if (message.Length < HeaderOctets || (message[2] & 0x80) != 0 || BinaryPrimitives.ReadUInt16BigEndian(message[4..]) != 1)
        {
            return null;
        }

        var at = HeaderOctets;
        if (ReadName(message, ref at) is not { } owner || at + 4 > message.Length)
        {
            return null;
        }

        var type = BinaryPrimitives.ReadUInt16BigEndian(message[at..]);
        at += 4;
        var question = message[HeaderOctets..at].ToArray();
        return new LoopbackZoneMessage(
            BinaryPrimitives.ReadUInt16BigEndian(message), question, owner, type, (message[2] & 0x01) != 0, ReadEdns(message, at));
    }

    /// <summary>Writes the answer to this query.</summary>
    /// <param name="rcode">Response code, 0 to 15.</param>
    /// <param name="records">Answer records in order.</param>
    /// <param name="authenticData">Whether the AD bit is set.</param>
    /// <param name="mostOctets">Beyond this size the answer is cut to nothing and marked truncated (RFC 2181 section 9).</param>
    public byte[] Answer(int rcode, IReadOnlyList<LoopbackRecord> records, bool authenticData, int mostOctets)
    {
        var whole = Write(rcode, records, authenticData, truncated: false);
        return whole.Length <= mostOctets ? whole : Write(rcode, [], authenticData, truncated: true);
    }

    private static string? ReadName(ReadOnlySpan<byte> message, ref int at)
    {
        var name = new StringBuilder();
        while (at < message.Length && name.Length <= MostNameOctets)
        {
            int length = message[at++];
            if (length == 0)
            {
                return name.ToString();
            }

            if (length > MostLabelOctets || at + length > message.Length)
            {
                return null;
            }

            if (name.Length > 0)
            {
                name.Append('.');
            }

            name.Append(Encoding.Latin1.GetString(message.Slice(at, length)).ToLowerInvariant());
            at += length;
        }

        return null;
    }

    private static int? ReadEdns(ReadOnlySpan<byte> message, int at)
    {
        // Stub resolvers send the OPT record alone, directly after the question.
        var others = BinaryPrimitives.ReadUInt32BigEndian(message[6..]);
        var additional = BinaryPrimitives.ReadUInt16BigEndian(message[10..]);
        return others == 0 && additional > 0 && at + 5 <= message.Length && message[at] == 0
            && BinaryPrimitives.ReadUInt16BigEndian(message[(at + 1)..]) == TypeOpt
            ? BinaryPrimitives.ReadUInt16BigEndian(message[(at + 3)..])
            : null;
    }

    private byte[] Write(int rcode, IReadOnlyList<LoopbackRecord> records, bool authenticData, bool truncated)
    {
        using var stream = new MemoryStream();
        Put16(stream, id);
        stream.WriteByte((byte)(0x84 | (truncated ? 0x02 : 0) | (recursionDesired ? 0x01 : 0)));
        stream.WriteByte((byte)(0x80 | (authenticData ? 0x20 : 0) | (rcode & 0x0F)));
        Put16(stream, 1);
        Put16(stream, (ushort)records.Count);
        Put16(stream, 0);
        Put16(stream, (ushort)(edns ? 1 : 0));
        stream.Write(question);
        foreach (var record in records)
        {
            PutRecord(stream, record);
        }

        if (edns)
        {
            stream.WriteByte(0);
            Put16(stream, TypeOpt);
            Put16(stream, OwnUdpOctets);
            stream.Write([0, 0, 0, 0, 0, 0]);
        }

        return stream.ToArray();
    }

    private void PutRecord(MemoryStream stream, LoopbackRecord record)
    {
        if (record.Owner == Owner)
        {
            Put16(stream, PointerToQuestion);
        }
        else
        {
            stream.Write(NameOctets(record.Owner));
        }

        Put16(stream, record.Type);
        Put16(stream, ClassIn);
        Span<byte> ttl = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(ttl, record.TtlSeconds);
        stream.Write(ttl);
        Put16(stream, (ushort)record.Data.Length);
        stream.Write(record.Data);
    }

    private static void Put16(MemoryStream stream, ushort value)
    {
        stream.WriteByte((byte)(value >> 8));
        stream.WriteByte((byte)value);
    }

    /// <summary>A domain name in wire form.</summary>
    /// <exception cref="ArgumentException">The name has an empty or too long label, or is too long.</exception>
    public static byte[] NameOctets(string name)
    {
        using var stream = new MemoryStream();
        foreach (var label in name.Split('.'))
        {
            if (label.Length is 0 or > MostLabelOctets)
            {
                throw new ArgumentException($"the name '{name}' has a label of {label.Length} octets, 1 to {MostLabelOctets} expected", nameof(name));
            }

            stream.WriteByte((byte)label.Length);
            stream.Write(Encoding.Latin1.GetBytes(label));
        }

        stream.WriteByte(0);
        return stream.Length <= MostNameOctets
            ? stream.ToArray()
            : throw new ArgumentException($"the name '{name}' has {stream.Length} octets, at most {MostNameOctets} expected", nameof(name));
    }

    /// <summary>TXT data: the text cut into character-strings of 255 octets (RFC 1035 section 3.3.14).</summary>
    /// <exception cref="ArgumentException">A character is above U+00FF, or the text is too long for one record.</exception>
    public static byte[] TextOctets(string text)
    {
        if (text.Any(c => c > byte.MaxValue))
        {
            throw new ArgumentException("a TXT value has a character above U+00FF; one character stands for one octet", nameof(text));
        }

        var octets = Encoding.Latin1.GetBytes(text);
        using var stream = new MemoryStream();
        var at = 0;
        do
        {
            var length = Math.Min(MostStringOctets, octets.Length - at);
            stream.WriteByte((byte)length);
            stream.Write(octets, at, length);
            at += length;
        }
        while (at < octets.Length);
        return stream.Length <= ushort.MaxValue
            ? stream.ToArray()
            : throw new ArgumentException($"a TXT value of {octets.Length} octets does not fit one record", nameof(text));
    }

    /// <summary>Type and data of an address record.</summary>
    public static (ushort Type, byte[] Data) Address(IPAddress address) =>
        (address.AddressFamily == AddressFamily.InterNetworkV6 ? TypeAaaa : TypeA, address.GetAddressBytes());
}

/// <summary>One record as it is answered.</summary>
internal sealed record LoopbackRecord(string Owner, ushort Type, int TtlSeconds, byte[] Data);

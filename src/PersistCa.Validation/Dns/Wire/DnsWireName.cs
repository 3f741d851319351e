using System.Globalization;
using System.Text;
using PersistCa.Protocol;

namespace PersistCa.Validation.Dns.Wire;

/// <summary>
/// Domain names in messages (RFC 1035 sections 3.1 and 4.1.4). As text they stand without the root's dot; octets that are not printable, dots inside
/// a label and back-slashes are escaped as in zone files (section 5.1), so that two different names never have one text.
/// </summary>
internal static class DnsWireName
{
    private const int MostLabelOctets = 63;
    private const int MostNameOctets = 255;
    private const int PointerBits = 0xC0;

    /// <summary>Reads a name, following compression pointers, and moves past it.</summary>
    /// <param name="message">The whole message: pointers count from its start.</param>
    /// <param name="at">Where the name starts; afterwards the octet behind it.</param>
    /// <param name="text">The name.</param>
    /// <returns>Null, or why there is no name.</returns>
    public static string? Read(ReadOnlySpan<byte> message, ref int at, out string text)
    {
        var name = new StringBuilder();
        text = "";
        var octets = 1;
        var position = at;
        var pieceStart = at;
        var jumped = false;
        while (true)
        {
            if (position >= message.Length)
            {
                return "a name runs past the end";
            }

            int length = message[position];
            if ((length & PointerBits) == PointerBits)
            {
                if (position + 1 >= message.Length)
                {
                    return "a compression pointer runs past the end";
                }

                // "a prior occurance of the same name" (section 4.1.4): strictly backwards, so that no chain of pointers is endless.
                var target = ((length & ~PointerBits) << 8) | message[position + 1];
                if (target >= pieceStart)
                {
                    return "a compression pointer does not point backwards";
                }

                at = jumped ? at : position + 2;
                jumped = true;
                position = pieceStart = target;
                continue;
            }

            if (length > MostLabelOctets)
            {
                return $"a label starts with the octet {length}, at most {MostLabelOctets} or a pointer expected";
            }

            position++;
            if (length == 0)
            {
                at = jumped ? at : position;
                text = name.ToString();
                return null;
            }

            octets += length + 1;
            if (octets > MostNameOctets)
            {
                return $"a name has more than {MostNameOctets} octets";
            }

            if (position + length > message.Length)
            {
                return "a label runs past the end";
            }

            if (name.Length > 0)
            {
                name.Append('.');
            }

            Append(name, message.Slice(position, length));
            position += length;
        }
    }

    /// <summary>A name in wire form.</summary>
    /// <param name="name">Labels of printable ASCII without back-slash, without the root's dot; empty for the root.</param>
    public static Parsed<byte[]> Write(string name)
    {
        using var stream = new MemoryStream();
        foreach (var label in name.Length == 0 ? [] : name.Split('.'))
        {
            if (label.Length is 0 or > MostLabelOctets)
            {
                return Parsed<byte[]>.Refused($"the name has a label of {label.Length} octets, 1 to {MostLabelOctets} expected");
            }

            if (label.Any(c => c is <= ' ' or > '~' or '\\'))
            {
                return Parsed<byte[]>.Refused("the name has a character that is not printable ASCII or is a back-slash");
            }

            stream.WriteByte((byte)label.Length);
            stream.Write(Encoding.ASCII.GetBytes(label));
        }

        stream.WriteByte(0);
        return stream.Length <= MostNameOctets
            ? Parsed<byte[]>.Ok(stream.ToArray())
            : Parsed<byte[]>.Refused($"the name has {stream.Length} octets, at most {MostNameOctets} expected");
    }

    /// <summary>Whether two names are the same (RFC 4343: ASCII letters without regard to case).</summary>
    public static bool Same(string one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a name is a zone's own or lies under it.</summary>
    /// <param name="name">The name.</param>
    /// <param name="zone">The zone; empty for the root, under which every name lies.</param>
    public static bool IsWithin(string name, string zone) =>
        zone.Length == 0 || Same(name, zone)
        || (name.Length > zone.Length && name[^(zone.Length + 1)] == '.' && name.EndsWith(zone, StringComparison.OrdinalIgnoreCase));

    private static void Append(StringBuilder name, ReadOnlySpan<byte> label)
    {
        foreach (var octet in label)
        {
            if (octet is (byte)'.' or (byte)'\\')
            {
                name.Append('\\').Append((char)octet);
            }
            else if (octet is > (byte)' ' and <= (byte)'~')
            {
                name.Append((char)octet);
            }
            else
            {
                name.Append('\\').Append(octet.ToString("000", CultureInfo.InvariantCulture));
            }
        }
    }
}

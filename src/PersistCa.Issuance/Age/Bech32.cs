using PersistCa.Protocol;

namespace PersistCa.Issuance.Age;

/// <summary>Bech32 (BIP 173) without its bound of 90 characters, as age keys are written.</summary>
internal static class Bech32
{
    private const string Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    private const int ChecksumLength = 6;
    private const int MaxLength = 256;

    private static readonly uint[] Generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

    /// <summary>Writes octets in lower case.</summary>
    /// <param name="prefix">The part before the last 1, lower case.</param>
    /// <param name="octets">The octets.</param>
    public static string Write(string prefix, ReadOnlySpan<byte> octets)
    {
        var values = new List<byte>();
        var (held, bits) = (0, 0);
        foreach (var octet in octets)
        {
            (held, bits) = (((held << 8) | octet) & 0xfff, bits + 8);
            for (; bits >= 5; bits -= 5)
            {
                values.Add((byte)((held >> (bits - 5)) & 31));
            }
        }

        if (bits > 0)
        {
            values.Add((byte)((held << (5 - bits)) & 31));
        }

        var sum = Checksum(prefix, [.. values, 0, 0, 0, 0, 0, 0]) ^ 1;
        for (var i = 0; i < ChecksumLength; i++)
        {
            values.Add((byte)((sum >> (5 * (ChecksumLength - 1 - i))) & 31));
        }

        return prefix + "1" + string.Concat(values.Select(v => Alphabet[v]));
    }

    /// <summary>Reads octets; all lower case or all upper case.</summary>
    /// <param name="text">What Write makes.</param>
    /// <param name="prefix">The part that must stand before the last 1, lower case.</param>
    public static Parsed<byte[]> Read(string text, string prefix)
    {
        var lower = text.ToLowerInvariant();
        if (text.Length > MaxLength || (text.Any(char.IsAsciiLetterLower) && text.Any(char.IsAsciiLetterUpper)))
        {
            return Parsed<byte[]>.Refused("it is too long, or in upper and lower case at once");
        }

        var at = lower.LastIndexOf('1');
        if (at < 0 || lower[..at] != prefix || lower.Length - at - 1 < ChecksumLength)
        {
            return Parsed<byte[]>.Refused($"it does not begin with {prefix}1");
        }

        var values = lower[(at + 1)..].Select(c => Alphabet.IndexOf(c, StringComparison.Ordinal)).ToArray();
        if (values.Contains(-1) || Checksum(prefix, [.. values.Select(v => (byte)v)]) != 1)
        {
            return Parsed<byte[]>.Refused("its checksum is wrong: it was not copied whole");
        }

        var octets = new List<byte>();
        var (held, bits) = (0, 0);
        foreach (var value in values[..^ChecksumLength])
        {
            (held, bits) = (((held << 5) | value) & 0xfff, bits + 5);
            if (bits >= 8)
            {
                octets.Add((byte)(held >> (bits - 8)));
                bits -= 8;
            }
        }

        return bits >= 5 || (held & ((1 << bits) - 1)) != 0 ? Parsed<byte[]>.Refused("it ends in bits that are no octet") : Parsed<byte[]>.Ok([.. octets]);
    }

    private static uint Checksum(string prefix, ReadOnlySpan<byte> values)
    {
        var sum = 1u;
        foreach (var c in prefix)
        {
            sum = Step(sum, (byte)(c >> 5));
        }

        sum = Step(sum, 0);
        foreach (var c in prefix)
        {
            sum = Step(sum, (byte)(c & 31));
        }

        foreach (var value in values)
        {
            sum = Step(sum, value);
        }

        return sum;
    }

    private static uint Step(uint sum, byte value)
    {
        var top = sum >> 25;
        sum = ((sum & 0x1ffffff) << 5) ^ value;
        for (var i = 0; i < Generator.Length; i++)
        {
            sum ^= ((top >> i) & 1) == 1 ? Generator[i] : 0;
        }

        return sum;
    }
}

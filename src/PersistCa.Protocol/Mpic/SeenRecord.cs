using System.Globalization;
using System.Text;

namespace PersistCa.Protocol.Mpic;

/// <summary>Records as Open MPIC hands them over in records_seen, turned into what is judged here, and back.</summary>
public static class SeenRecord
{
    /// <summary>TXT as octets, one character each: over there it is the text that its octets are in UTF-8.</summary>
    public static string TxtOctets(string seen) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(seen));

    /// <summary>TXT as text. Octets that are not UTF-8 are lost, which no record of ours has.</summary>
    public static string TxtText(string octets) => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(octets));

    /// <summary>Reads a CAA record as zone files write it (RFC 8659 section 4.1.1, RFC 1035 section 5.1, RFC 3597 section 5).</summary>
    /// <param name="text">Such as <c>0 issue "ca.example"</c>.</param>
    /// <returns>Its RDATA, one character for each octet.</returns>
    public static Parsed<string> CaaRdata(string text)
    {
        var parts = text.Trim().Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
        if (parts is ["\\#", _, ..])
        {
            return Unknown(parts);
        }

        if (parts.Length < 2 || !byte.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var flags) || parts[1].Length > byte.MaxValue || parts[1].Any(c => c is < '!' or > '~'))
        {
            return Parsed<string>.Refused("flags and tag were expected");
        }

        var value = Unescape(parts.Length == 3 ? parts[2] : "\"\"");
        return value.IsValid ? Parsed<string>.Ok($"{(char)flags}{(char)parts[1].Length}{parts[1]}{value.Value}") : value;
    }

    private static Parsed<string> Unknown(string[] parts)
    {
        try
        {
            var octets = Convert.FromHexString(parts.Length == 3 ? parts[2].Replace(" ", "", StringComparison.Ordinal) : "");
            return octets.Length.ToString(CultureInfo.InvariantCulture) == parts[1]
                ? Parsed<string>.Ok(Encoding.Latin1.GetString(octets))
                : Parsed<string>.Refused("its length is not that of its octets");
        }
        catch (FormatException)
        {
            return Parsed<string>.Refused("it is not hexadecimal");
        }
    }

    private static Parsed<string> Unescape(string text)
    {
        var quoted = text.Length >= 2 && text[0] == '"' && text[^1] == '"';
        var inner = quoted ? text.AsSpan(1, text.Length - 2) : text;
        var value = new StringBuilder(inner.Length);
        for (var i = 0; i < inner.Length; i++)
        {
            if (inner[i] == '"')
            {
                return Parsed<string>.Refused("its value has a quotation mark in it");
            }

            if (inner[i] != '\\')
            {
                value.Append(TxtOctets(inner[i].ToString()));
            }
            else if (i + 3 < inner.Length && byte.TryParse(inner.Slice(i + 1, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var octet))
            {
                value.Append((char)octet);
                i += 3;
            }
            else if (i + 1 < inner.Length && !char.IsAsciiDigit(inner[i + 1]))
            {
                value.Append(inner[++i]);
            }
            else
            {
                return Parsed<string>.Refused("its value ends in half an escape");
            }
        }

        return Parsed<string>.Ok(value.ToString());
    }
}

using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PersistCa.Protocol.Identifiers;

/// <summary>
/// An IP address that a certificate can have (RFC 8738). Its one spelling is four numbers without leading zeros for IPv4 (RFC 1123 section 2.1)
/// and RFC 5952 section 4 for IPv6; RFC 8738 section 3 demands it of clients, so that another spelling is refused rather than rewritten.
/// </summary>
public sealed record IpIdentifier : Identifier
{
    /// <summary>Longest text that is looked at, in characters; the longest address has 39.</summary>
    public const int MaxTextLength = 45;

    private IpIdentifier(IPAddress address)
    {
        Address = address;
        Text = address.AddressFamily == AddressFamily.InterNetwork ? address.ToString() : Write(address.GetAddressBytes());
    }

    /// <summary>The address.</summary>
    public IPAddress Address { get; }

    /// <inheritdoc/>
    public override IdentifierType Type => IdentifierType.Ip;

    /// <inheritdoc/>
    public override string Text { get; }

    /// <inheritdoc/>
    public override bool IsWildcard => false;

    /// <inheritdoc/>
    public override string BaseText => Text;

    /// <summary>The name of the address in in-addr.arpa (RFC 1035 section 3.5) or ip6.arpa (RFC 3596 section 2.5), no trailing dot.</summary>
    public string ReverseName
    {
        get
        {
            var octets = Address.GetAddressBytes().Reverse();
            return Address.AddressFamily == AddressFamily.InterNetwork
                ? string.Join('.', octets) + ".in-addr.arpa"
                : string.Concat(octets.Select(o => $"{o & 15:x}.{o >> 4:x}.")) + "ip6.arpa";
        }
    }

    /// <summary>Reads an address as it stands in ACME JSON.</summary>
    public static Parsed<IpIdentifier> Parse(string text)
    {
        if (text.Length is 0 or > MaxTextLength)
        {
            return Parsed<IpIdentifier>.Refused($"it has {text.Length} characters where an address has 2 to 39");
        }

        // Named one by one, since each is a habit of people who write addresses elsewhere.
        var fault = text.Contains('%', StringComparison.Ordinal) ? "it has a zone id (%); an address without is expected"
            : text.Contains('/', StringComparison.Ordinal) ? "it has a prefix length (/); a single address is expected"
            : text.Contains('[', StringComparison.Ordinal) ? "it has brackets, as in a URL; the address alone is expected"
            : null;
        return fault is not null ? Parsed<IpIdentifier>.Refused(fault)
            : text.Contains(':', StringComparison.Ordinal) ? ParseIpv6(text)
            : ParseIpv4(text);
    }

    /// <summary>Reads the content octets of an iPAddress (RFC 5280 section 4.2.1.6).</summary>
    public static Parsed<IpIdentifier> FromOctets(ReadOnlySpan<byte> octets) => octets.Length is 4 or 16
        ? Judge(new IPAddress(octets))
        : Parsed<IpIdentifier>.Refused($"it has {octets.Length} octets where 4 or 16 are expected");

    /// <inheritdoc/>
    public bool Equals(IpIdentifier? other) => other is not null && Text == other.Text;

    /// <inheritdoc/>
    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    private static Parsed<IpIdentifier> ParseIpv4(string text)
    {
        var parts = text.Split('.');
        Span<byte> octets = stackalloc byte[4];
        if (parts.Length != 4)
        {
            return Parsed<IpIdentifier>.Refused($"it has {parts.Length} parts between dots and no colon; four numbers are expected, or IPv6");
        }

        for (var i = 0; i < 4; i++)
        {
            var part = parts[i];
            if (part.Length > 1 && part[0] == '0' && part.All(char.IsAsciiLetterOrDigit))
            {
                return Parsed<IpIdentifier>.Refused("it has a number with a leading zero, which some read as octal; decimal without is expected");
            }

            // The parser takes ASCII digits only under these settings.
            if (part.Length > 3 || !byte.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out octets[i]))
            {
                return Parsed<IpIdentifier>.Refused("it has a part that is no number from 0 to 255; a port or a name is not expected");
            }
        }

        return Judge(new IPAddress(octets));
    }

    private static Parsed<IpIdentifier> ParseIpv6(string text)
    {
        if (!text.All(c => char.IsAsciiHexDigit(c) || c is ':' or '.'))
        {
            return Parsed<IpIdentifier>.Refused("it has a character that no IPv6 address has; hexadecimal digits and colons are expected");
        }

        if (!IPAddress.TryParse(text, out var address) || address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return Parsed<IpIdentifier>.Refused("it has a colon and is no IPv6 address; a port is not expected");
        }

        var judged = Judge(address);
        return judged.IsValid && judged.Value.Text != text
            ? Parsed<IpIdentifier>.Refused($"it is not spelled as RFC 5952 section 4 has it; {judged.Value.Text} is expected")
            : judged;
    }

    private static Parsed<IpIdentifier> Judge(IPAddress address) => address.IsIPv4MappedToIPv6
        ? Parsed<IpIdentifier>.Refused($"it is an IPv4 address in IPv6 form; {address.MapToIPv4()} is expected")
        : Parsed<IpIdentifier>.Ok(new IpIdentifier(address));

    /// <summary>RFC 5952 section 4: lower case, no leading zeros, "::" for the longest run of zeros, the first of equals, never for a single one.</summary>
    private static string Write(byte[] octets)
    {
        Span<ushort> groups = stackalloc ushort[8];
        for (var i = 0; i < groups.Length; i++)
        {
            groups[i] = BinaryPrimitives.ReadUInt16BigEndian(octets.AsSpan(2 * i));
        }

        var (start, length) = (-1, 1);
        for (var i = 0; i < groups.Length; i++)
        {
            var run = 0;
            while (i + run < groups.Length && groups[i + run] == 0)
            {
                run++;
            }

            if (run > length)
            {
                (start, length) = (i, run);
            }

            i += run;
        }

        var text = new StringBuilder(39);
        for (var i = 0; i < groups.Length; i++)
        {
            if (i == start)
            {
                text.Append("::");
                i += length - 1;
            }
            else
            {
                text.Append(text.Length > 0 && text[^1] != ':' ? ":" : "").Append(CultureInfo.InvariantCulture, $"{groups[i]:x}");
            }
        }

        return text.ToString();
    }
}

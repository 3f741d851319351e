using System.Globalization;
using System.Net;
using System.Net.Sockets;
using PersistCa.Protocol;

namespace PersistCa.Validation.Dns;

/// <summary>Where a recursive resolver is reached, and how.</summary>
/// <param name="EndPoint">Address and port.</param>
/// <param name="TlsName">DNS over TLS (RFC 7858): the name that its certificate must have. Null for UDP and TCP.</param>
public sealed record ResolverAddress(IPEndPoint EndPoint, string? TlsName = null)
{
    private const int DnsPort = 53;
    private const int TlsPort = 853;
    private const string TlsScheme = "tls://";

    private const string Expected =
        "'192.0.2.1', '192.0.2.1:53', '2001:db8::1', '[2001:db8::1]:53' or 'tls://192.0.2.1:853#resolver.example' was expected";

    /// <summary>Whether it runs on this machine, so that nobody stands between.</summary>
    public bool IsLoopback => IPAddress.IsLoopback(EndPoint.Address);

    /// <summary>Reads "address", "address:port" or "tls://address:port#name".</summary>
    public static Parsed<ResolverAddress> Parse(string text)
    {
        if (!text.StartsWith(TlsScheme, StringComparison.Ordinal))
        {
            var plain = ReadEndPoint(text, text, DnsPort);
            return plain.IsValid ? Parsed<ResolverAddress>.Ok(new ResolverAddress(plain.Value)) : Parsed<ResolverAddress>.Refused(plain.Reason);
        }

        var hash = text.IndexOf('#', StringComparison.Ordinal);
        var name = hash < 0 ? "" : text[(hash + 1)..];
        if (Uri.CheckHostName(name) != UriHostNameType.Dns)
        {
            return Parsed<ResolverAddress>.Refused(
                $"the resolver '{text}' says not which name its certificate must have; '{TlsScheme}192.0.2.1:{TlsPort}#resolver.example' was expected");
        }

        var secure = ReadEndPoint(text, text[TlsScheme.Length..hash], TlsPort);
        return secure.IsValid ? Parsed<ResolverAddress>.Ok(new ResolverAddress(secure.Value, name)) : Parsed<ResolverAddress>.Refused(secure.Reason);
    }

    /// <summary>As it is configured, with the port always.</summary>
    public override string ToString() => TlsName is null ? EndPoint.ToString() : $"{TlsScheme}{EndPoint}#{TlsName}";

    private static Parsed<IPEndPoint> ReadEndPoint(string whole, string text, int defaultPort)
    {
        var address = text;
        var port = defaultPort;
        var bracket = text.LastIndexOf(']');
        var colon = text.LastIndexOf(':');
        var isBareV6 = bracket < 0 && text.IndexOf(':', StringComparison.Ordinal) != colon;
        if (!isBareV6 && colon > bracket)
        {
            address = text[..colon];
            var digits = text[(colon + 1)..];
            if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > ushort.MaxValue)
            {
                return Parsed<IPEndPoint>.Refused($"the resolver '{whole}' has the port '{digits}'; a number from 1 to 65535 was expected");
            }
        }

        var bracketed = address.StartsWith('[') && address.EndsWith(']');
        var bare = bracketed ? address[1..^1] : address;
        return IPAddress.TryParse(bare, out var ip) && (!bracketed || ip.AddressFamily == AddressFamily.InterNetworkV6) && IsWrittenOut(bare, ip)
            ? Parsed<IPEndPoint>.Ok(new IPEndPoint(ip, port))
            : Parsed<IPEndPoint>.Refused($"the resolver '{whole}' is not an IP address; {Expected}");
    }

    // "1" and "0x7f000001" are IPv4 addresses to the parser, and surely slips of the pen here.
    private static bool IsWrittenOut(string text, IPAddress ip) =>
        ip.AddressFamily == AddressFamily.InterNetworkV6 || text == ip.ToString();
}

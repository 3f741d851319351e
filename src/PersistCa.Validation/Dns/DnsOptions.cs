using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using DnsClient;
using PersistCa.Protocol;

namespace PersistCa.Validation.Dns;

/// <summary>How validation asks the DNS.</summary>
public sealed record DnsOptions
{
    /// <summary>
    /// Recursive resolvers: "192.0.2.1", "192.0.2.1:5353", "2001:db8::1" or "[2001:db8::1]:5353". Empty: those of the system. They are asked in
    /// turn. Whoever controls a resolver or the way to it controls issuance: use resolvers of your own that validate DNSSEC.
    /// </summary>
    public IReadOnlyList<string> Resolvers { get; init; } = [];

    /// <summary>Longest wait for one reply.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a failed question is sent again, each time to the next resolver.</summary>
    public int Retries { get; init; } = 2;

    /// <summary>Longest wait for one look-up with all its retries, the wait for a free place included.</summary>
    public TimeSpan OverallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Size of UDP replies that is announced (EDNS), in octets; larger answers come over TCP. 1232 avoids IP fragments.</summary>
    public int UdpPayloadOctets { get; init; } = 1232;

    /// <summary>Questions in flight at one resolver at a time; others wait.</summary>
    public int ConcurrencyPerResolver { get; init; } = 64;

    /// <summary>Most records of one answer that are judged (dns-persist-01 rules, section 6.12).</summary>
    public int MaxRecords { get; init; } = 100;

    /// <summary>Most octets of one answer that are judged (dns-persist-01 rules, section 6.12).</summary>
    public int MaxAnswerOctets { get; init; } = 64 * 1024;

    /// <summary>Most aliases followed in one answer.</summary>
    public int MaxCnames { get; init; } = 16;

    /// <summary>Checks every setting and reads the resolver addresses.</summary>
    /// <returns>The addresses of the resolvers, at least one; or the reason why the settings cannot be used.</returns>
    public Parsed<ImmutableArray<IPEndPoint>> ReadResolvers()
    {
        if (FirstOutOfRange() is { } reason)
        {
            return Parsed<ImmutableArray<IPEndPoint>>.Refused(reason);
        }

        if (Resolvers.Count == 0)
        {
            ImmutableArray<IPEndPoint> system =
            [
                .. NameServer.ResolveNameServers(skipIPv6SiteLocal: true, fallbackToGooglePublicDns: false)
                    .Select(s => new IPEndPoint(IPAddress.Parse(s.Address), s.Port)),
            ];
            return system.IsEmpty
                ? Parsed<ImmutableArray<IPEndPoint>>.Refused("no resolver is configured and the system names none; at least one was expected")
                : Parsed<ImmutableArray<IPEndPoint>>.Ok(system);
        }

        var read = ImmutableArray.CreateBuilder<IPEndPoint>(Resolvers.Count);
        foreach (var text in Resolvers)
        {
            var resolver = ReadResolver(text);
            if (!resolver.IsValid)
            {
                return Parsed<ImmutableArray<IPEndPoint>>.Refused(resolver.Reason);
            }

            read.Add(resolver.Value);
        }

        return Parsed<ImmutableArray<IPEndPoint>>.Ok(read.ToImmutable());
    }

    /// <summary>Reads the address of one resolver.</summary>
    public static Parsed<IPEndPoint> ReadResolver(string text)
    {
        const int DnsPort = 53;
        var address = text;
        var port = DnsPort;
        var bracket = text.LastIndexOf(']');
        var colon = text.LastIndexOf(':');
        var isBareV6 = bracket < 0 && text.IndexOf(':', StringComparison.Ordinal) != colon;
        if (!isBareV6 && colon > bracket)
        {
            address = text[..colon];
            var digits = text[(colon + 1)..];
            if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > ushort.MaxValue)
            {
                return Parsed<IPEndPoint>.Refused($"the resolver '{text}' has the port '{digits}'; a number from 1 to 65535 was expected");
            }
        }

        var bracketed = address.StartsWith('[') && address.EndsWith(']');
        var bare = bracketed ? address[1..^1] : address;
        if (!IPAddress.TryParse(bare, out var ip) || (bracketed && ip.AddressFamily != AddressFamily.InterNetworkV6) || !IsWrittenOut(bare, ip))
        {
            return Parsed<IPEndPoint>.Refused(
                $"the resolver '{text}' is not an IP address; '192.0.2.1', '192.0.2.1:53', '2001:db8::1' or '[2001:db8::1]:53' was expected");
        }

        return Parsed<IPEndPoint>.Ok(new IPEndPoint(ip, port));
    }

    // "1" and "0x7f000001" are IPv4 addresses to the parser, and surely slips of the pen here.
    private static bool IsWrittenOut(string text, IPAddress ip) =>
        ip.AddressFamily == AddressFamily.InterNetworkV6 || text == ip.ToString();

    private string? FirstOutOfRange()
    {
        if (Timeout <= TimeSpan.Zero || OverallTimeout < Timeout)
        {
            return $"the DNS timeouts are {Timeout} for one reply and {OverallTimeout} over all; times above zero were expected, the first not above the second";
        }

        return Outside(nameof(Retries), Retries, 0, 10)
            ?? Outside(nameof(UdpPayloadOctets), UdpPayloadOctets, 512, 4096)
            ?? Outside(nameof(ConcurrencyPerResolver), ConcurrencyPerResolver, 1, 10_000)
            ?? Outside(nameof(MaxRecords), MaxRecords, 1, 10_000)
            ?? Outside(nameof(MaxAnswerOctets), MaxAnswerOctets, 512, 64 * 1024)
            ?? Outside(nameof(MaxCnames), MaxCnames, 0, 100);
    }

    private static string? Outside(string name, int value, int least, int most) =>
        value < least || value > most ? $"the DNS option {name} is {value}; {least} to {most} was expected" : null;
}

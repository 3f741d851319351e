using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using PersistCa.Validation.Dns.Wire;

namespace PersistCa.Validation.Dns.Transport;

/// <summary>
/// Carries one query to one resolver. Over UDP each query has a socket of its own, connected, so that the kernel picks a random port and drops what
/// comes from elsewhere; what is cut short, or drowned in forgeries, is asked again over TCP.
/// </summary>
/// <param name="tlsRoots">Roots for the certificates of resolvers over TLS; null for the machine's.</param>
internal sealed class DnsTransport(X509Certificate2Collection? tlsRoots)
{
    private const int MostDatagramOctets = 4096;

    // After this many forgeries somebody is guessing; over TCP guessing is hopeless (RFC 5452 section 9.2 leaves the remedy open).
    private const int MostStrays = 32;

    /// <summary>Asks.</summary>
    /// <param name="server">The resolver.</param>
    /// <param name="query">The query.</param>
    /// <param name="deadline">Ends the wait, which then counts as a timeout.</param>
    public async Task<DnsExchange> ExchangeAsync(ResolverAddress server, DnsQuery query, CancellationToken deadline)
    {
        var strays = new StrayMessages();
        try
        {
            if (server.TlsName is not null)
            {
                return await OverStreamAsync(server, query, strays, deadline).ConfigureAwait(false);
            }

            var exchange = await OverUdpAsync(server.EndPoint, query, strays, deadline).ConfigureAwait(false);
            return exchange is null or { Reply.IsTruncated: true }
                ? await OverStreamAsync(server, query, strays, deadline).ConfigureAwait(false)
                : exchange;
        }
        catch (OperationCanceledException)
        {
            return strays.WithoutReply(DnsStatus.Timeout, null);
        }
        catch (SocketException broken)
        {
            return strays.WithoutReply(DnsStatus.Unusable, $"the connection failed: {broken.SocketErrorCode}");
        }
        catch (AuthenticationException broken)
        {
            return strays.WithoutReply(DnsStatus.Unusable, $"TLS failed: {broken.Message}");
        }
        catch (IOException broken)
        {
            return strays.WithoutReply(DnsStatus.Unusable, $"the connection broke: {(broken.InnerException as SocketException)?.SocketErrorCode.ToString() ?? broken.Message}");
        }
    }

    /// <returns>The reply, perhaps truncated; null when too many strays came.</returns>
    private static async Task<DnsExchange?> OverUdpAsync(IPEndPoint server, DnsQuery query, StrayMessages strays, CancellationToken deadline)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, deadline).ConfigureAwait(false);
        await socket.SendAsync(query.Octets, deadline).ConfigureAwait(false);
        var buffer = new byte[MostDatagramOctets];
        while (strays.Count < MostStrays)
        {
            var length = await socket.ReceiveAsync(buffer, deadline).ConfigureAwait(false);
            if (strays.Weigh(query, buffer.AsMemory(0, length)) is not null)
            {
                // Read again from a copy of its own size: the records and the evidence point into it.
                var octets = buffer[..length];
                return strays.With(DnsMessage.Read(octets).Value!, octets);
            }
        }

        return null;
    }

    private async Task<DnsExchange> OverStreamAsync(ResolverAddress server, DnsQuery query, StrayMessages strays, CancellationToken deadline)
    {
        using var socket = new Socket(server.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server.EndPoint, deadline).ConfigureAwait(false);
        await using var plain = new NetworkStream(socket, ownsSocket: false);
        if (server.TlsName is not { } name)
        {
            return await OverStreamAsync(plain, query, strays, deadline).ConfigureAwait(false);
        }

        await using var secure = new SslStream(plain, leaveInnerStreamOpen: true);
        await secure.AuthenticateAsClientAsync(Tls(name), deadline).ConfigureAwait(false);
        return await OverStreamAsync(secure, query, strays, deadline).ConfigureAwait(false);
    }

    private static async Task<DnsExchange> OverStreamAsync(Stream stream, DnsQuery query, StrayMessages strays, CancellationToken deadline)
    {
        var length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)query.Octets.Length);
        await stream.WriteAsync((byte[])[.. length, .. query.Octets.Span], deadline).ConfigureAwait(false);
        for (var tries = 0; tries <= MostStrays; tries++)
        {
            if (await stream.ReadAtLeastAsync(length, length.Length, throwOnEndOfStream: false, deadline).ConfigureAwait(false) < length.Length)
            {
                return strays.WithoutReply(DnsStatus.Unusable, "the resolver closed the connection without a reply");
            }

            var octets = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
            if (await stream.ReadAtLeastAsync(octets, octets.Length, throwOnEndOfStream: false, deadline).ConfigureAwait(false) < octets.Length)
            {
                return strays.WithoutReply(DnsStatus.Unusable, "the resolver closed the connection in the midst of a reply");
            }

            if (strays.Weigh(query, octets) is { } reply)
            {
                return reply.IsTruncated
                    ? new DnsExchange { Failure = DnsStatus.Unusable, Reason = "the reply is cut short although it came over TCP", Octets = octets }
                    : strays.With(reply, octets);
            }
        }

        return strays.WithoutReply(DnsStatus.Mismatched, null);
    }

    // Revocation would have to be asked for over the very DNS that this connection is made for.
    private SslClientAuthenticationOptions Tls(string name) => new()
    {
        TargetHost = name,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        CertificateChainPolicy = Policy(),
    };

    private X509ChainPolicy Policy()
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        if (tlsRoots is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(tlsRoots);
        }

        return policy;
    }
}

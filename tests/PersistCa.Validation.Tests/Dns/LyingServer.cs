using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using PersistCa.Testing;

namespace PersistCa.Validation.Tests.Dns;

/// <summary>One query as the liar got it.</summary>
internal sealed record LyingQuery(byte[] Octets, bool OverTcp, IPEndPoint Asker);

/// <summary>Answers each query with whatever messages the test makes of it, over UDP, TCP or TLS on one port.</summary>
internal sealed class LyingServer : IDisposable
{
    private readonly Func<LyingQuery, byte[][]> lie;
    private readonly X509Certificate2? certificate;
    private readonly Socket udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Socket tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource stop = new();
    private int received;

    public LyingServer(Func<byte[], byte[]> lie)
        : this(q => [lie(q.Octets)])
    {
    }

    public LyingServer(Func<LyingQuery, byte[][]> lie, X509Certificate2? certificate = null)
    {
        this.lie = lie;
        this.certificate = certificate;
        tcp.Bind(new IPEndPoint(IPAddress.Loopback, RunningAuthority.FreePort()));
        udp.Bind(tcp.LocalEndPoint!);
        tcp.Listen();
        _ = UntilStoppedAsync(ServeUdpAsync);
        _ = UntilStoppedAsync(ServeTcpAsync);
    }

    public IPEndPoint EndPoint => (IPEndPoint)udp.LocalEndPoint!;

    public int Received => received;

    public void Dispose()
    {
        stop.Cancel();
        udp.Dispose();
        tcp.Dispose();
        stop.Dispose();
    }

    /// <summary>An honest reply to a TXT question: the question with one record "x" for it.</summary>
    public static byte[] Honest(byte[] query) => Reply(query, [0xC0, 12]);

    /// <summary>A reply with one TXT record "x" of the owner given in wire form.</summary>
    public static byte[] Reply(byte[] query, byte[] owner) => ReplyDraft.To(query).With(owner, 16, [1, (byte)'x']).Octets();

    public static int QuestionEnd(byte[] query)
    {
        var at = 12;
        while (query[at] != 0)
        {
            at += query[at] + 1;
        }

        return at + 5;
    }

    private async Task ServeUdpAsync()
    {
        var buffer = new byte[ushort.MaxValue];
        while (true)
        {
            var query = await udp.ReceiveFromAsync(buffer, SocketFlags.None, EndPoint, stop.Token);
            Interlocked.Increment(ref received);
            foreach (var message in lie(new LyingQuery(buffer[..query.ReceivedBytes], false, (IPEndPoint)query.RemoteEndPoint)))
            {
                await udp.SendToAsync(message, SocketFlags.None, query.RemoteEndPoint, stop.Token);
            }
        }
    }

    private async Task ServeTcpAsync()
    {
        while (true)
        {
            var connection = await tcp.AcceptAsync(stop.Token);
            _ = UntilStoppedAsync(() => ServeAsync(connection));
        }
    }

    private async Task ServeAsync(Socket connection)
    {
        await using var plain = new NetworkStream(connection, ownsSocket: true);
        Stream stream = plain;
        if (certificate is not null)
        {
            var secure = new SslStream(plain);
            await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, stop.Token);
            stream = secure;
        }

        var length = new byte[2];
        while (await stream.ReadAtLeastAsync(length, 2, throwOnEndOfStream: false, stop.Token) == 2)
        {
            var query = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
            await stream.ReadExactlyAsync(query, stop.Token);
            Interlocked.Increment(ref received);
            foreach (var message in lie(new LyingQuery(query, true, (IPEndPoint)connection.RemoteEndPoint!)))
            {
                BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)message.Length);
                await stream.WriteAsync((byte[])[.. length, .. message], stop.Token);
            }
        }
    }

    private static async Task UntilStoppedAsync(Func<Task> serve)
    {
        try
        {
            await serve();
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException or SocketException or IOException
            or System.Security.Authentication.AuthenticationException)
        {
            return;
        }
    }
}

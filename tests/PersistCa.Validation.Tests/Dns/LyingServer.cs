using System.Net;
using System.Net.Sockets;

namespace PersistCa.Validation.Tests.Dns;

/// <summary>Answers each datagram with whatever the test makes of it.</summary>
internal sealed class LyingServer : IDisposable
{
    private readonly UdpClient socket = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly CancellationTokenSource stop = new();

    public LyingServer(Func<byte[], byte[]> lie) => _ = ServeAsync(lie);

    public IPEndPoint EndPoint => (IPEndPoint)socket.Client.LocalEndPoint!;

    public int Received { get; private set; }

    public void Dispose()
    {
        stop.Cancel();
        socket.Dispose();
        stop.Dispose();
    }

    /// <summary>An honest reply to a TXT question: the question with one record "x" for it.</summary>
    public static byte[] Honest(byte[] query) => Reply(query, [0xC0, 12]);

    /// <summary>A reply with one TXT record "x" of the owner given in wire form.</summary>
    public static byte[] Reply(byte[] query, byte[] owner)
    {
        var end = QuestionEnd(query);
        byte[] header = [query[0], query[1], 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
        byte[] record = [0, 16, 0, 1, 0, 0, 0, 60, 0, 2, 1, (byte)'x'];
        return [.. header, .. query[12..end], .. owner, .. record];
    }

    public static int QuestionEnd(byte[] query)
    {
        var at = 12;
        while (query[at] != 0)
        {
            at += query[at] + 1;
        }

        return at + 5;
    }

    private async Task ServeAsync(Func<byte[], byte[]> lie)
    {
        try
        {
            while (true)
            {
                var query = await socket.ReceiveAsync(stop.Token);
                Received++;
                await socket.SendAsync(lie(query.Buffer), query.RemoteEndPoint, stop.Token);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            return;
        }
    }
}

using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace PersistCa.Server.Demo;

/// <summary>The sockets of a <see cref="LoopbackZone"/>: DNS messages over UDP and TCP (RFC 7766) on one port, in and out.</summary>
internal sealed class LoopbackZoneServer : IAsyncDisposable, IDisposable
{
    private const int PortAttempts = 20;
    private const int Backlog = 64;

    private readonly Func<byte[], bool, CancellationToken, Task<byte[]?>> answer;
    private readonly Socket udp;
    private readonly Socket tcp;
    private readonly CancellationTokenSource stop = new();
    private readonly Task loops;
    private int disposed;

    /// <summary>Binds and serves.</summary>
    /// <param name="at">Address and port; port 0 picks one that is free for both UDP and TCP.</param>
    /// <param name="answer">Gives the answer to a message that came (true: over TCP), null for none.</param>
    /// <exception cref="SocketException">The port is taken, or no port could be found.</exception>
    public LoopbackZoneServer(IPEndPoint at, Func<byte[], bool, CancellationToken, Task<byte[]?>> answer)
    {
        this.answer = answer;
        (udp, tcp) = Bind(at);
        EndPoint = (IPEndPoint)udp.LocalEndPoint!;
        loops = Task.WhenAll(Task.Run(ServeUdpAsync), Task.Run(ServeTcpAsync));
    }

    public IPEndPoint EndPoint { get; }

    public async ValueTask DisposeAsync()
    {
        Dispose();
        await loops.ConfigureAwait(false);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0)
        {
            stop.Cancel();
            tcp.Dispose();
            udp.Dispose();
        }
    }

    private static (Socket Udp, Socket Tcp) Bind(IPEndPoint at)
    {
        for (var attempt = 1; ; attempt++)
        {
            var tcp = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            var udp = new Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                tcp.Bind(at);
                tcp.Listen(Backlog);
                udp.Bind(tcp.LocalEndPoint!);
                return (udp, tcp);
            }
            catch (SocketException)
            {
                tcp.Dispose();
                udp.Dispose();

                // The port that TCP was given may be taken on UDP: then ask for another.
                if (at.Port != 0 || attempt == PortAttempts)
                {
                    throw;
                }
            }
        }
    }

    private Task ServeUdpAsync() => UntilStoppedAsync(async () =>
    {
        var buffer = new byte[ushort.MaxValue];
        while (true)
        {
            var received = await udp.ReceiveFromAsync(buffer, SocketFlags.None, EndPoint, stop.Token).ConfigureAwait(false);
            _ = ReplyAsync(buffer.AsSpan(0, received.ReceivedBytes).ToArray(), received.RemoteEndPoint);
        }
    });

    private Task ReplyAsync(byte[] message, EndPoint asker) => UntilStoppedAsync(async () =>
    {
        if (await answer(message, false, stop.Token).ConfigureAwait(false) is { } reply)
        {
            await udp.SendToAsync(reply, SocketFlags.None, asker, stop.Token).ConfigureAwait(false);
        }
    });

    private Task ServeTcpAsync() => UntilStoppedAsync(async () =>
    {
        while (true)
        {
            _ = ServeConnectionAsync(await tcp.AcceptAsync(stop.Token).ConfigureAwait(false));
        }
    });

    private async Task ServeConnectionAsync(Socket connection)
    {
        using var stream = new NetworkStream(connection, ownsSocket: true);
        await UntilStoppedAsync(async () =>
        {
            var length = new byte[2];
            while (await stream.ReadAtLeastAsync(length, 2, throwOnEndOfStream: false, stop.Token).ConfigureAwait(false) == 2)
            {
                var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
                await stream.ReadExactlyAsync(message, stop.Token).ConfigureAwait(false);
                if (await answer(message, true, stop.Token).ConfigureAwait(false) is { } reply)
                {
                    BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)reply.Length);
                    await stream.WriteAsync((byte[])[.. length, .. reply], stop.Token).ConfigureAwait(false);
                }
            }
        }).ConfigureAwait(false);
    }

    /// <summary>Runs a loop until the server stops or the other end goes away: both are the ordinary end of serving somebody.</summary>
    private static async Task UntilStoppedAsync(Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException or SocketException or IOException)
        {
            return;
        }
    }
}

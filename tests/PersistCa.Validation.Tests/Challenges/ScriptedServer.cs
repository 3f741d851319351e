using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace PersistCa.Validation.Tests.Challenges;

/// <summary>A TCP server on loopback that reads one request header and does what the test says: no framework corrects its faults.</summary>
internal sealed class ScriptedServer : IDisposable
{
    private readonly Socket listener;
    private readonly CancellationTokenSource stop = new();
    private readonly SslServerAuthenticationOptions? tls;
    private readonly Func<string, Stream, CancellationToken, Task> script;
    private readonly bool readsRequest;

    /// <param name="script">Gets the request header and the connection; the connection is closed when it ends.</param>
    /// <param name="tls">Settings of TLS, null for plain TCP.</param>
    /// <param name="readsRequest">False: the script runs at once, with an empty header.</param>
    /// <param name="at">Address it listens at, 127.0.0.1 when null.</param>
    public ScriptedServer(
        Func<string, Stream, CancellationToken, Task> script, SslServerAuthenticationOptions? tls = null, bool readsRequest = true, IPAddress? at = null)
    {
        at ??= IPAddress.Loopback;
        listener = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        this.readsRequest = readsRequest;
        this.script = script;
        this.tls = tls;
        listener.Bind(new IPEndPoint(at, 0));
        listener.Listen();
        Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        _ = ServeAsync();
    }

    public int Port { get; }

    /// <summary>Request headers received, in order.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>A server that answers every request with the same bytes.</summary>
    public static ScriptedServer Answering(string response, SslServerAuthenticationOptions? tls = null) =>
        new(async (_, stream, stopping) => await stream.WriteAsync(Encoding.Latin1.GetBytes(response), stopping), tls);

    public static string Ok(string body, string moreHeaders = "") =>
        $"HTTP/1.1 200 OK\r\nContent-Length: {Encoding.Latin1.GetByteCount(body)}\r\n{moreHeaders}Connection: close\r\n\r\n{body}";

    public static string Redirect(int status, string location) =>
        $"HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

    public void Dispose()
    {
        stop.Cancel();
        listener.Dispose();
        stop.Dispose();
    }

    private Task ServeAsync() => UntilStoppedAsync(async () =>
    {
        while (true)
        {
            _ = ServeConnectionAsync(await listener.AcceptAsync(stop.Token));
        }
    });

    private Task ServeConnectionAsync(Socket connection) => UntilStoppedAsync(async () =>
    {
        await using Stream plain = new NetworkStream(connection, ownsSocket: true);
        await using var secured = tls is null ? null : new SslStream(plain);
        if (secured is not null)
        {
            await secured.AuthenticateAsServerAsync(tls!, stop.Token);
        }

        var stream = secured ?? plain;
        var header = readsRequest ? await ReadHeaderAsync(stream, stop.Token) : "";
        Requests.Enqueue(header);
        await script(header, stream, stop.Token);
    });

    private static async Task<string> ReadHeaderAsync(Stream stream, CancellationToken stopping)
    {
        var header = new StringBuilder();
        var one = new byte[1];
        while (!header.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, stopping) == 1)
        {
            header.Append((char)one[0]);
        }

        return header.ToString();
    }

    private static async Task UntilStoppedAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException or SocketException or IOException or AuthenticationException)
        {
            return;
        }
    }
}

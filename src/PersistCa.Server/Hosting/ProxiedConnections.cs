using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace PersistCa.Server.Hosting;

/// <summary>The address of a client behind proxies: what those of Server:TrustedProxies say, and nobody else. Limits by address and the audit log go by it.</summary>
internal sealed partial class ProxiedConnections
{
    /// <summary>Longest wait for the header of a connection; a balancer sends it with the first octets.</summary>
    private static readonly TimeSpan HeaderTimeout = TimeSpan.FromSeconds(10);

    private readonly IReadOnlyList<System.Net.IPNetwork> trusted;
    private readonly bool isSpoken;
    private readonly TimeProvider clock;
    private readonly ILogger<ProxiedConnections> logger;

    public ProxiedConnections(PersistCaOptions options, TimeProvider clock, ILogger<ProxiedConnections> logger)
    {
        trusted = [.. options.Server.TrustedProxies.Select(System.Net.IPNetwork.Parse)];
        isSpoken = options.Server.ProxyProtocol;
        this.clock = clock;
        this.logger = logger;
    }

    /// <summary>Has the header of the PROXY protocol read at a door, before TLS begins.</summary>
    public void Use(ListenOptions door)
    {
        if (isSpoken)
        {
            door.Use(next => connection => PassAsync(connection, next));
        }
    }

    /// <summary>Takes the client's address from X-Forwarded-For, from its end on, as long as those who wrote it are trusted. Host and scheme are never taken.</summary>
    public void Use(IApplicationBuilder app)
    {
        if (trusted.Count == 0)
        {
            return; // the default of the framework would believe what comes from this machine
        }

        var headers = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor, ForwardLimit = null };
        headers.KnownProxies.Clear();
        headers.KnownIPNetworks.Clear();
        foreach (var network in trusted)
        {
            headers.KnownIPNetworks.Add(network);
        }

        app.UseForwardedHeaders(headers);
    }

    private async Task PassAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (connection.RemoteEndPoint is not IPEndPoint { Address: var from } || !IsTrusted(from))
        {
            await next(connection); // who is not trusted has nothing to say here, and TLS refuses a header from him
            return;
        }

        var refused = await ReadAsync(connection);
        if (refused is not null)
        {
            LogRefused(logger, from, refused);
            connection.Abort();
            return;
        }

        await next(connection);
    }

    /// <summary>Reads the header and puts the client's address into the connection.</summary>
    /// <returns>Why there is none; null when all is well.</returns>
    private async Task<string?> ReadAsync(ConnectionContext connection)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        await using var timer = clock.CreateTimer(static s => ((CancellationTokenSource)s!).Cancel(), limit, HeaderTimeout, Timeout.InfiniteTimeSpan);
        var input = connection.Transport.Input;
        while (true)
        {
            System.IO.Pipelines.ReadResult read;
            try
            {
                read = await input.ReadAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                return "it did not come in time";
            }

            var header = ProxyHeader.Read(read.Buffer);
            if (!header.IsValid)
            {
                return header.Reason;
            }

            if (header.Value != ProxyHeader.Unfinished)
            {
                connection.RemoteEndPoint = header.Value.Client ?? connection.RemoteEndPoint;
                input.AdvanceTo(read.Buffer.GetPosition(header.Value.Length));
                return null;
            }

            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted)
            {
                return "the connection ended within it";
            }
        }
    }

    private bool IsTrusted(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return trusted.Any(network => network.Contains(plain));
    }

    [LoggerMessage(LogLevel.Warning, "A connection from the trusted proxy {Proxy} has no header of the PROXY protocol: {Reason}")]
    private static partial void LogRefused(ILogger logger, IPAddress proxy, string reason);
}

using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Challenges;

/// <summary>Where validation may connect to.</summary>
public sealed record TargetOptions
{
    /// <summary>
    /// Networks that are never connected to, whatever the DNS says. By default "this network", link-local (where cloud machines find their
    /// credentials) and multicast. Private and loopback networks are allowed: an internal authority serves them.
    /// </summary>
    public IReadOnlyList<IPNetwork> ForbiddenNetworks { get; init; } =
    [
        IPNetwork.Parse("0.0.0.0/8"), IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("224.0.0.0/4"),
        IPNetwork.Parse("::/128"), IPNetwork.Parse("fe80::/10"), IPNetwork.Parse("ff00::/8"),
    ];

    /// <summary>Most addresses of one name that are tried.</summary>
    public int MaxAddresses { get; init; } = 8;

    /// <summary>Longest wait for one address to accept the connection, before the next is tried.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(4);
}

/// <summary>Finds and reaches the machine behind a name. The machine's own resolver and proxies are never used.</summary>
internal static class TargetConnection
{
    /// <summary>The addresses to try: IPv6 first, as a client of today would (RFC 6724).</summary>
    public static async Task<Outcome<ImmutableArray<IPAddress>>> ResolveAsync(
        string name, IDnsResolver resolver, TargetOptions options, AttemptRecord record, CancellationToken cancellationToken)
    {
        var both = await Task.WhenAll(
            record.AskAsync(resolver, name, DnsRecordKind.Aaaa, cancellationToken),
            record.AskAsync(resolver, name, DnsRecordKind.A, cancellationToken)).ConfigureAwait(false);
        ImmutableArray<IPAddress> found = [.. both.SelectMany(a => a.Records).Select(r => IPAddress.Parse(r.Text))];
        if (found.IsEmpty)
        {
            return Array.Find(both, a => a.IsFailure) is { } failure
                ? DnsProblem.For(failure)
                : new AcmeProblem(ProblemCatalog.Dns, $"{DnsProblem.Absence(both[1])}, nor an AAAA record; an address is needed to connect to.");
        }

        ImmutableArray<IPAddress> allowed = [.. found.Where(a => !IsForbidden(a, options)).Take(options.MaxAddresses)];
        return allowed.IsEmpty
            ? new AcmeProblem(ProblemCatalog.Connection, $"Every address of {name} lies in a network that this authority does not connect to.")
            : allowed;
    }

    /// <summary>Connects to the first address that accepts.</summary>
    /// <exception cref="SocketException">None accepted; the last one's error.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<Socket> ConnectAsync(
        ImmutableArray<IPAddress> addresses, int port, TargetOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        for (var at = 0; ; at++)
        {
            var last = at == addresses.Length - 1;
            using var wait = new CancellationTokenSource(options.ConnectTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, wait.Token);
            var socket = new Socket(addresses[at].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(addresses[at], port), either.Token).ConfigureAwait(false);
                return socket;
            }
            catch (SocketException) when (!last)
            {
                socket.Dispose();
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                socket.Dispose();
                if (last)
                {
                    throw new SocketException((int)SocketError.TimedOut);
                }
            }
            catch (Exception failure) when (failure is SocketException or OperationCanceledException)
            {
                socket.Dispose();
                throw;
            }
        }
    }

    /// <summary>What went wrong, in words that name no address.</summary>
    public static string Explain(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => "the connection was refused",
        SocketError.TimedOut => "the connection was not accepted in time",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => "there is no route to the host",
        SocketError.ConnectionReset => "the connection was reset",
        _ => "the connection failed",
    };

    private static bool IsForbidden(IPAddress address, TargetOptions options)
    {
        // An IPv4 address in IPv6 clothes reaches the same machine.
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return options.ForbiddenNetworks.Any(n => n.Contains(plain) || n.Contains(address));
    }
}

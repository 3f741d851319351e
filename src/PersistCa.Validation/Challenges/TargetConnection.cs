using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Identifiers;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Challenges;

/// <summary>Finds and reaches the machine behind a name. The machine's own resolver and proxies are never used.</summary>
internal static class TargetConnection
{
    /// <summary>The addresses to try: IPv6 first, as a client of today would (RFC 6724). An address is its own, and nothing is looked up for it.</summary>
    /// <param name="host">A name, or an address as <c>IpIdentifier.Text</c>.</param>
    /// <param name="resolver">Looks names up.</param>
    /// <param name="options">Where it may connect to.</param>
    /// <param name="record">Keeps the look-ups.</param>
    /// <param name="cancellationToken">Ends the look-ups.</param>
    public static async Task<Outcome<ImmutableArray<PermittedAddress>>> ResolveAsync(
        string host, IDnsResolver resolver, TargetOptions options, AttemptRecord record, CancellationToken cancellationToken)
    {
        if (IpIdentifier.Parse(host) is { IsValid: true, Value: var ip })
        {
            return Permitted(host, [ip.Address], options);
        }

        var both = await Task.WhenAll(
            record.AskAsync(resolver, host, DnsRecordKind.Aaaa, cancellationToken),
            record.AskAsync(resolver, host, DnsRecordKind.A, cancellationToken)).ConfigureAwait(false);
        ImmutableArray<IPAddress> found = [.. both.SelectMany(a => a.Records).Select(r => IPAddress.Parse(r.Text))];
        if (found.IsEmpty)
        {
            return Array.Find(both, a => a.IsFailure) is { } failure
                ? DnsProblem.For(failure)
                : new AcmeProblem(ProblemCatalog.Dns, $"{DnsProblem.Absence(both[1])}, nor an AAAA record; an address is needed to connect to.");
        }

        return Permitted(host, found, options);
    }

    /// <summary>Connects to the first address that accepts.</summary>
    /// <exception cref="SocketException">None accepted; the last one's error.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<Socket> ConnectAsync(
        ImmutableArray<PermittedAddress> addresses, int port, TargetOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        for (var at = 0; ; at++)
        {
            var last = at == addresses.Length - 1;
            var address = addresses[at].Address;
            using var wait = new CancellationTokenSource(options.ConnectTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, wait.Token);
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, port), either.Token).ConfigureAwait(false);
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

    private static Outcome<ImmutableArray<PermittedAddress>> Permitted(string host, ImmutableArray<IPAddress> found, TargetOptions options)
    {
        var policy = new TargetPolicy(options);
        ImmutableArray<PermittedAddress> permitted = [.. found.Select(policy.Judge).OfType<PermittedAddress>().Take(options.MaxAddresses)];
        return permitted.IsEmpty
            ? new AcmeProblem(ProblemCatalog.Connection, $"Every address of {host} lies in a network that this authority does not connect to.")
            : permitted;
    }
}

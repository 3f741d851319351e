using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using DnsClient;
using PersistCa.Protocol;

namespace PersistCa.Validation.Dns;

/// <summary>
/// Asks recursive resolvers over UDP, and TCP where an answer is cut short. Each question goes out with a fresh id from a fresh port; a reply
/// whose id, question or owner names do not fit is never taken for an answer.
/// </summary>
public sealed class DnsClientResolver : IDnsResolver
{
    private readonly DnsOptions options;
    private readonly TimeProvider time;
    private readonly ImmutableArray<Upstream> upstreams;
    private readonly LookupClient client;
    private readonly DnsQueryOptions query;
    private int turn = -1;

    private DnsClientResolver(DnsOptions options, ImmutableArray<IPEndPoint> endPoints, TimeProvider time)
    {
        this.options = options;
        this.time = time;
        upstreams = [.. endPoints.Select(e => new Upstream(e, options.ConcurrencyPerResolver))];
        var settings = new LookupClientOptions([.. endPoints.Select(e => new NameServer(e))])
        {
            // Fresh data decides (dns-persist-01 rules, section 6.2), and only the configured resolvers are asked.
            UseCache = false,
            CacheFailedResults = false,
            AutoResolveNameServers = false,
            UseRandomNameServer = false,

            // Retrying is done here, where the status of each attempt is seen.
            Retries = 0,
            ContinueOnDnsError = false,
            ContinueOnEmptyResponse = false,
            ThrowDnsErrors = false,
            UseTcpFallback = true,
            Timeout = options.Timeout,
            ExtendedDnsBufferSize = options.UdpPayloadOctets,

            // Without the DO bit the AD bit of the reply cannot be read.
            RequestDnsSecRecords = true,
        };
        client = new LookupClient(settings);
        query = settings;
    }

    /// <summary>Creates a resolver from settings.</summary>
    /// <returns>The resolver, or the reason why the settings cannot be used.</returns>
    public static Parsed<DnsClientResolver> Create(DnsOptions options, TimeProvider time)
    {
        var endPoints = options.ReadResolvers();
        return endPoints.IsValid
            ? Parsed<DnsClientResolver>.Ok(new DnsClientResolver(options, endPoints.Value, time))
            : Parsed<DnsClientResolver>.Refused(endPoints.Reason);
    }

    /// <inheritdoc/>
    public async Task<DnsAnswer> AskAsync(string ownerName, DnsRecordKind kind, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var name = ownerName.TrimEnd('.');
        var askedAt = time.GetUtcNow();
        var started = time.GetTimestamp();
        using var overall = new CancellationTokenSource(options.OverallTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, overall.Token);
        var question = new DnsQuestion(name, (QueryType)(int)kind);
        var first = (uint)Interlocked.Increment(ref turn);
        var answer = new DnsAnswer(name, kind, DnsStatus.Timeout);
        var attempts = 0;
        while (attempts <= options.Retries && !overall.IsCancellationRequested)
        {
            var upstream = upstreams[(int)((first + (uint)attempts) % (uint)upstreams.Length)];
            attempts++;
            answer = await AskOnceAsync(upstream, question, name, kind, either.Token).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();

            // A too large answer does not get smaller at another resolver.
            if (!answer.IsFailure || answer.Status == DnsStatus.TooLarge)
            {
                break;
            }
        }

        return answer with { AskedAt = askedAt, Duration = time.GetElapsedTime(started), Attempts = attempts };
    }

    private async Task<DnsAnswer> AskOnceAsync(
        Upstream upstream, DnsQuestion question, string name, DnsRecordKind kind, CancellationToken cancellationToken)
    {
        var failed = new DnsAnswer(name, kind, DnsStatus.Unusable) { Resolver = upstream.EndPoint.ToString() };
        var admitted = false;
        try
        {
            await upstream.Places.WaitAsync(cancellationToken).ConfigureAwait(false);
            admitted = true;
            var reply = await client.QueryServerAsync([new NameServer(upstream.EndPoint)], question, query, cancellationToken).ConfigureAwait(false);
            return DnsReply.Read(reply, name, kind, options) with { Resolver = failed.Resolver };
        }
        catch (Exception stopped) when (cancellationToken.IsCancellationRequested && stopped is OperationCanceledException or DnsResponseException)
        {
            // Cancellation by the caller is told apart from the overall timeout there.
            return failed with { Status = DnsStatus.Timeout };
        }
        catch (DnsXidMismatchException)
        {
            return failed with { Status = DnsStatus.Mismatched, Reason = "another id than the question's" };
        }
        catch (DnsResponseException error)
        {
            return error.Code == DnsResponseCode.ConnectionTimeout
                ? failed with { Status = DnsStatus.Timeout }
                : failed with { Reason = error.DnsError };
        }
        catch (Exception broken) when (broken is SocketException or IOException or DnsResponseParseException
            or ArgumentException or IndexOutOfRangeException or InvalidOperationException or OverflowException)
        {
            // The library throws several kinds of exceptions on replies that are no DNS messages.
            return failed with { Reason = broken.GetType().Name };
        }
        finally
        {
            if (admitted)
            {
                upstream.Places.Release();
            }
        }
    }

    private sealed class Upstream(IPEndPoint endPoint, int places)
    {
        public IPEndPoint EndPoint { get; } = endPoint;

        public SemaphoreSlim Places { get; } = new(places, places);
    }
}

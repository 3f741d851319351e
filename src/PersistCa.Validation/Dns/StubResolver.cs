using System.Collections.Frozen;
using System.Collections.Immutable;
using PersistCa.Protocol;
using PersistCa.Validation.Dns.Transport;
using PersistCa.Validation.Dns.Wire;
using PersistCa.Validation.Dnssec;

namespace PersistCa.Validation.Dns;

/// <summary>
/// Asks recursive resolvers over UDP, TCP where an answer is cut short, or TLS. A message whose source, id, question, case of letters or owner names
/// do not fit is never taken for an answer, and never ends the wait for one.
/// </summary>
public sealed partial class StubResolver : IDnsResolver
{
    private readonly ResolverPlan plan;
    private readonly DnsOptions options;
    private readonly TimeProvider time;
    private readonly FrozenDictionary<ResolverAddress, Upstream> upstreams;
    private readonly DnsTransport transport;
    private readonly ChainCache chains;
    private int turn = -1;

    private StubResolver(ResolverPlan plan, TimeProvider time)
    {
        this.plan = plan;
        this.time = time;
        options = plan.Options;
        transport = new DnsTransport(options.TlsRoots);
        chains = new ChainCache(options.Chain, time);
        upstreams = plan.All.ToFrozenDictionary(a => a, a => new Upstream(a, a.IsLoopback || plan.Trusted.Contains(a), options, time));
    }

    /// <summary>The resolvers for all names that lie in no configured zone.</summary>
    public ImmutableArray<ResolverAddress> Servers => plan.General;

    /// <summary>Creates a resolver from settings.</summary>
    /// <returns>The resolver, or the reason why the settings cannot be used.</returns>
    public static Parsed<StubResolver> Create(DnsOptions options, TimeProvider time)
    {
        var plan = ResolverPlan.Read(options);
        return plan.IsValid ? Parsed<StubResolver>.Ok(new StubResolver(plan.Value, time)) : Parsed<StubResolver>.Refused(plan.Reason);
    }

    /// <summary>The resolvers that are asked for a name.</summary>
    internal ImmutableArray<ResolverAddress> ServersFor(string name) => plan.For(WithoutDot(name)).Resolvers;

    /// <summary>What chains of signatures start from.</summary>
    internal TrustAnchors Anchors => plan.Anchors;

    /// <inheritdoc/>
    public Task<DnsAnswer> AskAsync(string ownerName, DnsRecordKind kind, CancellationToken cancellationToken)
    {
        var name = WithoutDot(ownerName);
        return AskAsync(InTurn(plan.For(name)), plan.For(name).Zone, name, kind, cancellationToken);
    }

    /// <summary>Whether what a resolver says of DNSSEC counts: it runs on this machine or is listed as trusted.</summary>
    /// <param name="server">One of the configured resolvers.</param>
    public bool IsTrusted(ResolverAddress server) => upstreams[server].IsTrusted;

    /// <summary>Asks one of the resolvers and no other.</summary>
    /// <param name="server">One of the configured resolvers.</param>
    /// <param name="ownerName">Name in A-labels.</param>
    /// <param name="kind">Record type.</param>
    /// <param name="cancellationToken">Ends the look-up.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<DnsAnswer> AskServerAsync(ResolverAddress server, string ownerName, DnsRecordKind kind, CancellationToken cancellationToken)
    {
        var name = WithoutDot(ownerName);
        return AskAsync([upstreams[server]], plan.For(name).Zone, name, kind, cancellationToken);
    }

    private async Task<DnsAnswer> AskAsync(ImmutableArray<Upstream> order, string zone, string name, DnsRecordKind kind, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var askedAt = time.GetUtcNow();
        var started = time.GetTimestamp();
        using var overall = new CancellationTokenSource(options.OverallTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, overall.Token);
        var answer = new DnsAnswer(name, kind, DnsStatus.Timeout);
        var attempts = 0;
        while (attempts <= options.Retries && !overall.IsCancellationRequested)
        {
            answer = await AskOnceAsync(order[attempts % order.Length], zone, name, kind, either.Token).ConfigureAwait(false);
            attempts++;
            cancellationToken.ThrowIfCancellationRequested();
            if (IsFinal(answer))
            {
                break;
            }
        }

        if (options.Dnssec == DnssecMode.Validate && kind == DnsRecordKind.Caa && answer.Status is DnsStatus.ServFail or DnsStatus.Timeout)
        {
            answer = await ProveInsecureAsync(answer, cancellationToken).ConfigureAwait(false);
        }

        return answer with { AskedAt = askedAt, Duration = time.GetElapsedTime(started), Attempts = attempts };
    }

    // A too large answer does not get smaller at another resolver, and one that is bogus or not secure must not come in by another that is less strict.
    private static bool IsFinal(DnsAnswer answer) =>
        !answer.IsFailure || answer.Status is DnsStatus.TooLarge or DnsStatus.NotSecure || answer.Security == DnsSecurity.Bogus;

    private async Task<DnsAnswer> AskOnceAsync(Upstream upstream, string zone, string name, DnsRecordKind kind, CancellationToken cancellationToken)
    {
        IDisposable place;
        try
        {
            place = await upstream.Places.EnterAsync(zone, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Cancellation by the caller is told apart from the overall timeout there.
            return new DnsAnswer(name, kind, DnsStatus.Timeout) { Resolver = upstream.Address.ToString(), Reason = "no place at the resolver became free" };
        }

        if (options.Dnssec == DnssecMode.Validate)
        {
            DnsAnswer asItCame;
            using (place)
            {
                // CD: what is wrong is to come to our own eyes, and not be kept back (RFC 4035 section 4.9.2).
                asItCame = await ExchangeAsync(upstream, name, kind, checkingDisabled: true, cancellationToken).ConfigureAwait(false);
            }

            return await ValidatedAsync(asItCame, cancellationToken).ConfigureAwait(false);
        }

        using (place)
        {
            var answer = await ExchangeAsync(upstream, name, kind, checkingDisabled: false, cancellationToken).ConfigureAwait(false);
            var answersUnchecked = false;
            if (DnssecPolicy.NeedsProbe(answer, options.Dnssec, upstream.IsTrusted) && !cancellationToken.IsCancellationRequested)
            {
                var probe = await ExchangeAsync(upstream, name, kind, checkingDisabled: true, cancellationToken).ConfigureAwait(false);
                answersUnchecked = probe.Status is DnsStatus.Answered or DnsStatus.NoData or DnsStatus.NxDomain;
            }

            return DnssecPolicy.Judge(answer, upstream.IsTrusted, answersUnchecked, options);
        }
    }

    private async Task<DnsAnswer> ExchangeAsync(Upstream upstream, string name, DnsRecordKind kind, bool checkingDisabled, CancellationToken cancellationToken)
    {
        var resolver = upstream.Address.ToString();
        var query = DnsQuery.Create(name, kind, new DnsQueryForm(options.UdpPayloadOctets, options.CaseRandomization, checkingDisabled));
        if (!query.IsValid)
        {
            return new DnsAnswer(name, kind, DnsStatus.Unusable) { Reason = query.Reason };
        }

        var exchange = await ExchangeAsync(upstream, query.Value, cancellationToken).ConfigureAwait(false);
        var answer = exchange.Reply is { } reply
            ? DnsReply.Read(reply, exchange.Octets.Length, name, kind, options)
            : new DnsAnswer(name, kind, exchange.Failure);
        return answer with
        {
            Resolver = resolver,
            ReplyOctets = exchange.Octets,
            Reason = answer.Reason is null ? exchange.Reason : exchange.Reason is null ? answer.Reason : $"{answer.Reason}; {exchange.Reason}",
        };
    }

    private async Task<DnsExchange> ExchangeAsync(Upstream upstream, DnsQuery query, CancellationToken cancellationToken)
    {
        using var once = new CancellationTokenSource(options.Timeout, time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, once.Token);
        var exchange = await transport.ExchangeAsync(upstream.Address, query, deadline.Token).ConfigureAwait(false);

        // A wait that was ended from outside says nothing about the resolver.
        if (exchange.Reply is not null || !cancellationToken.IsCancellationRequested)
        {
            upstream.Count(answered: exchange.Reply is not null);
        }

        return exchange;
    }

    private ImmutableArray<Upstream> InTurn(Route route)
    {
        ImmutableArray<Upstream> candidates = [.. route.Resolvers.Select(a => upstreams[a])];
        return [.. UpstreamOrder.For([.. candidates.Select(u => u.Health)], (uint)Interlocked.Increment(ref turn), time.GetUtcNow()).Select(i => candidates[i])];
    }

    private static string WithoutDot(string name) => name.EndsWith('.') ? name[..^1] : name;
}

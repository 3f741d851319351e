using PersistCa.Validation.Dns.Wire;
using PersistCa.Validation.Dnssec;

namespace PersistCa.Validation.Dns;

/// <content>Mode <see cref="DnssecMode.Validate"/>: links of the chain of signatures go the same ways as questions do.</content>
public sealed partial class StubResolver
{
    /// <summary>Asks one resolver and no other for a link of the chain, with DO and CD.</summary>
    internal Task<ChainReply> FetchFromAsync(ResolverAddress server, CanonicalName name, int type, CancellationToken cancellationToken) =>
        LinkOnceAsync(upstreams[server], plan.For(Written(name)).Zone, name, type, cancellationToken);

    private static string Written(CanonicalName name) => name.LabelCount == 0 ? "" : name.Text;

    private async Task<DnsAnswer> ValidatedAsync(DnsAnswer answer, CancellationToken cancellationToken)
    {
        if (answer.IsFailure || DnsMessage.Read(answer.ReplyOctets) is not { IsValid: true, Value: var reply })
        {
            return DnssecPolicy.Judge(answer, trusted: false, answersUnchecked: false, options with { RequireSecure = false });
        }

        var chain = Chain(isFresh: false);
        var trust = await AnswerTrust.OfAsync(answer, reply, chain, cancellationToken).ConfigureAwait(false);
        if (trust.State == TrustState.Bogus && chain.UsedCache)
        {
            // A zone may have changed its keys out of turn: before anything is called bogus all is asked afresh.
            trust = await AnswerTrust.OfAsync(answer, reply, Chain(isFresh: true), cancellationToken).ConfigureAwait(false);
        }

        return DnssecPolicy.Judge(answer, trust, plan.Anchors, options);
    }

    /// <summary>
    /// Finds out, for a question that failed, whether the zones above prove its zone unsigned (BR section 3.2.2.8). Everything is asked afresh: so it shows at
    /// the same time that resolvers and line work. What the configuration declares is no proof.
    /// </summary>
    private async Task<DnsAnswer> ProveInsecureAsync(DnsAnswer answer, CancellationToken cancellationToken)
    {
        if (answer.Security == DnsSecurity.Bogus || CanonicalName.FromText(answer.OwnerName) is not { } name)
        {
            return answer;
        }

        // The time of the question itself is used up perhaps.
        using var overall = new CancellationTokenSource(options.OverallTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, overall.Token);
        var zone = await Chain(isFresh: true).ToAsync(name, either.Token).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return zone switch
        {
            { State: TrustState.Insecure, IsDeclared: false } => answer with { Security = DnsSecurity.Insecure, SecurityReason = zone.Reason },
            { State: TrustState.Bogus } => answer with { Security = DnsSecurity.Bogus, SecurityReason = zone.Reason },
            { State: TrustState.Secure } => answer with { SecurityReason = $"{zone.Zone} is signed" },
            _ => answer with { SecurityReason = zone.Reason },
        };
    }

    private ChainOfTrust Chain(bool isFresh) => new(plan.Anchors, chains, new ChainBudget(options.Chain), LinkAsync, time) { IsFresh = isFresh };

    private async Task<ChainReply> LinkAsync(CanonicalName name, int type, CancellationToken cancellationToken)
    {
        // DS records stand in the zone above: whoever knows that one is asked (RFC 4035 section 4.2).
        var route = plan.For(Written(type == DnssecTypes.Ds ? name.Parent : name));
        var order = InTurn(route);
        var reply = new ChainReply(null, "no answer came in time");
        for (var attempt = 0; attempt <= options.Retries && reply.Message is null && !cancellationToken.IsCancellationRequested; attempt++)
        {
            reply = await LinkOnceAsync(order[attempt % order.Length], route.Zone, name, type, cancellationToken).ConfigureAwait(false);
        }

        return reply;
    }

    private async Task<ChainReply> LinkOnceAsync(Upstream upstream, string zone, CanonicalName name, int type, CancellationToken cancellationToken)
    {
        var query = DnsQuery.Create(Written(name), type, new DnsQueryForm(options.UdpPayloadOctets, options.CaseRandomization, CheckingDisabled: true));
        if (!query.IsValid)
        {
            return new ChainReply(null, query.Reason);
        }

        try
        {
            using var place = await upstream.Places.EnterAsync(zone, cancellationToken).ConfigureAwait(false);
            var exchange = await ExchangeAsync(upstream, query.Value, cancellationToken).ConfigureAwait(false);
            return exchange.Reply is not { } reply
                ? new ChainReply(null, exchange.Failure switch
                {
                    DnsStatus.Timeout => "no answer came in time",
                    DnsStatus.Mismatched => "the reply does not belong to the question",
                    _ => "no readable reply came",
                })
                : exchange.Octets.Length > options.MaxAnswerOctets ? new ChainReply(null, "the answer is too large")
                : reply.ResponseCode is DnsReply.NoError or DnsReply.NxDomain ? new ChainReply(reply, null)
                : new ChainReply(null, $"the resolver answered {DnsReply.CodeName(reply.ResponseCode)}");
        }
        catch (OperationCanceledException)
        {
            return new ChainReply(null, "no answer came in time");
        }
    }
}

using PersistCa.Validation.Dnssec;

namespace PersistCa.Validation.Dns;

/// <summary>
/// Finds out at the start whether the resolvers validate, before anything rests on their word: a resolver that was set up without trust anchor answers
/// everything, and nothing else would ever show it.
/// </summary>
public static class DnssecSelfTest
{
    /// <summary>Asks every resolver (those of configured zones aside) for a name that is signed and for one whose signatures are wrong.</summary>
    /// <param name="resolver">The resolver, in mode <see cref="DnssecMode.TrustedResolver"/>.</param>
    /// <param name="secureName">A name whose zone is signed.</param>
    /// <param name="bogusName">A name whose zone is signed wrongly on purpose.</param>
    /// <param name="cancellationToken">Ends the test.</param>
    /// <returns>Null when all resolvers validate; otherwise which does not, and what it answered.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<string?> RunAsync(StubResolver resolver, string secureName, string bogusName, CancellationToken cancellationToken)
    {
        foreach (var server in resolver.Servers)
        {
            if (!resolver.IsTrusted(server))
            {
                return $"the resolver {server} is neither on this machine nor listed as trusted, so that its word on DNSSEC does not count";
            }

            var secure = await resolver.AskServerAsync(server, secureName, DnsRecordKind.A, cancellationToken).ConfigureAwait(false);
            if (secure.IsFailure || secure.Security != DnsSecurity.Secure)
            {
                return $"the resolver {server} does not vouch for {secureName}, which should be signed: {Found(secure)}";
            }

            var bogus = await resolver.AskServerAsync(server, bogusName, DnsRecordKind.A, cancellationToken).ConfigureAwait(false);
            if (bogus.Security != DnsSecurity.Bogus)
            {
                return $"the resolver {server} does not refuse {bogusName}, whose signatures should be wrong: {Found(bogus)}";
            }
        }

        return null;
    }

    /// <summary>
    /// Mode <see cref="DnssecMode.Validate"/>: asks every resolver (those of configured zones aside) for the keys of each trust anchor, and checks them. A
    /// resolver that leaves signatures out would make every answer bogus.
    /// </summary>
    /// <param name="resolver">The resolver.</param>
    /// <param name="time">The time.</param>
    /// <param name="cancellationToken">Ends the test.</param>
    /// <returns>Null when all is well; otherwise what is not.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<string?> RunAsync(StubResolver resolver, TimeProvider time, CancellationToken cancellationToken)
    {
        foreach (var anchor in resolver.Anchors.All)
        {
            foreach (var server in resolver.ServersFor(anchor.Zone.Text))
            {
                var signed = true;
                async Task<ChainReply> AskAsync(CanonicalName name, int type, CancellationToken cancel)
                {
                    var reply = await resolver.FetchFromAsync(server, name, type, cancel).ConfigureAwait(false);
                    signed = reply.Message is null || reply.Message.Answers.Any(r => r.Type == DnssecTypes.Rrsig);
                    return reply;
                }

                var limits = new ChainLimits { CacheTime = TimeSpan.Zero };
                var chain = new ChainOfTrust(resolver.Anchors, new ChainCache(limits, time), new ChainBudget(limits), AskAsync, time);
                var zone = await chain.ToAsync(anchor.Zone, cancellationToken).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                if (zone.State != TrustState.Secure)
                {
                    return $"the resolver {server}, asked for the keys of {anchor.Zone}, "
                        + (signed ? $"gives none that fit the trust anchor: {PrintableText.Shorten(zone.Reason, 300)}" : "returns no signatures (RRSIG) although they were asked for (DO)");
                }
            }
        }

        return null;
    }

    private static string Found(DnsAnswer answer)
    {
        var status = answer.Status == DnsStatus.NotSecure ? "an answer without AD bit" : answer.ResponseCode ?? answer.Status.ToString();
        return $"{status}, {answer.Security}{(answer.Reason is { } reason ? $" ({PrintableText.Shorten(reason, 200)})" : "")}";
    }
}

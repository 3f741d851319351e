using PersistCa.Validation.Dns.Wire;
using PersistCa.Validation.Dnssec;

namespace PersistCa.Validation.Dns;

/// <summary>What an answer is worth under DNSSEC (RFC 4035 section 4.3). Pure.</summary>
internal static class DnssecPolicy
{
    /// <summary>
    /// Whether the question has to be asked again without checking, to learn whether signatures are why the resolver failed: if the same resolver
    /// then has an answer, they are (RFC 4035 section 3.2.2).
    /// </summary>
    public static bool NeedsProbe(DnsAnswer answer, DnssecMode mode, bool trusted) =>
        mode == DnssecMode.TrustedResolver && trusted && answer.Status == DnsStatus.ServFail && !SaysBogus(answer);

    /// <summary>Judges an answer.</summary>
    /// <param name="answer">The answer as it came.</param>
    /// <param name="trusted">Whether the word of its resolver counts.</param>
    /// <param name="answersUnchecked">Whether the resolver, after it failed, had an answer without checking.</param>
    /// <param name="options">Mode and demands.</param>
    /// <returns>The answer with its security; a failure where security is demanded and lacking.</returns>
    public static DnsAnswer Judge(DnsAnswer answer, bool trusted, bool answersUnchecked, DnsOptions options)
    {
        if (answer.Status == DnsStatus.ServFail && (SaysBogus(answer) || answersUnchecked))
        {
            // A failure anyway; whoever forges this word wins nothing by it, so that it is taken from any resolver in any mode.
            return answer with { Security = DnsSecurity.Bogus };
        }

        if (answer.IsFailure)
        {
            return answer;
        }

        var security = options.Dnssec == DnssecMode.Off || !trusted ? DnsSecurity.NotChecked
            : answer.AuthenticData ? DnsSecurity.Secure
            : DnsSecurity.Insecure;
        return options.RequireSecure && security != DnsSecurity.Secure && !IsDeclaredInsecure(answer.OwnerName, options)
            ? answer with
            {
                Status = DnsStatus.NotSecure,
                Security = security,
                Records = [],
                Reason = security == DnsSecurity.Insecure ? "the resolver does not vouch for it" : "the resolver's word does not count",
            }
            : answer with { Security = security };
    }

    /// <summary>Judges an answer by the chain of signatures that was followed here (mode <see cref="DnssecMode.Validate"/>).</summary>
    /// <param name="answer">The answer as it came, no failure.</param>
    /// <param name="trust">What its chain of signatures comes to.</param>
    /// <param name="anchors">What is declared: a zone with a nearer anchor is none of an island around it.</param>
    /// <param name="options">Demands.</param>
    /// <returns>The answer with its security; a failure where it is bogus or cannot be proved, or lacks the security that is demanded.</returns>
    public static DnsAnswer Judge(DnsAnswer answer, AnswerTrust trust, TrustAnchors anchors, DnsOptions options) => trust.State switch
    {
        TrustState.Secure => answer with { Security = DnsSecurity.Secure },
        TrustState.Insecure when options.RequireSecure && !anchors.IsDeclaredInsecure(answer.OwnerName) =>
            answer with { Status = DnsStatus.NotSecure, Security = DnsSecurity.Insecure, Records = [], Reason = trust.Reason, SecurityReason = trust.Reason },
        TrustState.Insecure => answer with { Security = DnsSecurity.Insecure, SecurityReason = trust.Reason },
        TrustState.Bogus => answer with { Status = DnsStatus.Bogus, Security = DnsSecurity.Bogus, Records = [], Reason = trust.Reason, SecurityReason = trust.Reason },
        _ => answer with { Status = DnsStatus.Unproven, Records = [], Reason = trust.Reason, SecurityReason = trust.Reason },
    };

    // The name asked for decides, not the end of the alias chain: an alias forged into a zone that is not signed must not get around the demand.
    private static bool IsDeclaredInsecure(string name, DnsOptions options) =>
        options.InsecureZones.Any(z => DnsWireName.IsWithin(name, z.TrimEnd('.')));

    private static bool SaysBogus(DnsAnswer answer) => answer.ExtendedErrors.Any(e => e.IsBogus);
}

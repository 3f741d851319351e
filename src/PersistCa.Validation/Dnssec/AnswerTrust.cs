using PersistCa.Validation.Dns;
using PersistCa.Validation.Dns.Wire;

namespace PersistCa.Validation.Dnssec;

/// <summary>What DNSSEC says of a whole answer: every alias on the way, and what stands at its end (RFC 4035 section 5.3 and 5.4).</summary>
/// <param name="State">What is known.</param>
/// <param name="Reason">Why it is not secure; empty where it is.</param>
internal sealed record AnswerTrust(TrustState State, string Reason)
{
    private static readonly AnswerTrust Secure = new(TrustState.Secure, "");

    /// <summary>Judges an answer.</summary>
    /// <param name="answer">The answer as it was read: aliases and status.</param>
    /// <param name="reply">The reply it was read from.</param>
    /// <param name="chain">The chain of signatures.</param>
    /// <param name="cancellationToken">Ends the look-ups.</param>
    public static async Task<AnswerTrust> OfAsync(DnsAnswer answer, DnsMessage reply, ChainOfTrust chain, CancellationToken cancellationToken)
    {
        var sets = SignedSet.Of(reply.Answers);
        var whole = Secure;
        var names = new List<CanonicalName>();
        foreach (var text in answer.CnameChain.Prepend(answer.OwnerName))
        {
            if (CanonicalName.FromText(text) is not { } name)
            {
                return new AnswerTrust(TrustState.Bogus, "a name in the answer cannot be read");
            }

            names.Add(name);
        }

        for (var i = 0; i < names.Count; i++)
        {
            var isEnd = i == names.Count - 1;
            var step = !isEnd ? await AliasAsync(names[i], names[i + 1], sets, reply, chain, cancellationToken).ConfigureAwait(false)
                : answer.Status == DnsStatus.Answered ? await SetAsync(names[i], names[i], sets.First(s => s.Type == (int)answer.Kind && s.Owner.Equals(names[i])), reply, chain, cancellationToken).ConfigureAwait(false)
                : await AbsenceAsync(names[i], (int)answer.Kind, answer.Status == DnsStatus.NxDomain, reply, chain, cancellationToken).ConfigureAwait(false);

            // What is not signed makes the whole so; what is wrong, or unknown, ends it.
            if (step.State is TrustState.Bogus or TrustState.Unknown)
            {
                return step;
            }

            whole = step.State == TrustState.Insecure ? step : whole;
        }

        return whole;
    }

    private static async Task<AnswerTrust> AliasAsync(
        CanonicalName name, CanonicalName target, IEnumerable<SignedSet> sets, DnsMessage reply, ChainOfTrust chain, CancellationToken cancellationToken)
    {
        // An alias that follows from a DNAME is not signed itself (RFC 6672 section 5.3.1).
        var from = sets.FirstOrDefault(s => s.Type == DnssecTypes.Dname && s.Data.Length == 1 && name.IsBelow(s.Owner) && Follows(name, target, s));
        var set = from ?? sets.First(s => s.Type == DnssecTypes.Cname && s.Owner.Equals(name));
        return await SetAsync(name, set.Owner, set, reply, chain, cancellationToken).ConfigureAwait(false);
    }

    private static bool Follows(CanonicalName name, CanonicalName target, SignedSet dname) =>
        CanonicalName.Read(dname.Data[0].Span, out _) is { } to
        && target.LabelCount - to.LabelCount == name.LabelCount - dname.Owner.LabelCount
        && target.IsWithin(to)
        && name.Wire[..(name.Wire.Length - dname.Owner.Wire.Length)].SequenceEqual(target.Wire[..(target.Wire.Length - to.Wire.Length)]);

    private static async Task<AnswerTrust> SetAsync(CanonicalName asked, CanonicalName owner, SignedSet set, DnsMessage reply, ChainOfTrust chain, CancellationToken cancellationToken)
    {
        // Without a signature the question is whether there must be one.
        var signer = Nearest(set.Signatures.Select(s => s.Signer), owner, chain.AnchorOf(asked));
        var zone = await chain.ToAsync(signer ?? asked, cancellationToken).ConfigureAwait(false);
        if (zone.State != TrustState.Secure)
        {
            return new AnswerTrust(zone.State, zone.Reason);
        }

        if (signer is null || !zone.Zone.Equals(signer))
        {
            return new AnswerTrust(
                TrustState.Bogus,
                signer is null ? $"type {set.Type} at {owner} has no signature, and {zone.Zone} is signed" : $"{signer}, which is said to have signed type {set.Type} at {owner}, is no signed zone");
        }

        var check = SignatureCheck.Of(set, zone.Zone, zone.Keys, chain.Now, chain.Budget);
        if (check.By is not { } by)
        {
            return new AnswerTrust(TrustState.Bogus, check.Reason);
        }

        if (by.Labels == owner.SignedLabelCount)
        {
            return Secure;
        }

        return chain.Proof(zone, reply).Proof.OfNearer(owner, by.Labels) switch
        {
            Denial.NoName => Secure,
            Denial.MayBeInsecure => new AnswerTrust(TrustState.Insecure, $"{zone.Zone} does not prove what {owner} is (opt-out, or too many rounds of NSEC3)"),
            _ => new AnswerTrust(TrustState.Bogus, $"{owner} is answered by a wildcard, and it is not proved that the name does not exist"),
        };
    }

    private static async Task<AnswerTrust> AbsenceAsync(CanonicalName name, int type, bool isNxDomain, DnsMessage reply, ChainOfTrust chain, CancellationToken cancellationToken)
    {
        var signer = Nearest(SignedSet.Of(reply.Authorities).Where(s => s.Type is DnssecTypes.Nsec or DnssecTypes.Nsec3).SelectMany(s => s.Signatures).Select(s => s.Signer), name, chain.AnchorOf(name));
        var zone = await chain.ToAsync(signer ?? name, cancellationToken).ConfigureAwait(false);
        if (zone.State != TrustState.Secure)
        {
            return new AnswerTrust(zone.State, zone.Reason);
        }

        if (signer is null || !zone.Zone.Equals(signer))
        {
            return new AnswerTrust(TrustState.Bogus, $"that {name} has no type {type} is not proved, and {zone.Zone} is signed");
        }

        var (proof, _, fault) = chain.Proof(zone, reply);
        return proof.Of(name, type) switch
        {
            Denial.NoName when isNxDomain => Secure,
            Denial.NoType when !isNxDomain => Secure,
            Denial.MayBeInsecure => new AnswerTrust(TrustState.Insecure, $"{zone.Zone} does not prove what {name} is (opt-out, or too many rounds of NSEC3)"),
            _ => new AnswerTrust(TrustState.Bogus, fault ?? $"the records of {zone.Zone} do not prove that {name} {(isNxDomain ? "does not exist" : $"has no type {type}")}"),
        };
    }

    /// <summary>
    /// The zone nearest to a name among those that are said to have signed. What stands above the anchor of the name says nothing of it: a zone that is not
    /// signed must not make it so by being named, and one that is, and does not know of it, must not prove that it does not exist.
    /// </summary>
    private static CanonicalName? Nearest(IEnumerable<CanonicalName> signers, CanonicalName name, CanonicalName? anchor) =>
        signers.Where(s => name.IsWithin(s) && (anchor is null || s.IsWithin(anchor))).MaxBy(s => s.LabelCount);
}

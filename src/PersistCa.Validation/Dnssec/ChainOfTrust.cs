using System.Collections.Immutable;
using PersistCa.Validation.Dns;
using PersistCa.Validation.Dns.Wire;

namespace PersistCa.Validation.Dnssec;

/// <summary>What asking for a link of the chain brought.</summary>
/// <param name="Message">The reply; null where none came that says something.</param>
/// <param name="Failure">Why there is none, as a clause fit for an account; null with a reply.</param>
internal sealed record ChainReply(DnsMessage? Message, string? Failure);

/// <summary>Asks for DS or DNSKEY, with DO and CD. Failures are replies without message.</summary>
internal delegate Task<ChainReply> ChainFetch(CanonicalName name, int type, CancellationToken cancellationToken);

/// <summary>What is known of an answer or a zone.</summary>
internal enum TrustState
{
    /// <summary>Signed, up to an anchor.</summary>
    Secure = 1,

    /// <summary>Proven, or declared, not to be signed.</summary>
    Insecure = 2,

    /// <summary>Should be signed and is not, or wrongly.</summary>
    Bogus = 3,

    /// <summary>A link could not be looked up: nothing is known.</summary>
    Unknown = 4,
}

/// <summary>The zone that a name lies in, as far as the chain leads to it.</summary>
/// <param name="State">What is known of it.</param>
/// <param name="Zone">The zone; where it is not signed, the first that is not.</param>
/// <param name="Keys">Its keys, where it is secure.</param>
/// <param name="Reason">Why it is not secure; empty where it is.</param>
internal sealed record ZoneTrust(TrustState State, CanonicalName Zone, ImmutableArray<KeyRecord> Keys, string Reason)
{
    /// <summary>Whether the configuration says that the zone is not signed, and no proof does.</summary>
    public bool IsDeclared { get; init; }
}

/// <summary>The keys of one zone.</summary>
/// <param name="Keys">The keys.</param>
internal sealed record ZoneKeys(ImmutableArray<KeyRecord> Keys);

/// <summary>
/// Follows the chain of signatures from an anchor down to a zone (RFC 4035 section 5.2), label by label: at each name the zone above says, signed, whether
/// a signed zone begins there, one that is not signed, or none. One is made for each answer; what it learns of zones is kept in the cache.
/// </summary>
/// <param name="anchors">Where it starts.</param>
/// <param name="cache">What is known already.</param>
/// <param name="budget">Work that is left.</param>
/// <param name="fetch">Asks.</param>
/// <param name="time">The time that signatures are judged by.</param>
internal sealed class ChainOfTrust(TrustAnchors anchors, ChainCache cache, ChainBudget budget, ChainFetch fetch, TimeProvider time)
{
    private readonly DateTimeOffset now = time.GetUtcNow();

    /// <summary>Whether the cache is passed over.</summary>
    public bool IsFresh { get; init; }

    /// <summary>Whether anything came from the cache.</summary>
    public bool UsedCache { get; private set; }

    /// <summary>Work that is left.</summary>
    public ChainBudget Budget => budget;

    /// <summary>The time that signatures are judged by.</summary>
    public DateTimeOffset Now => now;

    /// <summary>The zone of the anchor that holds for a name; null where none does.</summary>
    public CanonicalName? AnchorOf(CanonicalName name) => anchors.For(name)?.Zone;

    /// <summary>Finds the zone that a name lies in.</summary>
    /// <param name="name">The name; if it is a zone's own, that zone.</param>
    /// <param name="cancellationToken">Ends the look-ups.</param>
    public async Task<ZoneTrust> ToAsync(CanonicalName name, CancellationToken cancellationToken)
    {
        if (anchors.For(name) is not { } anchor)
        {
            return new ZoneTrust(TrustState.Insecure, name, [], $"{name} is declared not to be signed") { IsDeclared = true };
        }

        var here = await KeysAsync(anchor.Zone, anchor.Keys, cancellationToken).ConfigureAwait(false);
        for (var labels = anchor.Zone.LabelCount + 1; labels <= name.LabelCount && here.State == TrustState.Secure; labels++)
        {
            var child = name.Ancestor(labels);
            var (found, fault) = await DelegationAsync(here, child, cancellationToken).ConfigureAwait(false);
            switch (found?.Kind)
            {
                case null:
                    return fault!;
                case DelegationKind.None:
                    continue;
                case DelegationKind.Absent:
                    return here;
                case DelegationKind.Insecure:
                    return new ZoneTrust(TrustState.Insecure, child, [], $"{here.Zone} proves that {child} is not signed");
            }

            here = await KeysAsync(child, found.Keys, cancellationToken).ConfigureAwait(false);
        }

        return here;
    }

    /// <summary>The keys of a zone, by the digests that the zone above or an anchor has of them.</summary>
    private async Task<ZoneTrust> KeysAsync(CanonicalName zone, ImmutableArray<DelegationRecord> digests, CancellationToken cancellationToken)
    {
        if (Cached<ZoneKeys>(zone, DnssecTypes.Dnskey) is { } known)
        {
            return new ZoneTrust(TrustState.Secure, zone, known.Keys, "");
        }

        var (reply, fault) = await FetchAsync(zone, DnssecTypes.Dnskey, cancellationToken).ConfigureAwait(false);
        if (reply is null)
        {
            return fault!;
        }

        if (SignedSet.Of(reply.Answers).FirstOrDefault(s => s.Type == DnssecTypes.Dnskey && s.Owner.Equals(zone)) is not { } set)
        {
            return Bogus(zone, $"{zone} has no keys although it should be signed");
        }

        if (set.Data.Length > budget.Limits.MaxKeys)
        {
            return Bogus(zone, $"{zone} has {set.Data.Length} keys, at most {budget.Limits.MaxKeys} are looked at");
        }

        ImmutableArray<KeyRecord> keys = [.. set.Data.Select(KeyRecord.Read).OfType<KeyRecord>()];
        ImmutableArray<KeyRecord> entry = [.. keys.Where(k => digests.Any(d => d.IsSupported && d.Fits(zone, k)))];
        if (entry.IsEmpty)
        {
            return Bogus(zone, $"no key of {zone} is one that its DS records or the trust anchor tell of");
        }

        var check = SignatureCheck.Of(set, zone, entry, now, budget);
        if (check.By is not { } by)
        {
            return Bogus(zone, check.Reason);
        }

        cache.Keep(zone, DnssecTypes.Dnskey, new ZoneKeys(keys), Life(set, by));
        return new ZoneTrust(TrustState.Secure, zone, keys, "");
    }

    /// <summary>What lies at a name, by the word of the zone above.</summary>
    private async Task<(Delegation? Found, ZoneTrust? Fault)> DelegationAsync(ZoneTrust above, CanonicalName child, CancellationToken cancellationToken)
    {
        if (Cached<Delegation>(child, DnssecTypes.Ds) is { } known && known.Above.Equals(above.Zone))
        {
            return (known, null);
        }

        var (reply, fault) = await FetchAsync(child, DnssecTypes.Ds, cancellationToken).ConfigureAwait(false);
        if (reply is null)
        {
            return (null, fault);
        }

        var sets = SignedSet.Of(reply.Answers);
        return sets.FirstOrDefault(s => s.Type == DnssecTypes.Ds && s.Owner.Equals(child)) is { } digests ? Digests(above, child, digests)
            : sets.FirstOrDefault(s => s.Type == DnssecTypes.Dname && child.IsBelow(s.Owner)) is { } dname ? Link(above, child, DelegationKind.Absent, dname)
            : sets.FirstOrDefault(s => s.Type == DnssecTypes.Cname && s.Owner.Equals(child)) is { } alias ? Link(above, child, DelegationKind.None, alias)
            : Denied(above, child, reply);
    }

    private (Delegation? Found, ZoneTrust? Fault) Digests(ZoneTrust above, CanonicalName child, SignedSet set)
    {
        if (set.Data.Length > budget.Limits.MaxKeys)
        {
            return (null, Bogus(child, $"{child} has {set.Data.Length} DS records, at most {budget.Limits.MaxKeys} are looked at"));
        }

        var check = SignatureCheck.Of(set, above.Zone, above.Keys, now, budget);
        if (check.By is not { } by || by.Labels != child.LabelCount)
        {
            return (null, Bogus(child, check.By is null ? check.Reason : $"the DS records of {child} come from a wildcard"));
        }

        ImmutableArray<DelegationRecord> digests = [.. set.Data.Select(DelegationRecord.Read).OfType<DelegationRecord>().Where(d => d.IsSupported)];
        return (Kept(new Delegation(above.Zone, digests.IsEmpty ? DelegationKind.Insecure : DelegationKind.Secure, digests), child, Life(set, by)), null);
    }

    /// <summary>A name with an alias is no delegation (RFC 1034 section 3.6.2), and under a DNAME nothing is (RFC 6672 section 2.4).</summary>
    private (Delegation? Found, ZoneTrust? Fault) Link(ZoneTrust above, CanonicalName child, DelegationKind kind, SignedSet set)
    {
        var check = SignatureCheck.Of(set, above.Zone, above.Keys, now, budget);
        return check.By is not { } by ? (null, Bogus(child, check.Reason))
            : by.Labels < set.Owner.SignedLabelCount ? (null, Bogus(child, $"the alias at {set.Owner} comes from a wildcard, and it is not proved that {child} does not exist"))
            : (Kept(new Delegation(above.Zone, kind, []), child, Life(set, by)), null);
    }

    private (Delegation? Found, ZoneTrust? Fault) Denied(ZoneTrust above, CanonicalName child, DnsMessage reply)
    {
        var (proof, life, reason) = Proof(above, reply);
        return proof.Of(child, DnssecTypes.Ds) switch
        {
            Denial.NoType => (Kept(new Delegation(above.Zone, DelegationKind.None, []), child, life), null),
            Denial.NoName => (Kept(new Delegation(above.Zone, DelegationKind.Absent, []), child, life), null),
            Denial.Delegation or Denial.MayBeInsecure => (Kept(new Delegation(above.Zone, DelegationKind.Insecure, []), child, life), null),
            _ => (null, Bogus(child, reason ?? $"{above.Zone} neither tells of keys of {child} nor proves that there are none")),
        };
    }

    /// <summary>What the authority section of a reply proves, by records that a zone signed.</summary>
    /// <param name="zone">The zone, secure.</param>
    /// <param name="reply">The reply.</param>
    /// <returns>The proof, how long it holds, and the fault of a signature where there is one.</returns>
    public (DenialProof Proof, TimeSpan Life, string? Fault) Proof(ZoneTrust zone, DnsMessage reply)
    {
        var right = new List<SignedSet>();
        var life = TimeSpan.MaxValue;
        string? fault = null;
        foreach (var set in SignedSet.Of(reply.Authorities).Where(s => s.Type is DnssecTypes.Nsec or DnssecTypes.Nsec3 && s.Signatures.Any(r => r.Signer.Equals(zone.Zone))))
        {
            var check = SignatureCheck.Of(set, zone.Zone, zone.Keys, now, budget);

            // A record of denial is never made from a wildcard, though it may stand at one.
            if (check.By is { } by && by.Labels == set.Owner.SignedLabelCount)
            {
                right.Add(set);
                life = Life(set, by) is var own && own < life ? own : life;
            }
            else
            {
                fault ??= check.Reason.Length > 0 ? check.Reason : $"the denial at {set.Owner} comes from a wildcard";
            }
        }

        return (DenialProof.From(zone.Zone, right, budget.Limits.MaxNsec3Iterations), life, fault);
    }

    private Delegation Kept(Delegation found, CanonicalName child, TimeSpan life)
    {
        cache.Keep(child, DnssecTypes.Ds, found, life);
        return found;
    }

    private T? Cached<T>(CanonicalName name, int type)
        where T : class
    {
        var known = IsFresh ? null : cache.Find<T>(name, type);
        UsedCache |= known is not null;
        return known;
    }

    private async Task<(DnsMessage? Message, ZoneTrust? Fault)> FetchAsync(CanonicalName name, int type, CancellationToken cancellationToken)
    {
        if (!budget.TakeLookup())
        {
            return (null, Bogus(name, $"more than {budget.Limits.MaxLookups} look-ups would be needed"));
        }

        var reply = await fetch(name, type, cancellationToken).ConfigureAwait(false);
        return reply.Message is { } message ? (message, null)
            : (null, new ZoneTrust(TrustState.Unknown, name, [], $"looking up {(type == DnssecTypes.Ds ? "DS" : "DNSKEY")} {name} failed: {reply.Failure}"));
    }

    private TimeSpan Life(SignedSet set, SignatureRecord by)
    {
        var seconds = TimeSpan.FromSeconds(Math.Min((uint)set.Ttl, by.OriginalTtl));
        var left = by.LeftAt(now);
        return seconds < left ? seconds : left;
    }

    private static ZoneTrust Bogus(CanonicalName zone, string reason) => new(TrustState.Bogus, zone, [], reason);
}

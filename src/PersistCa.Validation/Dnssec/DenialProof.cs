using System.Collections.Immutable;

namespace PersistCa.Validation.Dnssec;

/// <summary>What NSEC or NSEC3 records prove of a name and a type.</summary>
internal enum Denial
{
    /// <summary>Nothing.</summary>
    Nothing = 0,

    /// <summary>The name exists, by itself or by a wildcard, without the type.</summary>
    NoType = 1,

    /// <summary>The name is a delegation without DS: the zone below is not signed by this one's word.</summary>
    Delegation = 2,

    /// <summary>The name does not exist.</summary>
    NoName = 3,

    /// <summary>The name may lie in a zone that is not signed: opt-out (RFC 5155 section 6), or too many rounds of hashing (RFC 9276 section 3.2).</summary>
    MayBeInsecure = 4,
}

/// <summary>
/// Proofs that something does not exist, from records of one zone whose signatures are right (RFC 4035 section 5.4, RFC 5155 section 8, RFC 6840
/// section 4). Pure.
/// </summary>
internal sealed class DenialProof
{
    private readonly CanonicalName zone;
    private readonly ImmutableArray<NsecRecord> nsec;
    private readonly ImmutableArray<Nsec3Record> nsec3;
    private readonly int mostIterations;
    private readonly Nsec3Hash? hash;

    private DenialProof(CanonicalName zone, ImmutableArray<NsecRecord> nsec, ImmutableArray<Nsec3Record> nsec3, int mostIterations)
    {
        (this.zone, this.nsec, this.mostIterations) = (zone, nsec, mostIterations);

        // Those of one proof share salt and rounds (RFC 5155 section 8.2).
        this.nsec3 = [.. nsec3.Where(r => r.Iterations == nsec3[0].Iterations && r.Salt.AsSpan().SequenceEqual(nsec3[0].Salt))];
        hash = nsec3.IsEmpty || nsec3[0].Iterations > mostIterations ? null : new Nsec3Hash(nsec3[0].Iterations, nsec3[0].Salt);
    }

    private bool HasTooManyIterations => !nsec3.IsEmpty && nsec3[0].Iterations > mostIterations;

    /// <summary>A proof from sets that are already found to be signed by the zone.</summary>
    /// <param name="zone">The zone.</param>
    /// <param name="sets">NSEC and NSEC3 sets; others are left out.</param>
    /// <param name="mostIterations">Most rounds of NSEC3 that are computed.</param>
    public static DenialProof From(CanonicalName zone, IEnumerable<SignedSet> sets, int mostIterations)
    {
        var all = sets.Where(s => s.Owner.IsWithin(zone)).ToList();
        return new DenialProof(
            zone,
            [.. all.Where(s => s.Type == DnssecTypes.Nsec).SelectMany(s => s.Data.Select(d => NsecRecord.Read(s.Owner, d.Span))).OfType<NsecRecord>().Where(r => r.Next.IsWithin(zone))],
            [.. all.Where(s => s.Type == DnssecTypes.Nsec3 && s.Owner.Parent.Equals(zone)).SelectMany(s => s.Data.Select(d => Nsec3Record.Read(s.Owner, d.Span))).OfType<Nsec3Record>()],
            mostIterations);
    }

    /// <summary>What is proved of a name within the zone.</summary>
    public Denial Of(CanonicalName name, int type)
    {
        var byNames = ByNsec(name, type);
        return byNames != Denial.Nothing || nsec3.IsEmpty ? byNames
            : HasTooManyIterations ? Denial.MayBeInsecure
            : ByNsec3(name, type);
    }

    /// <summary>Whether a name that a wildcard answered for has none nearer (RFC 4035 section 5.3.4, RFC 5155 section 8.8).</summary>
    /// <param name="name">The name.</param>
    /// <param name="labels">Labels of the name that the wildcard stands under.</param>
    /// <returns>NoName when that is proved, MayBeInsecure, or Nothing.</returns>
    public Denial OfNearer(CanonicalName name, int labels)
    {
        if (nsec.FirstOrDefault(r => r.Covers(name, zone)) is { } cover && Encloser(name, cover).LabelCount == labels)
        {
            return Denial.NoName;
        }

        return nsec3.IsEmpty ? Denial.Nothing
            : HasTooManyIterations ? Denial.MayBeInsecure
            : Covering(name.Ancestor(labels + 1)) is not { } record ? Denial.Nothing
            : record.OptOut ? Denial.MayBeInsecure
            : Denial.NoName;
    }

    private static Denial OfTypes(TypeBitmap types, CanonicalName name, int type) =>
        types.Has(type) || (type != DnssecTypes.Cname && types.Has(DnssecTypes.Cname)) ? Denial.Nothing

        // Of a delegation the zone above can deny the DS alone, and of a DS no zone's own apex says a thing (RFC 6840 sections 4.1 and 4.4).
        : types.IsDelegation ? type == DnssecTypes.Ds ? Denial.Delegation : Denial.Nothing
        : type == DnssecTypes.Ds && types.Has(DnssecTypes.Soa) && name.LabelCount > 0 ? Denial.Nothing
        : Denial.NoType;

    private static CanonicalName Encloser(CanonicalName name, NsecRecord cover)
    {
        var (one, other) = (name.Common(cover.Owner), name.Common(cover.Next));
        return one.LabelCount >= other.LabelCount ? one : other;
    }

    private Denial ByNsec(CanonicalName name, int type)
    {
        if (nsec.FirstOrDefault(r => r.Owner.Equals(name)) is { } match)
        {
            return OfTypes(match.Types, name, type);
        }

        if (nsec.FirstOrDefault(r => r.Covers(name, zone)) is not { } cover)
        {
            return Denial.Nothing;
        }

        if (cover.Next.IsBelow(name))
        {
            return Denial.NoType; // an empty non-terminal
        }

        return Encloser(name, cover).Wildcard() is not { } wildcard ? Denial.Nothing
            : nsec.FirstOrDefault(r => r.Owner.Equals(wildcard)) is { } any ? WildcardLacks(any.Types, type)
            : nsec.Any(r => r.Covers(wildcard, zone)) ? Denial.NoName
            : Denial.Nothing;
    }

    private Denial ByNsec3(CanonicalName name, int type)
    {
        if (Matching(name) is { } match)
        {
            return OfTypes(match.Types, name, type);
        }

        for (var encloser = name; encloser.IsBelow(zone);)
        {
            var next = encloser;
            encloser = encloser.Parent;
            if (Matching(encloser) is not { } found)
            {
                continue;
            }

            if (found.Types.IsDelegation || found.Types.Has(DnssecTypes.Dname) || Covering(next) is not { } cover)
            {
                return Denial.Nothing;
            }

            return cover.OptOut ? Denial.MayBeInsecure
                : encloser.Wildcard() is not { } wildcard ? Denial.Nothing
                : Matching(wildcard) is { } any ? WildcardLacks(any.Types, type)
                : Covering(wildcard) is not null ? Denial.NoName
                : Denial.Nothing;
        }

        return Denial.Nothing;
    }

    private static Denial WildcardLacks(TypeBitmap types, int type) =>
        types.Has(type) || types.Has(DnssecTypes.Cname) || types.IsDelegation ? Denial.Nothing : Denial.NoType;

    private Nsec3Record? Matching(CanonicalName name)
    {
        var sought = hash!.Of(name);
        return nsec3.FirstOrDefault(r => r.Hash.AsSpan().SequenceEqual(sought));
    }

    private Nsec3Record? Covering(CanonicalName name)
    {
        var sought = hash!.Of(name);
        return nsec3.FirstOrDefault(r => r.Covers(sought));
    }
}

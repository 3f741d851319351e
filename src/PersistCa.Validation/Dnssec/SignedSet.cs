using System.Buffers.Binary;
using System.Collections.Immutable;
using PersistCa.Validation.Dns.Wire;

namespace PersistCa.Validation.Dnssec;

/// <summary>The records of one name and type (an RRset), with the signatures over them that came along.</summary>
/// <param name="Owner">Owner.</param>
/// <param name="Type">Type.</param>
/// <param name="Ttl">Least time to live among them, in seconds.</param>
/// <param name="Data">RDATA in canonical form and order, each once (RFC 4034 sections 6.2 and 6.3).</param>
/// <param name="Signatures">RRSIG records at the owner that cover the type, as they came.</param>
internal sealed record SignedSet(CanonicalName Owner, int Type, int Ttl, ImmutableArray<ReadOnlyMemory<byte>> Data, ImmutableArray<SignatureRecord> Signatures)
{
    /// <summary>What a signature over the set is made over (RFC 4034 section 3.1.8.1).</summary>
    /// <param name="signature">The signature.</param>
    public byte[] SignedOctets(SignatureRecord signature)
    {
        // A record made from a wildcard is signed under the wildcard's name.
        var owner = signature.Labels < Owner.SignedLabelCount ? Owner.Ancestor(signature.Labels).Wildcard() ?? Owner : Owner;
        using var stream = new MemoryStream();
        stream.Write(signature.Preamble.Span);
        Span<byte> fields = stackalloc byte[10];
        foreach (var data in Data)
        {
            stream.Write(owner.Wire);
            BinaryPrimitives.WriteUInt16BigEndian(fields, (ushort)Type);
            BinaryPrimitives.WriteUInt16BigEndian(fields[2..], DnsTypes.ClassIn);
            BinaryPrimitives.WriteUInt32BigEndian(fields[4..], signature.OriginalTtl);
            BinaryPrimitives.WriteUInt16BigEndian(fields[8..], (ushort)data.Length);
            stream.Write(fields);
            stream.Write(data.Span);
        }

        return stream.ToArray();
    }

    /// <summary>The sets of a section. Records that break the form of their type are left out, and with them the signature over their set fails.</summary>
    public static ImmutableArray<SignedSet> Of(ImmutableArray<DnsMessageRecord> section)
    {
        var records = section.Where(r => r.Class == DnsTypes.ClassIn)
            .Select(r => (Record: r, Owner: CanonicalName.FromText(r.Owner)))
            .Where(r => r.Owner is not null)
            .ToList();
        var signatures = records.Where(r => r.Record.Type == DnssecTypes.Rrsig)
            .Select(r => (r.Owner, Signature: SignatureRecord.Read(r.Record.Data)))
            .Where(s => s.Signature is not null)
            .ToLookup(s => (s.Owner!, s.Signature!.TypeCovered), s => s.Signature!);
        return
        [
            .. records.Where(r => r.Record.Type != DnssecTypes.Rrsig)
                .GroupBy(r => (r.Owner!, r.Record.Type))
                .Select(g => new SignedSet(
                    g.Key.Item1,
                    g.Key.Type,
                    g.Min(r => r.Record.Ttl),
                    [.. g.Select(r => Canonical(r.Record)).Order(OctetOrder.Instance).Distinct(OctetOrder.Instance)],
                    [.. signatures[g.Key]])),
        ];
    }

    /// <summary>
    /// RDATA in canonical form. Only the types whose signatures are checked here matter: in TXT, CAA, addresses, DS, DNSKEY and NSEC3 are no names, those in
    /// NSEC and RRSIG keep their letters (RFC 6840 section 5.1) or are read elsewhere, and DNAME may not be compressed (RFC 6672 section 2.5).
    /// </summary>
    private static ReadOnlyMemory<byte> Canonical(DnsMessageRecord record) => record.Type switch
    {
        DnssecTypes.Cname => CanonicalName.FromText(record.Target!)?.Wire.ToArray() ?? record.Data,
        DnssecTypes.Dname => CanonicalName.Read(record.Data.Span, out _)?.Wire.ToArray() ?? record.Data,
        _ => record.Data,
    };

    private sealed class OctetOrder : IComparer<ReadOnlyMemory<byte>>, IEqualityComparer<ReadOnlyMemory<byte>>
    {
        public static OctetOrder Instance { get; } = new();

        public int Compare(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceCompareTo(y.Span);

        public bool Equals(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceEqual(y.Span);

        public int GetHashCode(ReadOnlyMemory<byte> obj)
        {
            var hash = default(HashCode);
            hash.AddBytes(obj.Span);
            return hash.ToHashCode();
        }
    }
}

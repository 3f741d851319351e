using System.Collections.Immutable;
using System.Formats.Asn1;

namespace PersistCa.Issuance.Linting;

/// <summary>The names of subjectAltName by their kind (RFC 5280 section 4.2.1.6).</summary>
/// <param name="DnsNames">Each dNSName.</param>
/// <param name="Addresses">Octets of each iPAddress.</param>
/// <param name="Others">Tags of names of other kinds.</param>
public sealed record AlternativeNames(ImmutableArray<string> DnsNames, ImmutableArray<byte[]> Addresses, ImmutableArray<int> Others)
{
    /// <summary>How many there are.</summary>
    public int Count => DnsNames.Length + Addresses.Length + Others.Length;

    internal static AlternativeNames Read(TbsExtension? extension)
    {
        var (dnsNames, addresses, others) = (ImmutableArray.CreateBuilder<string>(), ImmutableArray.CreateBuilder<byte[]>(), ImmutableArray.CreateBuilder<int>());
        if (extension is not null)
        {
            var names = Oids.ReadList(extension.Value);
            while (names.HasData)
            {
                var tag = names.PeekTag();
                if (tag is { TagClass: TagClass.ContextSpecific, TagValue: Oids.DnsNameTag })
                {
                    dnsNames.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
                }
                else if (tag is { TagClass: TagClass.ContextSpecific, TagValue: Oids.IpAddressTag })
                {
                    addresses.Add(names.ReadOctetString(tag));
                }
                else
                {
                    others.Add(tag.TagValue);
                    names.ReadEncodedValue();
                }
            }
        }

        return new AlternativeNames(dnsNames.ToImmutable(), addresses.ToImmutable(), others.ToImmutable());
    }
}

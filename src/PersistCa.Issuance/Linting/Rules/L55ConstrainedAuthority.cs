using System.Formats.Asn1;
using System.Numerics;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L55: name constraints cover dNSName, iPAddress and directoryName, have no minimum or maximum, and contiguous masks.</summary>
internal sealed class L55ConstrainedAuthority() : CertificateLint("L55", "name constraints cover dNSName, iPAddress and directoryName, have no minimum or maximum, and contiguous masks", "BR section 7.1.2.5.2; RFC 5280 section 4.2.1.10", privately: LintSeverity.Warning)
{
    private static bool IsNetwork(byte[] octets)
    {
        if (octets.Length is not (8 or 32))
        {
            return false;
        }

        var mask = new BigInteger(octets.AsSpan(octets.Length / 2), isUnsigned: true, isBigEndian: true);
        var inverse = (BigInteger.One << (octets.Length * 4)) - 1 - mask;
        return (inverse & (inverse + 1)).IsZero;
    }

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (facts.Fields.Find(Oids.NameConstraints) is not { } extension)
        {
            yield break;
        }

        var covered = new HashSet<int>();
        var trees = Oids.ReadList(extension.Value);
        while (trees.HasData)
        {
            var tree = trees.ReadSequence(trees.PeekTag());
            while (tree.HasData)
            {
                var subtree = tree.ReadSequence();
                var tag = subtree.PeekTag();
                if (tag.TagClass == TagClass.ContextSpecific)
                {
                    covered.Add(tag.TagValue);
                }

                if (tag is { TagClass: TagClass.ContextSpecific, TagValue: Oids.IpAddressTag })
                {
                    if (!IsNetwork(subtree.ReadOctetString(tag)))
                    {
                        yield return "an iPAddress constraint is no address with a contiguous mask";
                    }
                }
                else
                {
                    subtree.ReadEncodedValue();
                }

                if (subtree.HasData)
                {
                    yield return "a constraint has a minimum or maximum";
                }
            }
        }

        const int directoryNameTag = 4;
        if (!covered.IsSupersetOf([Oids.DnsNameTag, Oids.IpAddressTag, directoryNameTag]))
        {
            yield return "the constraints do not cover all of dNSName, iPAddress and directoryName";
        }
    }
}

using System.Formats.Asn1;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>Reads the pointers of certificates and lists (RFC 5280 sections 4.2.1.13 and 4.2.2.1).</summary>
internal static class Locations
{
    private const string OcspMethod = "1.3.6.1.5.5.7.48.1";

    /// <summary>uniformResourceIdentifier of a GeneralName.</summary>
    public static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);

    /// <summary>distributionPoint of a DistributionPoint.</summary>
    public static readonly Asn1Tag PointNameTag = new(TagClass.ContextSpecific, 0, isConstructed: true);

    /// <summary>True for an absolute http URI.</summary>
    public static bool IsHttp(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp;

    /// <summary>True when authorityInfoAccess says where OCSP answers.</summary>
    public static bool HasOcsp(CertificateFacts facts)
    {
        if (facts.Fields.Find(Oids.AuthorityInfoAccess) is not { } extension)
        {
            return false;
        }

        var list = Oids.ReadList(extension.Value);
        while (list.HasData)
        {
            if (list.ReadSequence().ReadObjectIdentifier() == OcspMethod)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Reads a DistributionPointName that must be a fullName of URIs.</summary>
    public static (List<string> Uris, string? Fault) ReadPointName(AsnReader point)
    {
        var uris = new List<string>();
        var name = point.ReadSequence(PointNameTag);
        if (!name.HasData || name.PeekTag() != PointNameTag)
        {
            return (uris, "a distribution point has no full name");
        }

        var full = name.ReadSequence(PointNameTag);
        while (full.HasData)
        {
            if (full.PeekTag() != UriTag)
            {
                return (uris, "a distribution point has a name that is no URI");
            }

            uris.Add(full.ReadCharacterString(UniversalTagNumber.IA5String, UriTag));
        }

        return (uris, null);
    }
}

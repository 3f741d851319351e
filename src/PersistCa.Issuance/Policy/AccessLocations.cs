using System.Formats.Asn1;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Linting.Rules;

namespace PersistCa.Issuance.Policy;

/// <summary>Where a certificate says that its issuer's certificate and its status are to be had (authorityInfoAccess, RFC 5280 section 4.2.2.1).</summary>
internal static class AccessLocations
{
    /// <summary>id-ad-ocsp.</summary>
    public const string Ocsp = "1.3.6.1.5.5.7.48.1";

    /// <summary>id-ad-caIssuers.</summary>
    public const string Issuer = "1.3.6.1.5.5.7.48.2";

    /// <summary>The locations of one method; what is no URI is empty.</summary>
    public static List<string> Read(CertificateFacts facts, string method)
    {
        var found = new List<string>();
        if (facts.Fields.Find(Oids.AuthorityInfoAccess) is not { } extension)
        {
            return found;
        }

        var list = Oids.ReadList(extension.Value);
        while (list.HasData)
        {
            var description = list.ReadSequence();
            if (description.ReadObjectIdentifier() == method)
            {
                found.Add(description.HasData && description.PeekTag() == Locations.UriTag ? description.ReadCharacterString(UniversalTagNumber.IA5String, Locations.UriTag) : "");
            }
        }

        return found;
    }
}

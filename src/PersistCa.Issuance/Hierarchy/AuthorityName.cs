using System.Formats.Asn1;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Hierarchy;

/// <summary>Subjects of authorities: C, O, CN in the order of Baseline Requirements section 7.1.4.2, one attribute in each RDN.</summary>
public static class AuthorityName
{
    /// <summary>Longest organization or common name, characters (RFC 5280 appendix A.1, ub-organization-name and ub-common-name).</summary>
    public const int MaxLength = 64;

    /// <summary>Longest name of another maker that is read, octets.</summary>
    public const int MaxOctets = 4096;

    /// <summary>Encodes one.</summary>
    /// <param name="country">Two upper-case letters of ISO 3166-1, or null for none.</param>
    /// <param name="organization">Organization, 1 to 64 characters.</param>
    /// <param name="commonName">Common name, 1 to 64 characters.</param>
    /// <returns>The name, DER; or which part is outside its limits.</returns>
    public static Parsed<byte[]> Of(string? country, string organization, string commonName)
    {
        if (organization.Length is 0 or > MaxLength || commonName.Length is 0 or > MaxLength || organization.Concat(commonName).Any(char.IsControl))
        {
            return Parsed<byte[]>.Refused($"organization and common name need 1 to {MaxLength} characters, none of them a control character");
        }

        var oids = new List<DerObjectIdentifier>();
        var values = new List<string>();
        if (country is not null)
        {
            if (country.Length != 2 || !country.All(char.IsAsciiLetterUpper))
            {
                return Parsed<byte[]>.Refused("the country needs two upper-case letters");
            }

            oids.Add(X509Name.C);
            values.Add(country);
        }

        oids.AddRange([X509Name.O, X509Name.CN]);
        values.AddRange([organization, commonName]);
        return Parsed<byte[]>.Ok(new X509Name(oids, values).GetEncoded(Asn1Encodable.Der));
    }

    /// <summary>Says why octets are no subject of an authority; null when they are one.</summary>
    internal static string? Judge(ReadOnlyMemory<byte> der)
    {
        if (der.Length > MaxOctets)
        {
            return $"the name has {der.Length} octets; at most {MaxOctets} are read";
        }

        try
        {
            var outer = new AsnReader(der, AsnEncodingRules.DER);
            var name = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            var any = false;
            for (; name.HasData; any = true)
            {
                var set = name.ReadSetOf();
                do
                {
                    var attribute = set.ReadSequence();
                    attribute.ReadObjectIdentifier();
                    attribute.ReadEncodedValue();
                    attribute.ThrowIfNotEmpty();
                }
                while (set.HasData);
            }

            if (!any)
            {
                return "the name is empty; an authority needs one (RFC 5280 section 4.1.2.6)";
            }

            // What encodes it again in a certificate must come to the same octets, since two encodings of one name do not chain for every client.
            return X509Name.GetInstance(Asn1Object.FromByteArray(der.ToArray())).GetEncoded(Asn1Encodable.Der).AsSpan().SequenceEqual(der.Span) ? null : "the name is not in DER";
        }
        catch (Exception e) when (e is AsnContentException or ArgumentException or IOException or InvalidOperationException)
        {
            return "the name cannot be read: " + e.Message;
        }
    }

    /// <summary>A name for people, such as C=CH,O=Example,CN=Example Root; nothing in it that a terminal obeys.</summary>
    public static string Show(ReadOnlyMemory<byte> der)
    {
        try
        {
            var text = X509Name.GetInstance(Asn1Object.FromByteArray(der.ToArray())).ToString();
            return string.Concat(text.Select(c => char.IsControl(c) || char.GetUnicodeCategory(c) is System.Globalization.UnicodeCategory.Format ? '?' : c)); // nor what turns the direction of writing
        }
        catch (Exception e) when (e is ArgumentException or IOException or InvalidOperationException or InvalidCastException)
        {
            return "a name that cannot be read";
        }
    }

    /// <summary>The organization and country of a name; null where it has none.</summary>
    public static (string? Country, string? Organization) Parts(ReadOnlyMemory<byte> der)
    {
        try
        {
            var name = X509Name.GetInstance(Asn1Object.FromByteArray(der.ToArray()));
            return (name.GetValueList(X509Name.C).FirstOrDefault(), name.GetValueList(X509Name.O).FirstOrDefault());
        }
        catch (Exception e) when (e is ArgumentException or IOException or InvalidOperationException or InvalidCastException)
        {
            return (null, null);
        }
    }
}

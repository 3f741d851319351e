using System.Formats.Asn1;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>Reads certificatePolicies (RFC 5280 section 4.2.1.4).</summary>
internal static class CertificatePolicies
{
    /// <summary>The qualifier that is the URI of a certification practice statement.</summary>
    public const string CpsQualifier = "1.3.6.1.5.5.7.2.1";

    /// <summary>The policies with their qualifiers; the URI is null where a qualifier is none.</summary>
    public static IReadOnlyList<(string Oid, IReadOnlyList<(string Oid, string? Uri)> Qualifiers)> Read(CertificateFacts facts)
    {
        var found = new List<(string, IReadOnlyList<(string, string?)>)>();
        if (facts.Fields.Find(Oids.CertificatePolicies) is not { } extension)
        {
            return found;
        }

        var policies = Oids.ReadList(extension.Value);
        while (policies.HasData)
        {
            var policy = policies.ReadSequence();
            var oid = policy.ReadObjectIdentifier();
            var qualifiers = new List<(string, string?)>();
            if (policy.HasData)
            {
                var list = policy.ReadSequence();
                while (list.HasData)
                {
                    var qualifier = list.ReadSequence();
                    var kind = qualifier.ReadObjectIdentifier();
                    var uri = qualifier.HasData && qualifier.PeekTag() == new Asn1Tag(UniversalTagNumber.IA5String) ? qualifier.ReadCharacterString(UniversalTagNumber.IA5String) : null;
                    qualifiers.Add((kind, uri));
                }
            }

            policy.ThrowIfNotEmpty();
            found.Add((oid, qualifiers));
        }

        return found;
    }
}

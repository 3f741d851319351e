using System.Formats.Asn1;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L41: authorityKeyIdentifier is the issuer's key identifier alone, and not critical.</summary>
internal sealed class L41AuthorityKeyIdentifier() : CertificateLint("L41", "authorityKeyIdentifier is the issuer's key identifier alone, and not critical", "RFC 5280 section 4.2.1.1; BR section 7.1.2.11.1")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (facts.Fields.Find(Oids.AuthorityKeyIdentifier) is not { } extension)
        {
            // A self-signed certificate may leave out what it would only repeat.
            return context.Kind == CertificateKind.Root ? [] : ["authorityKeyIdentifier is missing"];
        }

        if (extension.Critical)
        {
            return ["authorityKeyIdentifier is critical"];
        }

        var identifier = Oids.ReadList(extension.Value);
        var tag = new Asn1Tag(TagClass.ContextSpecific, 0);
        if (!identifier.HasData || identifier.PeekTag() != tag
            || (identifier.ReadOctetString(tag) is var found && context.IssuerKeyIdentifier is { } expected && !found.AsSpan().SequenceEqual(expected.Span)))
        {
            return ["authorityKeyIdentifier is not the issuer's key identifier"];
        }

        return identifier.HasData ? ["authorityKeyIdentifier has the issuer and serial form besides"] : [];
    }
}

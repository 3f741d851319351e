using System.Formats.Asn1;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L53: a root has its own name and key identifier as issuer, no extKeyUsage, lives 2922 to 9132 days; an authority's subject has C, O and CN, and no OU.</summary>
internal sealed class L53Root() : CertificateLint("L53", "a root has its own name and key identifier as issuer, no extKeyUsage, lives 2922 to 9132 days; an authority's subject has C, O and CN, and no OU", "BR sections 7.1.2.1 and 7.1.2.10.2")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (context.Kind is not (CertificateKind.Root or CertificateKind.SubordinateAuthority))
        {
            yield break;
        }

        var publicOnly = context.Regime == Regime.CabfBr ? LintSeverity.Error : LintSeverity.Notice;
        var types = facts.Subject.Select(a => a.Oid).ToHashSet();
        if (!types.IsSupersetOf([Oids.CountryName, "2.5.4.10", Oids.CommonName]) || types.Contains("2.5.4.11"))
        {
            yield return new LintObservation("the subject of an authority lacks C, O or CN, or has an OU", publicOnly);
        }

        if (context.Kind != CertificateKind.Root)
        {
            yield break;
        }

        if (!facts.Fields.Issuer.Span.SequenceEqual(facts.Fields.Subject.Span))
        {
            yield return "the issuer of a root is not its subject";
        }

        if (facts.Fields.Find(Oids.AuthorityKeyIdentifier) is { } authority && facts.Fields.Find(Oids.SubjectKeyIdentifier) is { } own
            && !Oids.ReadList(authority.Value).ReadOctetString(new Asn1Tag(TagClass.ContextSpecific, 0)).AsSpan().SequenceEqual(Oids.ReadOctets(own.Value)))
        {
            yield return "authorityKeyIdentifier of a root is not its subjectKeyIdentifier";
        }

        if (facts.Fields.Find(Oids.ExtendedKeyUsage) is not null)
        {
            yield return new LintObservation("a root has extKeyUsage", publicOnly);
        }

        if (Validities.Inclusive(facts).TotalDays is < 2922 or > 9132)
        {
            yield return new LintObservation($"a root lives {Validities.Inclusive(facts).TotalDays:0} days; 2922 to 9132 are expected", publicOnly);
        }
    }
}

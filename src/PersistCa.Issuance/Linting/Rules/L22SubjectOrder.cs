namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L22: each attribute of the subject stands alone, once, in the order of the Baseline Requirements.</summary>
internal sealed class L22SubjectOrder() : CertificateLint("L22", "each attribute of the subject stands alone, once, in the order of the Baseline Requirements", "BR section 7.1.4.2", privately: LintSeverity.Warning)
{
    private const string DomainComponent = "0.9.2342.19200300.100.1.25";
    private const string StreetAddress = "2.5.4.9";

    // DC, C, ST, L, postal code, street, O, surname, given name, OU, CN.
    private static readonly string[] Order = [DomainComponent, Oids.CountryName, "2.5.4.8", "2.5.4.7", "2.5.4.17", StreetAddress, "2.5.4.10", "2.5.4.4", "2.5.4.42", "2.5.4.11", Oids.CommonName];

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        var attributes = facts.Subject;
        if (attributes.GroupBy(a => a.Rdn).Any(g => g.Count() > 1))
        {
            yield return "an RDN has more than one attribute";
        }

        if (attributes.GroupBy(a => a.Oid).FirstOrDefault(g => g.Count() > 1 && g.Key is not (DomainComponent or StreetAddress)) is { } twice)
        {
            yield return $"the attribute {twice.Key} stands there {twice.Count()} times";
        }

        var places = attributes.Select(a => Array.IndexOf(Order, a.Oid)).Where(i => i >= 0).ToList();
        if (!places.SequenceEqual(places.Order()))
        {
            yield return "the attributes are not in the order of the Baseline Requirements";
        }
    }
}

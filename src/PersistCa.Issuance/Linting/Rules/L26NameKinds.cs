namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L26: subjectAltName has at least one dNSName or iPAddress and no other name.</summary>
internal sealed class L26NameKinds() : CertificateLint("L26", "subjectAltName has at least one dNSName or iPAddress and no other name", "RFC 5280 section 4.2.1.6; BR section 7.1.2.7.12")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (context.Kind != CertificateKind.Subscriber)
        {
            return [];
        }

        if (facts.Fields.Find(Oids.SubjectAltName) is null)
        {
            return ["subjectAltName is missing"];
        }

        return facts.Names.Count == 0
            ? ["subjectAltName is empty"]
            : facts.Names.Others.Select(o => new LintObservation($"subjectAltName has a name of the type [{o}]; only dNSName [2] and iPAddress [7] are expected"));
    }
}

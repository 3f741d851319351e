namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L27: subjectAltName is critical exactly when the subject is empty.</summary>
internal sealed class L27NamesCriticality() : CertificateLint("L27", "subjectAltName is critical exactly when the subject is empty", "RFC 5280 section 4.2.1.6; BR section 7.1.2.7.12")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        var empty = facts.Fields.SubjectIsEmpty;
        if (facts.Fields.Find(Oids.SubjectAltName) is { } names && names.Critical != empty)
        {
            yield return $"subjectAltName is {(names.Critical ? "" : "not ")}critical while the subject is {(empty ? "" : "not ")}empty";
        }
    }
}

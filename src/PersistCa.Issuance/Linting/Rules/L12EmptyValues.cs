namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L12: no extension is an empty list and no GeneralName is empty.</summary>
internal sealed class L12EmptyValues() : CertificateLint("L12", "no extension is an empty list and no GeneralName is empty", "RFC 5280 sections 4.2 and 4.2.1.6")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        foreach (var extension in facts.Fields.Extensions.Where(e => e.Oid != Oids.BasicConstraints && e.Value.Span.SequenceEqual((ReadOnlySpan<byte>)[0x30, 0x00])))
        {
            yield return $"the extension {extension.Oid} is an empty list";
        }

        if (facts.Names.DnsNames.Contains("") || facts.Names.Addresses.Any(a => a.Length == 0))
        {
            yield return "subjectAltName has an empty name";
        }
    }
}

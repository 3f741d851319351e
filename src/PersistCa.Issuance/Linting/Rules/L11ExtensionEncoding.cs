namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L11: every extension is DER, with minimal bit lists and no default spelled out.</summary>
internal sealed class L11ExtensionEncoding() : CertificateLint("L11", "every extension is DER, with minimal bit lists and no default spelled out", "X.690 section 11; RFC 5280 section 4.2")
{
    // BOOLEAN FALSE.
    private static readonly byte[] SpelledDefault = [0x01, 0x01, 0x00];

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        foreach (var extension in facts.Fields.Extensions)
        {
            if (DerWalk.Judge(extension.Value) is { } fault)
            {
                yield return $"the extension {extension.Oid} is no DER: {fault}";
            }
            else if (extension.Oid == Oids.KeyUsage && !DerWalk.IsMinimalBitList(extension.Value))
            {
                yield return "keyUsage has trailing zero bits";
            }
            else if (extension.Oid == Oids.BasicConstraints && extension.Value.Span.IndexOf(SpelledDefault) == 2)
            {
                yield return "basicConstraints spells out the default of cA";
            }
        }
    }
}

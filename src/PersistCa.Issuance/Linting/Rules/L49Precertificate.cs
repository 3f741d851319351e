namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L49: a precertificate has a critical poison of NULL and no timestamps.</summary>
internal sealed class L49Precertificate() : CertificateLint("L49", "a precertificate has a critical poison of NULL and no timestamps", "RFC 6962 section 3.1; BR section 7.1.2.9")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (facts.Fields.Find(Oids.PrecertificatePoison) is not { } poison)
        {
            yield break;
        }

        if (!poison.Critical || !poison.Value.Span.SequenceEqual((ReadOnlySpan<byte>)[0x05, 0x00]))
        {
            yield return "the poison is not critical or not NULL";
        }

        if (facts.Fields.Find(Oids.SignedTimestamps) is not null)
        {
            yield return "a precertificate has signed timestamps";
        }
    }
}

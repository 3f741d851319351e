using PersistCa.Issuance.Crl;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L60: an answer's times are in order and within limits, its reasons are accepted and stand where they belong, its responder is the signer, its serial numbers are known.</summary>
internal sealed class L60OcspAnswer() : LintRule("L60", "an answer's times are in order and within limits, its reasons are accepted and stand where they belong, its responder is the signer, its serial numbers are known", "RFC 6960 section 4.2; BR sections 4.9.9 and 7.3"), IOcspLint
{
    private static readonly TimeSpan Shortest = TimeSpan.FromHours(8);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(10);

    /// <inheritdoc/>
    public IEnumerable<LintObservation> Check(OcspFacts facts, OcspLintContext context)
    {
        if (facts.ResponderKeyHash is not { } responder
            || (context.ResponderKeyHash is { } expected && !responder.Span.SequenceEqual(expected.Span))
            || (facts.EmbeddedKeyHash() is { } embedded && !responder.Span.SequenceEqual(embedded.Span)))
        {
            yield return "the responder is not named by the key that signs";
        }

        if (!AllowedSignatures.Contains(facts.SignatureAlgorithm, context.Regime))
        {
            yield return "the signature algorithm is not allowed";
        }

        if (facts.Singles.IsEmpty || facts.Singles.DistinctBy(s => (s.HashOid, s.Serial)).Count() != facts.Singles.Length)
        {
            yield return "there is no status, or two of one certificate";
        }

        foreach (var finding in facts.Singles.SelectMany(s => Check(s, facts, context)))
        {
            yield return finding;
        }
    }

    private static IEnumerable<LintObservation> Check(OcspSingleFacts single, OcspFacts facts, OcspLintContext context)
    {
        if (single.ThisUpdate > facts.ProducedAt || single.NextUpdate is not { } next || next <= single.ThisUpdate)
        {
            yield return $"thisUpdate of {single.Serial} is later than producedAt, or nextUpdate is missing or not later than thisUpdate";
        }
        else if (single.Status != 2 && next - single.ThisUpdate is var interval && (interval > Longest || interval < Shortest))
        {
            yield return new LintObservation(
                $"the answer about {single.Serial} lives {interval.TotalHours:0.##} hours; 8 hours to 10 days are expected", context.Regime == Regime.CabfBr ? LintSeverity.Error : LintSeverity.Warning);
        }

        if (single.Extensions.Any(e => e.Oid == Oids.ReasonCode))
        {
            yield return $"the reason of {single.Serial} stands in an extension; it belongs into the status";
        }

        // Only what is revoked has a time of it, or a reason.
        if (single.RevokedAt > single.ThisUpdate || single.Reason == 0 || RevocationReasons.Judge(single.Reason) is not null)
        {
            yield return $"the revocation of {single.Serial} is later than the answer, or has a reason that is not accepted";
        }

        if (single.Status != 2 && context.KnownSerials is { } known && !known.Contains(single.Serial))
        {
            yield return $"the certificate {single.Serial} was not issued here, and the answer says that it is good or revoked";
        }
    }
}

using PersistCa.Issuance.Crl;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L58: entries have serial numbers once, a date not after the list, and an accepted reason, not critical, or none.</summary>
internal sealed class L58RevocationEntries() : RevocationListLint("L58", "entries have serial numbers once, a date not after the list, and an accepted reason, not critical, or none", "RFC 5280 section 5.3; BR section 7.2.2")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CrlFacts facts, CrlLintContext context)
    {
        var accepted = context.OfAuthorities == false ? RevocationReasons.Accepted : RevocationReasons.OfAuthorities;
        var seen = new HashSet<string>();
        foreach (var entry in facts.Entries ?? [])
        {
            if (!seen.Add(entry.Serial))
            {
                yield return $"the serial number {entry.Serial} stands there twice";
            }

            if (entry.RevokedAt.At > facts.ThisUpdate.At)
            {
                yield return $"the certificate {entry.Serial} is revoked at {entry.RevokedAt.At:u}, later than the list";
            }

            if (entry.Extensions.Any(e => e.Critical))
            {
                yield return $"the entry of {entry.Serial} has a critical extension";
            }

            if (entry.Extensions.FirstOrDefault(e => e.Oid == Oids.ReasonCode) is not { } reason)
            {
                if (context is { OfAuthorities: true, Regime: Regime.CabfBr })
                {
                    yield return $"the entry of {entry.Serial} has no reason; of an authority's certificate it is to have one";
                }
            }
            else if (reason.Value.Span is not [0x0a, 0x01, var code] || code == 0 || !accepted.Contains(code))
            {
                yield return $"the entry of {entry.Serial} has a reason that is not accepted";
            }
        }
    }
}

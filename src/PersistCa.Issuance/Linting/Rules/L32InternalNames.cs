using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L32: no name is internal; of a private authority it lies in a configured zone.</summary>
internal sealed class L32InternalNames() : CertificateLint("L32", "no name is internal; of a private authority it lies in a configured zone", "BR section 4.2.2")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        foreach (var text in facts.Names.DnsNames)
        {
            if (CertificateName.Parse(text) is not { IsValid: true, Value.Name: var name })
            {
                continue;
            }

            if (context.Regime == Regime.CabfBr && (name.LabelCount < 2 || PublicSuffixList.Shipped.IsInternal(name)))
            {
                yield return $"the dNSName '{text}' is an internal name: its last label is no public top-level domain";
            }

            if (context.Zones is { } zones && !zones.Any(name.IsWithin))
            {
                yield return $"the dNSName '{text}' lies in no configured zone";
            }
        }
    }
}

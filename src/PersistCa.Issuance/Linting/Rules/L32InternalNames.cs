using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L32: no name is internal; of a private authority it lies in a configured zone.</summary>
internal sealed class L32InternalNames() : CertificateLint("L32", "no name is internal; of a private authority it lies in a configured zone", "BR section 4.2.2")
{
    // Special-use names (RFC 6761, RFC 6762, RFC 9476) that a list of suffixes may still hold.
    private static readonly string[] Special = ["alt", "example", "internal", "invalid", "local", "localhost", "test"];

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        foreach (var text in facts.Names.DnsNames)
        {
            if (CertificateName.Parse(text) is not { IsValid: true, Value.Name: var name })
            {
                continue;
            }

            if (context.Regime == Regime.CabfBr && (name.LabelCount < 2 || Special.Contains(name.Labels[^1]) || !PublicSuffixList.Shipped.IsPublicSuffix(name.Ancestors().Last())))
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

using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L30: a wildcard is the whole left-most label, once, and not directly under a public suffix.</summary>
internal sealed class L30Wildcard() : CertificateLint("L30", "a wildcard is the whole left-most label, once, and not directly under a public suffix", "RFC 9525 section 6.3; BR section 3.2.2.6")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        foreach (var name in facts.Names.DnsNames.Where(n => n.Contains('*', StringComparison.Ordinal)))
        {
            if (name.LastIndexOf('*') != 0 || !name.StartsWith("*.", StringComparison.Ordinal))
            {
                yield return $"the wildcard of '{name}' is not its whole left-most label";
            }
            else if (context.Regime == Regime.CabfBr && DnsName.Parse(name[2..]) is { IsValid: true } below && PublicSuffixList.Shipped.IsPublicSuffix(below.Value))
            {
                // A private authority may serve such names where its policy says so, which is decided at the order.
                yield return $"the wildcard '{name}' stands directly under a public suffix";
            }
        }
    }
}

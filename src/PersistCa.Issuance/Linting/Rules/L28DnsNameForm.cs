using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L28: each dNSName is a host name in preferred syntax.</summary>
internal sealed class L28DnsNameForm() : CertificateLint("L28", "each dNSName is a host name in preferred syntax", "RFC 5280 section 4.2.1.6; RFC 1034 section 3.5")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        foreach (var name in facts.Names.DnsNames)
        {
            if (CertificateName.Parse(name) is { IsValid: false } bad)
            {
                yield return $"the dNSName '{name}' is none: {bad.Reason}";
            }
        }
    }
}

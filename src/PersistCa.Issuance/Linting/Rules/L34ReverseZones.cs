namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L34: no name lies under in-addr.arpa or ip6.arpa.</summary>
internal sealed class L34ReverseZones() : CertificateLint("L34", "no name lies under in-addr.arpa or ip6.arpa", "BR section 4.2.2", privately: LintSeverity.Warning)
{
    private static readonly string[] Zones = [".in-addr.arpa", ".ip6.arpa"];

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        return facts.Names.DnsNames.Where(n => Zones.Any(z => n.EndsWith(z, StringComparison.OrdinalIgnoreCase)))
            .Select(n => new LintObservation($"the dNSName '{n}' lies in a reverse zone"));
    }
}

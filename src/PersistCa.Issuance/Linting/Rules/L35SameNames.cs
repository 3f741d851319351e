using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L35: subjectAltName has exactly the order's names, each once.</summary>
internal sealed class L35SameNames() : CertificateLint("L35", "subjectAltName has exactly the order's names, each once", "RFC 8555 section 7.4; RFC 8738 section 3")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (context.Names is not { } order)
        {
            yield break;
        }

        // A dNSName that spells an address is none of the order's names: kinds are compared too.
        List<(IdentifierType, string Text)> found =
        [
            .. facts.Names.DnsNames.Select(n => (IdentifierType.Dns, n)),
            .. facts.Names.Addresses.Select(a => (IdentifierType.Ip, IpIdentifier.FromOctets(a).Value?.Text ?? Convert.ToHexStringLower(a))),
        ];
        var expected = order.Select(n => (n.Type, n.Text)).ToHashSet();
        if (found.Count != expected.Count || !expected.SetEquals(found))
        {
            yield return $"subjectAltName has {string.Join(", ", found.Select(n => n.Text))}; the order has {string.Join(", ", expected.Select(n => n.Text))}";
        }
    }
}

using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L21: a common name is a character copy of a name of subjectAltName, of at most 64 characters.</summary>
internal sealed class L21CommonName() : CertificateLint("L21", "a common name is a character copy of a name of subjectAltName, of at most 64 characters", "BR section 7.1.4.3; RFC 5280 appendix A.1")
{
    private const int MaxLength = 64;

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (context.Kind != CertificateKind.Subscriber)
        {
            yield break;
        }

        var names = facts.Names.DnsNames.Concat(facts.Names.Addresses.Select(a => IpIdentifier.FromOctets(a).Value?.Text)).ToHashSet();
        foreach (var name in facts.Subject.Where(a => a.Oid == Oids.CommonName))
        {
            if (!names.Contains(name.Text) || name.Text.Length > MaxLength)
            {
                // A private authority of others may name hosts by other words; one here never does.
                yield return $"the common name '{name.Text}' is none of the names of subjectAltName, or longer than {MaxLength} characters";
            }
            else if (context.Regime == Regime.CabfBr)
            {
                yield return new LintObservation("there is a common name, which is not recommended", LintSeverity.Warning);
            }
        }
    }
}

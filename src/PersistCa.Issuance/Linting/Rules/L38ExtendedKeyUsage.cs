namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L38: extKeyUsage is not critical and has the profile's purposes and none that do not fit a TLS server.</summary>
internal sealed class L38ExtendedKeyUsage() : CertificateLint("L38", "extKeyUsage is not critical and has the profile's purposes and none that do not fit a TLS server", "RFC 5280 section 4.2.1.12; BR section 7.1.2.7.10")
{
    // any, codeSigning, emailProtection, timeStamping, OCSPSigning.
    private static readonly string[] Forbidden = ["2.5.29.37.0", "1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.8", Oids.OcspSigning];

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (context.Kind != CertificateKind.Subscriber)
        {
            return [];
        }

        if (facts.Fields.Find(Oids.ExtendedKeyUsage) is not { Critical: false } || facts.Purposes is not { } purposes)
        {
            return ["extKeyUsage is missing or critical"];
        }

        if (context.Purposes is { } wanted)
        {
            var alone = wanted is [Oids.ServerAuth] ? "serverAuth alone" : string.Join(", ", wanted);
            return purposes.Order(StringComparer.Ordinal).SequenceEqual(wanted.Order(StringComparer.Ordinal)) ? [] : [$"extKeyUsage is not {alone}"];
        }

        return !purposes.Contains(Oids.ServerAuth) || purposes.Any(Forbidden.Contains) ? ["extKeyUsage lacks serverAuth, or has a purpose that does not fit a TLS server"] : [];
    }
}

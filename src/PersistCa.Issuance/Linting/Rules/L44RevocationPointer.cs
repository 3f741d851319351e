namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L44: there is a CRL or OCSP pointer unless the certificate is short-lived; a CRL pointer is one full name of an http URI.</summary>
internal sealed class L44RevocationPointer() : CertificateLint("L44", "there is a CRL or OCSP pointer unless the certificate is short-lived; a CRL pointer is one full name of an http URI", "BR sections 7.1.2.7.6 and 7.1.2.11.2")
{
    // Baseline Requirements section 1.6.1, from 2026-03-15.
    private static readonly TimeSpan ShortLived = TimeSpan.FromSeconds(604_800);

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        var extension = facts.Fields.Find(Oids.CrlDistributionPoints);
        if (extension is null)
        {
            if (context is { Regime: Regime.CabfBr, Kind: CertificateKind.Subscriber } && !Locations.HasOcsp(facts) && Validities.Inclusive(facts) > ShortLived)
            {
                yield return "there is neither a CRL nor an OCSP pointer, and the certificate is not short-lived";
            }

            yield break;
        }

        if (extension.Critical)
        {
            yield return "cRLDistributionPoints is critical";
        }

        var points = Oids.ReadList(extension.Value);
        var count = 0;
        for (; points.HasData; count++)
        {
            var point = points.ReadSequence();
            if (!point.HasData || point.PeekTag() != Locations.PointNameTag)
            {
                yield return "a distribution point has no name";
                continue;
            }

            var (uris, fault) = Locations.ReadPointName(point);
            if (fault is not null || point.HasData)
            {
                yield return fault ?? "a distribution point has reasons or a cRLIssuer";
            }
            else if (!uris.All(Locations.IsHttp))
            {
                yield return new LintObservation("a distribution point has a name that is no http URI", context.Regime == Regime.CabfBr ? LintSeverity.Error : LintSeverity.Warning);
            }
        }

        if (count != 1)
        {
            yield return $"there are {count} distribution points; one is expected";
        }
    }
}

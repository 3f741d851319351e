using PersistCa.Issuance.Csr;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L15: an EC key is an uncompressed point on its curve.</summary>
internal sealed class L15EcPoint() : CertificateLint("L15", "an EC key is an uncompressed point on its curve", "BR section 6.1.6; RFC 5480 section 2.2")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        var known = facts.Key.CurveOid is "1.2.840.10045.3.1.7" or "1.3.132.0.34" or "1.3.132.0.35";
        if (facts.Key.Oid == Oids.EcPublicKey && known && EcPoints.Refuse(facts.Key.CurveOid!, facts.Key.Octets) is { } reason)
        {
            yield return reason;
        }
    }
}

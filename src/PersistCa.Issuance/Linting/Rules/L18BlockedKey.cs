using PersistCa.Issuance.Csr;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L18: the key is not blocked, no authority's and not the account's.</summary>
internal sealed class L18BlockedKey() : CertificateLint("L18", "the key is not blocked, no authority's and not the account's", "BR sections 4.9.1.1 and 6.1.1.3; RFC 8555 section 11.1")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (context.BlockedKeys.Contains(PublicKeyFingerprint.Of(facts.Fields.SubjectPublicKeyInfo.Span)))
        {
            yield return "the key must not be certified: it is blocked, an authority's, or the account's";
        }
    }
}

using System.Formats.Asn1;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L57: a list is v2 with key identifier, rising number and a next update within the limit, no empty list of entries, and an allowed algorithm.</summary>
internal sealed class L57RevocationList() : RevocationListLint("L57", "a list is v2 with key identifier, rising number and a next update within the limit, no empty list of entries, and an allowed algorithm", "RFC 5280 sections 5.1 and 5.2; BR section 7.2")
{
    // RFC 5280 section 5.2.3: 20 octets, the first bit of which is the sign.
    private const int MaxNumberBits = 159;

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CrlFacts facts, CrlLintContext context)
    {
        if (facts.Version != 1)
        {
            yield return "the version is not v2";
        }

        if (!facts.SignatureAlgorithm.Span.SequenceEqual(facts.OuterAlgorithm.Span) || !AllowedSignatures.Contains(facts.SignatureAlgorithm, context.Regime))
        {
            yield return "the signature algorithm is not allowed, or not the same inside and outside";
        }

        if (context.IssuerSubjectDer is { } subject && !facts.Issuer.Span.SequenceEqual(subject.Span))
        {
            yield return "the issuer name is not octet for octet the subject of the issuer's certificate";
        }

        if (facts.Find(Oids.AuthorityKeyIdentifier) is not { Critical: false } authority)
        {
            yield return "authorityKeyIdentifier is missing or critical";
        }
        else if (context.IssuerKeyIdentifier is { } expected && !Oids.ReadList(authority.Value).ReadOctetString(new Asn1Tag(TagClass.ContextSpecific, 0)).AsSpan().SequenceEqual(expected.Span))
        {
            yield return "authorityKeyIdentifier is not the issuer's key identifier";
        }

        if (facts.Find(Oids.CrlNumber) is not { Critical: false } numbered)
        {
            yield return "the number is missing or critical";
        }
        else if (new AsnReader(numbered.Value, AsnEncodingRules.DER).ReadInteger() is var number
            && (number.Sign < 0 || number.GetBitLength() > MaxNumberBits || number <= context.NumberBefore))
        {
            yield return $"the number is negative, longer than 20 octets, or not above {context.NumberBefore}";
        }

        if (facts.NextUpdate is not { } next || next.At <= facts.ThisUpdate.At)
        {
            yield return "nextUpdate is missing or not later than thisUpdate";
        }
        else if (next.At - facts.ThisUpdate.At > context.MaxInterval)
        {
            yield return $"nextUpdate is {(next.At - facts.ThisUpdate.At).TotalDays:0.##} days after thisUpdate; at most {context.MaxInterval.Value.TotalDays:0.##} are allowed";
        }

        if (facts.Entries is { IsEmpty: true })
        {
            yield return "the list of entries is empty; it is to be left out";
        }
    }
}

using System.Collections.Frozen;
using System.Formats.Asn1;
using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.Ocsp;

/// <summary>What is said of a certificate (CertStatus of RFC 6960 section 4.2.1).</summary>
public enum OcspStatus
{
    /// <summary>Issued here and not revoked.</summary>
    Good = 0,

    /// <summary>Revoked, for ever.</summary>
    Revoked = 1,

    /// <summary>Not issued here. Never said to be good (Baseline Requirements section 4.9.9); "revoked" of what was never issued would need the extended definition of RFC 6960 section 2.2.</summary>
    Unknown = 2,
}

/// <summary>The status of one certificate.</summary>
/// <param name="Id">Which.</param>
/// <param name="Status">What is said of it.</param>
/// <param name="RevokedAt">When it was revoked; needed for what is revoked.</param>
/// <param name="Reason">An accepted reason code, null or 0 for none.</param>
public sealed record OcspSingle(OcspCertId Id, OcspStatus Status, DateTimeOffset? RevokedAt = null, int? Reason = null);

/// <summary>The times of an answer, whole seconds.</summary>
/// <param name="ThisUpdate">When the status was known to be so.</param>
/// <param name="NextUpdate">Until when the answer may be used.</param>
/// <param name="ProducedAt">When it was signed.</param>
public sealed record OcspTimes(DateTimeOffset ThisUpdate, DateTimeOffset NextUpdate, DateTimeOffset ProducedAt);

/// <summary>Answers without a status, which are not signed (OCSPResponseStatus of RFC 6960 section 4.2.1).</summary>
public enum OcspRefusal
{
    /// <summary>The question cannot be read.</summary>
    MalformedRequest = 1,

    /// <summary>Something failed here.</summary>
    InternalError = 2,

    /// <summary>Too much is asked at the moment.</summary>
    TryLater = 3,

    /// <summary>The certificate is another authority's (RFC 9919 section 3.2.3).</summary>
    Unauthorized = 6,
}

/// <summary>Makes answers (OCSPResponse with a BasicOCSPResponse, RFC 6960 section 4.2.1).</summary>
public static class OcspAnswer
{
    /// <summary>The media type of questions.</summary>
    public const string QuestionMediaType = "application/ocsp-request";

    /// <summary>The media type of answers.</summary>
    public const string AnswerMediaType = "application/ocsp-response";

    private const string BasicOid = "1.3.6.1.5.5.7.48.1.1";
    private const string NonceOid = "1.3.6.1.5.5.7.48.1.2";

    private static readonly Asn1Tag First = new(TagClass.ContextSpecific, 0, isConstructed: true);
    private static readonly Asn1Tag Second = new(TagClass.ContextSpecific, 1, isConstructed: true);
    private static readonly Asn1Tag Third = new(TagClass.ContextSpecific, 2, isConstructed: true);

    /// <summary>An answer without a status.</summary>
    public static byte[] Refuse(OcspRefusal refusal)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteEnumeratedValue(refusal);
        }

        return writer.Encode();
    }

    /// <summary>Makes, lints and signs an answer. The signer is named by its key, and its certificate stands in the answer where it is not the issuer's own.</summary>
    /// <param name="signer">Who signs.</param>
    /// <param name="singles">What is said, one or more, each certificate once. A revocation later than the answer is told at the answer's time.</param>
    /// <param name="times">The times; nextUpdate is cut to the end of the signer's certificate.</param>
    /// <param name="nonce">The question's nonce, null for none (RFC 9654).</param>
    /// <param name="cancellationToken">Stops before the signature.</param>
    /// <returns>The answer, DER.</returns>
    /// <exception cref="ArgumentException">There is nothing to say, or a revocation has no time or a reason that is not accepted.</exception>
    /// <exception cref="InvalidOperationException">The lint found an error in what was to be signed.</exception>
    public static async ValueTask<byte[]> SignAsync(
        OcspSigner signer, IReadOnlyList<OcspSingle> singles, OcspTimes times, ReadOnlyMemory<byte>? nonce = null, CancellationToken cancellationToken = default)
    {
        if (singles.Count == 0)
        {
            throw new ArgumentException("an answer says something of one certificate or more", nameof(singles));
        }

        var nextUpdate = CertificateTbs.WholeSeconds(times.NextUpdate < signer.NotAfter ? times.NextUpdate : signer.NotAfter);
        var whole = new OcspTimes(CertificateTbs.WholeSeconds(times.ThisUpdate), nextUpdate, CertificateTbs.WholeSeconds(times.ProducedAt));
        var tbs = Encode(signer, singles, whole, nonce);
        RefuseUnsound(signer, singles, tbs);
        var signed = await SignedParts.SignAsync(tbs, signer.Key, cancellationToken);
        return Wrap(signer, SignedParts.Read(signed).Value!);
    }

    /// <summary>Lints the answer with a placeholder for its signature, before the key is touched.</summary>
    private static void RefuseUnsound(OcspSigner signer, IReadOnlyList<OcspSingle> singles, byte[] tbs)
    {
        var twin = OcspFacts.Read(Wrap(signer, new SignedParts(tbs, signer.Key.Algorithm.AlgorithmIdentifier, new byte[] { 0 })));
        var context = new OcspLintContext
        {
            ResponderKeyHash = OcspCertId.ResponderKeyHash(signer.Key.SubjectPublicKeyInfo),
            KnownSerials = singles.Where(s => s.Status != OcspStatus.Unknown).Select(s => s.Id.Serial).ToFrozenSet(),
        };
        var errors = twin.IsValid
            ? [.. OcspLint.Check(twin.Value, context).Where(f => f.Severity == LintSeverity.Error).Select(f => $"{f.Id}: {f.Message}")]
            : new List<string> { twin.Reason };
        if (errors.Count > 0)
        {
            throw new InvalidOperationException("the answer was not signed, because its lint found: " + string.Join("; ", errors));
        }
    }

    private static byte[] Encode(OcspSigner signer, IReadOnlyList<OcspSingle> singles, OcspTimes times, ReadOnlyMemory<byte>? nonce)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence(Third))
            {
                writer.WriteOctetString(OcspCertId.ResponderKeyHash(signer.Key.SubjectPublicKeyInfo));
            }

            writer.WriteGeneralizedTime(times.ProducedAt, omitFractionalSeconds: true);
            using (writer.PushSequence())
            {
                foreach (var single in singles)
                {
                    WriteSingle(writer, single, times);
                }
            }

            if (nonce is { } echoed)
            {
                using (writer.PushSequence(Second))
                using (writer.PushSequence())
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier(NonceOid);
                    using (writer.PushOctetString())
                    {
                        writer.WriteOctetString(echoed.Span);
                    }
                }
            }
        }

        return writer.Encode();
    }

    private static void WriteSingle(AsnWriter writer, OcspSingle single, OcspTimes times)
    {
        using (writer.PushSequence())
        {
            single.Id.Write(writer);
            switch (single.Status)
            {
                case OcspStatus.Good:
                    writer.WriteNull(new Asn1Tag(TagClass.ContextSpecific, 0));
                    break;
                case OcspStatus.Revoked:
                    WriteRevoked(writer, single, times);
                    break;
                default:
                    writer.WriteNull(new Asn1Tag(TagClass.ContextSpecific, 2));
                    break;
            }

            writer.WriteGeneralizedTime(times.ThisUpdate, omitFractionalSeconds: true);
            using (writer.PushSequence(First))
            {
                writer.WriteGeneralizedTime(times.NextUpdate, omitFractionalSeconds: true);
            }
        }
    }

    private static void WriteRevoked(AsnWriter writer, OcspSingle single, OcspTimes times)
    {
        if (single.RevokedAt is not { } revokedAt || RevocationReasons.Judge(single.Reason) is not null)
        {
            throw new ArgumentException($"the revocation of {single.Id.Serial} has no time, or a reason that is not accepted", nameof(single));
        }

        // The clock of the node that revoked it may be ahead, as with lists.
        var at = CertificateTbs.WholeSeconds(revokedAt);
        using (writer.PushSequence(Second))
        {
            writer.WriteGeneralizedTime(at < times.ThisUpdate ? at : times.ThisUpdate, omitFractionalSeconds: true);
            if (RevocationReasons.Recorded(single.Reason) is { } reason)
            {
                using (writer.PushSequence(First))
                {
                    writer.WriteEncodedValue([0x0a, 0x01, (byte)reason]);
                }
            }
        }
    }

    private static byte[] Wrap(OcspSigner signer, SignedParts parts)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue([0x0a, 0x01, 0x00]); // successful
            using (writer.PushSequence(First))
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(BasicOid);
                using (writer.PushOctetString())
                using (writer.PushSequence())
                {
                    writer.WriteEncodedValue(parts.ToBeSigned.Span);
                    writer.WriteEncodedValue(parts.Algorithm.Span);
                    writer.WriteBitString(parts.Signature.Span);
                    if (signer.IsDelegated)
                    {
                        using (writer.PushSequence(First))
                        using (writer.PushSequence())
                        {
                            writer.WriteEncodedValue(signer.CertificateDer);
                        }
                    }
                }
            }
        }

        return writer.Encode();
    }
}

using System.Formats.Asn1;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Ocsp;
using PersistCa.Issuance.Signing;
using PersistCa.Issuance.Tests.Csr;

namespace PersistCa.Issuance.Tests.Linting.Fixtures;

/// <summary>What an answer says of one certificate.</summary>
internal sealed record SingleDraft
{
    public string HashOid { get; init; } = "1.3.14.3.2.26";

    public byte[] Serial { get; init; } = [1];

    /// <summary>0 good, 1 revoked, 2 unknown.</summary>
    public int Status { get; init; }

    public string RevokedAt { get; init; } = "20300506070809Z";

    public int? Reason { get; init; }

    public string ThisUpdate { get; init; } = "20300506070809Z";

    public string? NextUpdate { get; init; } = "20300510070809Z";

    public IReadOnlyList<TbsExtension> Extensions { get; init; } = [];

    public void Write(AsnWriter w)
    {
        using var single = w.PushSequence();
        using (w.PushSequence())
        {
            using (w.PushSequence())
            {
                w.WriteObjectIdentifier(HashOid);
            }

            w.WriteOctetString(new byte[20]);
            w.WriteOctetString(new byte[20]);
            w.WriteInteger(Serial);
        }

        if (Status == 1)
        {
            using var revoked = w.PushSequence(Tag(1));
            w.WriteEncodedValue(TbsDraft.Generalized(RevokedAt));
            if (Reason is { } reason)
            {
                using var tagged = w.PushSequence(Tag(0));
                w.WriteEncodedValue([0x0a, 0x01, (byte)reason]);
            }
        }
        else
        {
            w.WriteNull(new Asn1Tag(TagClass.ContextSpecific, Status));
        }

        w.WriteEncodedValue(TbsDraft.Generalized(ThisUpdate));
        if (NextUpdate is not null)
        {
            using var next = w.PushSequence(Tag(0));
            w.WriteEncodedValue(TbsDraft.Generalized(NextUpdate));
        }

        if (Extensions.Count > 0)
        {
            using var tagged = w.PushSequence(Tag(1));
            using var list = w.PushSequence();
            foreach (var extension in Extensions)
            {
                Der.WriteExtension(w, extension);
            }
        }
    }

    private static Asn1Tag Tag(int value) => new(TagClass.ContextSpecific, value);
}

/// <summary>An OCSP answer of which a test can bend one thing; its signature is none.</summary>
internal sealed record AnswerDraft
{
    private static readonly byte[] Certificate = new TbsDraft
    {
        Serial = [1],
        SignatureAlgorithm = SigningAlgorithms.EcdsaP256.AlgorithmIdentifier.ToArray(),
        OuterAlgorithm = SigningAlgorithms.EcdsaP256.AlgorithmIdentifier.ToArray(),
        Issuer = [0x30, 0x00],
        NotBefore = TbsDraft.Utc("300501000000Z"),
        NotAfter = TbsDraft.Utc("300601000000Z"),
        Subject = [0x30, 0x00],
        SubjectPublicKeyInfo = CsrDraft.Key.ExportSubjectPublicKeyInfo(),
        Extensions = [],
    }.Encode();

    /// <summary>The key hash of the certificate within.</summary>
    public static byte[] KeyHash { get; } = OcspCertId.ResponderKeyHash(CsrDraft.Key.ExportSubjectPublicKeyInfo());

    public static AnswerDraft Sound { get; } = new();

    /// <summary>Null for a responder that is named by its subject.</summary>
    public byte[]? Responder { get; init; } = KeyHash;

    public string ProducedAt { get; init; } = "20300506070809Z";

    public IReadOnlyList<SingleDraft> Singles { get; init; } = [new()];

    public byte[] Algorithm { get; init; } = SigningAlgorithms.EcdsaP256.AlgorithmIdentifier.ToArray();

    public byte[]? Embedded { get; init; } = Certificate;

    /// <summary>With the one status bent.</summary>
    public AnswerDraft Of(Func<SingleDraft, SingleDraft> bend) => this with { Singles = [bend(Singles[0])] };

    public byte[] Encode() => Der.Sequence(whole =>
    {
        whole.WriteEncodedValue([0x0a, 0x01, 0x00]);
        using var tagged = whole.PushSequence(Tag(0));
        using var bytes = whole.PushSequence();
        whole.WriteObjectIdentifier("1.3.6.1.5.5.7.48.1.1");
        whole.WriteOctetString(Der.Sequence(basic =>
        {
            using (basic.PushSequence())
            {
                using (basic.PushSequence(Tag(Responder is null ? 1 : 2)))
                {
                    if (Responder is null)
                    {
                        basic.WriteEncodedValue([0x30, 0x00]);
                    }
                    else
                    {
                        basic.WriteOctetString(Responder);
                    }
                }

                basic.WriteEncodedValue(TbsDraft.Generalized(ProducedAt));
                using var list = basic.PushSequence();
                foreach (var single in Singles)
                {
                    single.Write(basic);
                }
            }

            basic.WriteEncodedValue(Algorithm);
            basic.WriteBitString([0]);
            if (Embedded is not null)
            {
                using var certificates = basic.PushSequence(Tag(0));
                using var inner = basic.PushSequence();
                basic.WriteEncodedValue(Embedded);
            }
        }));
    });

    private static Asn1Tag Tag(int value) => new(TagClass.ContextSpecific, value);
}

using System.Formats.Asn1;
using PersistCa.Issuance.Linting;

namespace PersistCa.Issuance.Tests.Linting.Fixtures;

/// <summary>A to-be-signed certificate taken apart, so that a test can bend one field and write it again.</summary>
internal sealed record TbsDraft
{
    public int? Version { get; init; } = 2;

    public required byte[] Serial { get; init; }

    public required byte[] SignatureAlgorithm { get; init; }

    public required byte[] Issuer { get; init; }

    public required byte[] NotBefore { get; init; }

    public required byte[] NotAfter { get; init; }

    public required byte[] Subject { get; init; }

    public required byte[] SubjectPublicKeyInfo { get; init; }

    public byte[]? SubjectUniqueId { get; init; }

    public required IReadOnlyList<TbsExtension> Extensions { get; init; }

    /// <summary>The algorithm beside the signature; with one it is a whole certificate, whose signature is none.</summary>
    public byte[]? OuterAlgorithm { get; init; }

    public static TbsDraft Of(byte[] tbs)
    {
        var fields = TbsFields.Read(tbs).Value!;
        return new TbsDraft
        {
            Serial = fields.Serial.ToArray(),
            SignatureAlgorithm = fields.SignatureAlgorithm.ToArray(),
            Issuer = fields.Issuer.ToArray(),
            NotBefore = Utc(fields.NotBefore.Text),
            NotAfter = Utc(fields.NotAfter.Text),
            Subject = fields.Subject.ToArray(),
            SubjectPublicKeyInfo = fields.SubjectPublicKeyInfo.ToArray(),
            Extensions = fields.Extensions,
        };
    }

    public static byte[] Utc(string text) => [0x17, (byte)text.Length, .. System.Text.Encoding.ASCII.GetBytes(text)];

    public static byte[] Generalized(string text) => [0x18, (byte)text.Length, .. System.Text.Encoding.ASCII.GetBytes(text)];

    public TbsDraft Without(string oid) => this with { Extensions = [.. Extensions.Where(e => e.Oid != oid)] };

    public TbsDraft With(string oid, bool critical, byte[] value) => this with { Extensions = [.. Extensions.Where(e => e.Oid != oid), new TbsExtension(oid, critical, value)] };

    public TbsDraft Twice(string oid) => this with { Extensions = [.. Extensions, Extensions.Single(e => e.Oid == oid)] };

    public TbsDraft Criticality(string oid, bool critical) => this with { Extensions = [.. Extensions.Select(e => e.Oid == oid ? e with { Critical = critical } : e)] };

    public byte[] Encode() => OuterAlgorithm is null ? EncodeTbs() : Der.Sequence(w =>
    {
        w.WriteEncodedValue(EncodeTbs());
        w.WriteEncodedValue(OuterAlgorithm);
        w.WriteBitString([0]);
    });

    private byte[] EncodeTbs()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            if (Version is { } version)
            {
                using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
                {
                    writer.WriteInteger(version);
                }
            }

            writer.WriteInteger(Serial);
            writer.WriteEncodedValue(SignatureAlgorithm);
            writer.WriteEncodedValue(Issuer);
            using (writer.PushSequence())
            {
                writer.WriteEncodedValue(NotBefore);
                writer.WriteEncodedValue(NotAfter);
            }

            writer.WriteEncodedValue(Subject);
            writer.WriteEncodedValue(SubjectPublicKeyInfo);
            if (SubjectUniqueId is not null)
            {
                writer.WriteBitString(SubjectUniqueId, 0, new Asn1Tag(TagClass.ContextSpecific, 2));
            }

            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 3)))
            using (writer.PushSequence())
            {
                foreach (var extension in Extensions)
                {
                    using (writer.PushSequence())
                    {
                        writer.WriteObjectIdentifier(extension.Oid);
                        if (extension.Critical)
                        {
                            writer.WriteBoolean(true);
                        }

                        writer.WriteOctetString(extension.Value.Span);
                    }
                }
            }
        }

        return writer.Encode();
    }
}

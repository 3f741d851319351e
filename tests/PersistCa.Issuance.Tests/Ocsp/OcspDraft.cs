using System.Formats.Asn1;
using PersistCa.Issuance.Linting;

namespace PersistCa.Issuance.Tests.Ocsp;

/// <summary>A question that can be bent in one thing.</summary>
internal sealed record OcspDraft
{
    public const string Nonce = "1.3.6.1.5.5.7.48.1.2";

    public string HashOid { get; init; } = "1.3.14.3.2.26";

    public byte[] NameHash { get; init; } = new byte[20];

    public byte[] KeyHash { get; init; } = new byte[20];

    public byte[] Serial { get; init; } = [0x40, 1];

    public int Count { get; init; } = 1;

    public int? Version { get; init; }

    public bool Parameters { get; init; } = true;

    public IReadOnlyList<TbsExtension> Extensions { get; init; } = [];

    public bool Signed { get; init; }

    public static TbsExtension NonceOf(int octets, bool critical = false) => new(Nonce, critical, Encoded(w => w.WriteOctetString(new byte[octets])));

    public byte[] Encode() => Encoded(w =>
    {
        using var whole = w.PushSequence();
        using (w.PushSequence())
        {
            if (Version is { } version)
            {
                using var tagged = w.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
                w.WriteInteger(version);
            }

            using (w.PushSequence())
            {
                for (var i = 0; i < Count; i++)
                {
                    using var request = w.PushSequence();
                    WriteId(w);
                }
            }

            if (Extensions.Count > 0)
            {
                using var tagged = w.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 2));
                using var list = w.PushSequence();
                foreach (var extension in Extensions)
                {
                    WriteExtension(w, extension);
                }
            }
        }

        if (Signed)
        {
            using var tagged = w.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
            using var signature = w.PushSequence();
            w.WriteNull();
        }
    });

    private void WriteId(AsnWriter w)
    {
        using var id = w.PushSequence();
        using (w.PushSequence())
        {
            w.WriteObjectIdentifier(HashOid);
            if (Parameters)
            {
                w.WriteNull();
            }
        }

        w.WriteOctetString(NameHash);
        w.WriteOctetString(KeyHash);
        w.WriteInteger(Serial);
    }

    private static void WriteExtension(AsnWriter w, TbsExtension extension)
    {
        using var sequence = w.PushSequence();
        w.WriteObjectIdentifier(extension.Oid);
        if (extension.Critical)
        {
            w.WriteBoolean(true);
        }

        w.WriteOctetString(extension.Value.Span);
    }

    private static byte[] Encoded(Action<AsnWriter> write)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        write(writer);
        return writer.Encode();
    }
}

using System.Formats.Asn1;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.Tests.Linting.Fixtures;

/// <summary>A revocation list of which a test can bend one thing; its signature is none.</summary>
internal sealed record CrlDraft
{
    public const string Number = "2.5.29.20";
    public const string Part = "2.5.29.28";
    public const string Reason = "2.5.29.21";

    public static readonly TbsExtension Superseded = new(Reason, false, new byte[] { 0x0a, 0x01, 0x04 });

    public static CrlDraft Sound { get; } = new()
    {
        Entries = [(1, "300506070809Z", [Superseded])],
        Extensions = [new(Der.Aki, false, new byte[] { 0x30, 0x03, 0x80, 0x01, 0x01 }), new(Number, false, new byte[] { 0x02, 0x01, 0x07 })],
    };

    public int? Version { get; init; } = 1;

    public byte[] SignatureAlgorithm { get; init; } = SigningAlgorithms.EcdsaP256.AlgorithmIdentifier.ToArray();

    public byte[] OuterAlgorithm { get; init; } = SigningAlgorithms.EcdsaP256.AlgorithmIdentifier.ToArray();

    public string? NextUpdate { get; init; } = "300513070809Z";

    public (int Serial, string At, TbsExtension[] Extensions)[]? Entries { get; init; }

    public required IReadOnlyList<TbsExtension> Extensions { get; init; }

    public CrlDraft With(TbsExtension extension) => this with { Extensions = [.. Extensions.Where(e => e.Oid != extension.Oid), extension] };

    public CrlDraft Without(string oid) => this with { Extensions = [.. Extensions.Where(e => e.Oid != oid)] };

    /// <summary>With an issuingDistributionPoint: its URIs, and the tags of the flags that are set.</summary>
    public CrlDraft OfPart(bool critical, string[] uris, params int[] flags) => With(new(Part, critical, Der.Sequence(w =>
    {
        if (uris.Length > 0)
        {
            Der.WritePoint(w, 0, [.. uris.Select(u => (6, u))]);
        }

        Array.ForEach(flags, f => w.WriteBoolean(true, new Asn1Tag(TagClass.ContextSpecific, f)));
    })));

    public byte[] Encode() => Der.Sequence(whole =>
    {
        using (whole.PushSequence())
        {
            if (Version is { } version)
            {
                whole.WriteInteger(version);
            }

            whole.WriteEncodedValue(SignatureAlgorithm);
            whole.WriteEncodedValue([0x30, 0x00]);
            whole.WriteEncodedValue(TbsDraft.Utc("300506070809Z"));
            if (NextUpdate is not null)
            {
                whole.WriteEncodedValue(TbsDraft.Utc(NextUpdate));
            }

            WriteEntries(whole);
            using var tagged = whole.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
            using var list = whole.PushSequence();
            foreach (var extension in Extensions)
            {
                Der.WriteExtension(whole, extension);
            }
        }

        whole.WriteEncodedValue(OuterAlgorithm);
        whole.WriteBitString([0]);
    });

    private void WriteEntries(AsnWriter writer)
    {
        if (Entries is null)
        {
            return;
        }

        using var list = writer.PushSequence();
        foreach (var (serial, at, extensions) in Entries)
        {
            using var entry = writer.PushSequence();
            writer.WriteInteger(serial);
            writer.WriteEncodedValue(TbsDraft.Utc(at));
            if (extensions.Length > 0)
            {
                using var sequence = writer.PushSequence();
                Array.ForEach(extensions, e => Der.WriteExtension(writer, e));
            }
        }
    }
}

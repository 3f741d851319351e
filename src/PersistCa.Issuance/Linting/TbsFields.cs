using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Numerics;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Linting;

/// <summary>An extension as it stands in a certificate (RFC 5280 section 4.1.2.9).</summary>
/// <param name="Oid">Its identifier.</param>
/// <param name="Critical">Whether a reader that does not know it must refuse the certificate.</param>
/// <param name="Value">Content of its OCTET STRING.</param>
public sealed record TbsExtension(string Oid, bool Critical, ReadOnlyMemory<byte> Value);

/// <summary>One end of a validity, with the spelling that the linter judges.</summary>
/// <param name="At">The time.</param>
/// <param name="IsGeneralized">GeneralizedTime rather than UTCTime.</param>
/// <param name="Text">Its characters.</param>
public sealed record TbsTime(DateTimeOffset At, bool IsGeneralized, string Text);

/// <summary>
/// The to-be-signed part of a certificate, read back strictly as DER (RFC 5280 section 4.1.2). Reads with another decoder than the one that
/// writes certificates here, so that a fault in one is not hidden by the same fault in the other.
/// </summary>
public sealed record TbsFields
{
    private TbsFields()
    {
    }

    /// <summary>2 for X.509 v3.</summary>
    public required int Version { get; init; }

    /// <summary>Content octets of the serial number.</summary>
    public required ReadOnlyMemory<byte> Serial { get; init; }

    /// <summary>AlgorithmIdentifier of the signature, DER.</summary>
    public required ReadOnlyMemory<byte> SignatureAlgorithm { get; init; }

    /// <summary>Issuer name, DER.</summary>
    public required ReadOnlyMemory<byte> Issuer { get; init; }

    /// <summary>Start of validity.</summary>
    public required TbsTime NotBefore { get; init; }

    /// <summary>End of validity, inclusive.</summary>
    public required TbsTime NotAfter { get; init; }

    /// <summary>Subject name, DER.</summary>
    public required ReadOnlyMemory<byte> Subject { get; init; }

    /// <summary>SubjectPublicKeyInfo, DER.</summary>
    public required ReadOnlyMemory<byte> SubjectPublicKeyInfo { get; init; }

    /// <summary>Whether issuerUniqueID or subjectUniqueID is there.</summary>
    public required bool HasUniqueIds { get; init; }

    /// <summary>Extensions in their order.</summary>
    public required ImmutableArray<TbsExtension> Extensions { get; init; }

    /// <summary>True when the subject has no attribute.</summary>
    public bool SubjectIsEmpty => Subject.Length == 2;

    /// <summary>The value of the first extension with this identifier, null when there is none.</summary>
    public TbsExtension? Find(string oid) => Extensions.FirstOrDefault(e => e.Oid == oid);

    /// <summary>Reads to-be-signed bytes.</summary>
    /// <returns>The fields, or what is not as DER and RFC 5280 have it.</returns>
    public static Parsed<TbsFields> Read(ReadOnlyMemory<byte> tbs)
    {
        try
        {
            return Parsed<TbsFields>.Ok(ReadStrictly(tbs));
        }
        catch (AsnContentException e)
        {
            return Parsed<TbsFields>.Refused("the to-be-signed certificate is no DER as RFC 5280 section 4.1 has it: " + e.Message);
        }
    }

    private static TbsFields ReadStrictly(ReadOnlyMemory<byte> tbs)
    {
        var outer = new AsnReader(tbs, AsnEncodingRules.DER);
        var body = outer.ReadSequence();
        outer.ThrowIfNotEmpty();

        var version = 0;
        var explicitVersion = new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true);
        if (body.PeekTag() == explicitVersion)
        {
            var holder = body.ReadSequence(explicitVersion);
            version = (int)BigInteger.Clamp(holder.ReadInteger(), int.MinValue / 2, int.MaxValue / 2);
            holder.ThrowIfNotEmpty();
        }

        var serial = body.ReadIntegerBytes();
        var algorithm = body.ReadEncodedValue();
        var issuer = body.ReadEncodedValue();
        var validity = body.ReadSequence();
        var notBefore = ReadTime(validity);
        var notAfter = ReadTime(validity);
        validity.ThrowIfNotEmpty();
        var subject = body.ReadEncodedValue();
        var key = body.ReadEncodedValue();

        var uniqueIds = false;
        while (body.HasData && body.PeekTag() is { TagClass: TagClass.ContextSpecific, TagValue: 1 or 2 })
        {
            uniqueIds = true;
            body.ReadEncodedValue();
        }

        var extensions = ImmutableArray.CreateBuilder<TbsExtension>();
        if (body.HasData)
        {
            var holder = body.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 3, isConstructed: true));
            var list = holder.ReadSequence();
            holder.ThrowIfNotEmpty();
            while (list.HasData)
            {
                extensions.Add(ReadExtension(list.ReadSequence()));
            }
        }

        body.ThrowIfNotEmpty();
        return new TbsFields
        {
            Version = version,
            Serial = serial,
            SignatureAlgorithm = algorithm,
            Issuer = issuer,
            NotBefore = notBefore,
            NotAfter = notAfter,
            Subject = subject,
            SubjectPublicKeyInfo = key,
            HasUniqueIds = uniqueIds,
            Extensions = extensions.ToImmutable(),
        };
    }

    internal static TbsExtension ReadExtension(AsnReader extension)
    {
        var oid = extension.ReadObjectIdentifier();
        var critical = false;
        if (extension.PeekTag() == Asn1Tag.Boolean)
        {
            critical = extension.ReadBoolean();
            if (!critical)
            {
                throw new AsnContentException($"extension {oid} spells out the default of critical");
            }
        }

        var value = extension.ReadOctetString();
        extension.ThrowIfNotEmpty();
        return new TbsExtension(oid, critical, value);
    }

    internal static TbsTime ReadTime(AsnReader validity)
    {
        var generalized = validity.PeekTag() == Asn1Tag.GeneralizedTime;
        var raw = validity.PeekContentBytes();
        var text = string.Create(raw.Length, raw, static (chars, octets) =>
        {
            for (var i = 0; i < chars.Length; i++)
            {
                chars[i] = (char)octets.Span[i];
            }
        });
        // Two-digit years turn over at 2050 (RFC 5280 section 4.1.2.5.1).
        var at = generalized ? validity.ReadGeneralizedTime() : validity.ReadUtcTime(2049);
        return new TbsTime(at, generalized, text);
    }
}

using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Numerics;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Linting;

/// <summary>What an answer says of one certificate (SingleResponse of RFC 6960 section 4.2.1).</summary>
/// <param name="HashOid">The hash of its CertID.</param>
/// <param name="Serial">Content octets of the serial number, lower-case hex.</param>
/// <param name="Status">0 good, 1 revoked, 2 unknown.</param>
/// <param name="RevokedAt">When it was revoked.</param>
/// <param name="Reason">Reason code, null for none.</param>
/// <param name="ThisUpdate">When it was so.</param>
/// <param name="NextUpdate">Until when it may be used, null when that is left out.</param>
/// <param name="Extensions">Its extensions.</param>
public sealed record OcspSingleFacts(
    string HashOid, string Serial, int Status, DateTimeOffset? RevokedAt, int? Reason, DateTimeOffset ThisUpdate, DateTimeOffset? NextUpdate, ImmutableArray<TbsExtension> Extensions);

/// <summary>An OCSP answer as the lints see it (RFC 6960 section 4.2.1), read strictly as DER.</summary>
public sealed record OcspFacts
{
    /// <summary>Longest answer that is looked at, octets.</summary>
    public const int MaxOctets = 64 * 1024;

    private const string BasicOid = "1.3.6.1.5.5.7.48.1.1";

    private static readonly Asn1Tag First = new(TagClass.ContextSpecific, 0, isConstructed: true);
    private static readonly Asn1Tag Second = new(TagClass.ContextSpecific, 1, isConstructed: true);
    private static readonly Asn1Tag Third = new(TagClass.ContextSpecific, 2, isConstructed: true);

    private OcspFacts()
    {
    }

    /// <summary>KeyHash of the responder, null when it is named by its subject.</summary>
    public required ReadOnlyMemory<byte>? ResponderKeyHash { get; init; }

    /// <summary>When it was signed.</summary>
    public required DateTimeOffset ProducedAt { get; init; }

    /// <summary>What it says.</summary>
    public required ImmutableArray<OcspSingleFacts> Singles { get; init; }

    /// <summary>Extensions of the answer.</summary>
    public required ImmutableArray<TbsExtension> Extensions { get; init; }

    /// <summary>AlgorithmIdentifier of the signature, DER.</summary>
    public required ReadOnlyMemory<byte> SignatureAlgorithm { get; init; }

    /// <summary>The signed octets.</summary>
    public required ReadOnlyMemory<byte> ToBeSigned { get; init; }

    /// <summary>Content of the signature BIT STRING.</summary>
    public required ReadOnlyMemory<byte> Signature { get; init; }

    /// <summary>The certificates in it, DER.</summary>
    public required ImmutableArray<ReadOnlyMemory<byte>> Certificates { get; init; }

    /// <summary>Reads a successful answer.</summary>
    /// <returns>The answer; or why there is none.</returns>
    public static Parsed<OcspFacts> Read(ReadOnlyMemory<byte> der)
    {
        if (der.Length > MaxOctets)
        {
            return Parsed<OcspFacts>.Refused($"it has {der.Length} octets; at most {MaxOctets} are read");
        }

        try
        {
            var outer = Oids.ReadList(der);
            if (outer.ReadEnumeratedBytes().Span is not [0])
            {
                return Parsed<OcspFacts>.Refused("it is not successful");
            }

            var holder = outer.ReadSequence(First);
            outer.ThrowIfNotEmpty();
            var bytes = holder.ReadSequence();
            holder.ThrowIfNotEmpty();
            if (bytes.ReadObjectIdentifier() != BasicOid)
            {
                return Parsed<OcspFacts>.Refused("it is no basic answer");
            }

            var basic = bytes.ReadOctetString();
            bytes.ThrowIfNotEmpty();
            return Parsed<OcspFacts>.Ok(ReadBasic(Oids.ReadList(basic)));
        }
        catch (AsnContentException e)
        {
            return Parsed<OcspFacts>.Refused("it is no OCSPResponse in DER (RFC 6960 section 4.2.1): " + e.Message);
        }
    }

    private static OcspFacts ReadBasic(AsnReader basic)
    {
        var signed = basic.PeekEncodedValue();
        var body = basic.ReadSequence();
        var algorithm = basic.ReadEncodedValue();
        var signature = basic.ReadBitString(out _);
        var certificates = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        if (basic.HasData)
        {
            var list = basic.ReadSequence(First);
            var inner = list.ReadSequence();
            list.ThrowIfNotEmpty();
            while (inner.HasData)
            {
                certificates.Add(inner.ReadEncodedValue());
            }
        }

        basic.ThrowIfNotEmpty();
        ReadOnlyMemory<byte>? keyHash = null;
        if (body.PeekTag() == Third)
        {
            var responder = body.ReadSequence(Third);
            keyHash = responder.ReadOctetString();
            responder.ThrowIfNotEmpty();
        }
        else
        {
            body.ReadSequence(Second);
        }

        var producedAt = body.ReadGeneralizedTime();
        var singles = ImmutableArray.CreateBuilder<OcspSingleFacts>();
        for (var list = body.ReadSequence(); list.HasData;)
        {
            singles.Add(ReadSingle(list.ReadSequence()));
        }

        var extensions = body.HasData ? ReadExtensions(body.ReadSequence(Second)) : [];
        body.ThrowIfNotEmpty();
        return new OcspFacts
        {
            ResponderKeyHash = keyHash,
            ProducedAt = producedAt,
            Singles = singles.ToImmutable(),
            Extensions = extensions,
            SignatureAlgorithm = algorithm,
            ToBeSigned = signed,
            Signature = signature,
            Certificates = certificates.ToImmutable(),
        };
    }

    private static OcspSingleFacts ReadSingle(AsnReader single)
    {
        var id = single.ReadSequence();
        var hash = id.ReadSequence().ReadObjectIdentifier();
        id.ReadOctetString();
        id.ReadOctetString();
        var serial = Convert.ToHexStringLower(id.ReadIntegerBytes().Span);
        id.ThrowIfNotEmpty();
        var tag = single.PeekTag();
        if (tag.TagClass != TagClass.ContextSpecific || tag.TagValue > 2)
        {
            throw new AsnContentException("a status is neither good nor revoked nor unknown");
        }

        DateTimeOffset? revokedAt = null;
        int? reason = null;
        if (tag.TagValue == 1)
        {
            var revoked = single.ReadSequence(Second);
            revokedAt = revoked.ReadGeneralizedTime();
            if (revoked.HasData)
            {
                var code = revoked.ReadSequence(First);
                reason = (int)new BigInteger(code.ReadEnumeratedBytes().Span[..1], isBigEndian: true);
                code.ThrowIfNotEmpty();
            }

            revoked.ThrowIfNotEmpty();
        }
        else
        {
            single.ReadNull(tag);
        }

        var thisUpdate = single.ReadGeneralizedTime();
        DateTimeOffset? nextUpdate = null;
        if (single.HasData && single.PeekTag() == First)
        {
            var next = single.ReadSequence(First);
            nextUpdate = next.ReadGeneralizedTime();
            next.ThrowIfNotEmpty();
        }

        var extensions = single.HasData ? ReadExtensions(single.ReadSequence(Second)) : [];
        single.ThrowIfNotEmpty();
        return new OcspSingleFacts(hash, serial, tag.TagValue, revokedAt, reason, thisUpdate, nextUpdate, extensions);
    }

    private static ImmutableArray<TbsExtension> ReadExtensions(AsnReader holder)
    {
        var list = holder.ReadSequence();
        holder.ThrowIfNotEmpty();
        var found = ImmutableArray.CreateBuilder<TbsExtension>();
        while (list.HasData)
        {
            found.Add(TbsFields.ReadExtension(list.ReadSequence()));
        }

        return found.ToImmutable();
    }

    /// <summary>The key hash of the first certificate in it, null when there is none that can be read.</summary>
    internal ReadOnlyMemory<byte>? EmbeddedKeyHash()
    {
        if (Certificates.IsEmpty || SignedParts.Read(Certificates[0]) is not { IsValid: true, Value: var parts } || TbsFields.Read(parts.ToBeSigned) is not { IsValid: true, Value: var fields })
        {
            return null;
        }

        return Ocsp.OcspCertId.ResponderKeyHash(fields.SubjectPublicKeyInfo);
    }
}

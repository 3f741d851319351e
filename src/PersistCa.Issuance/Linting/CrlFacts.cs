using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Numerics;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Linting;

/// <summary>An entry of a revocation list.</summary>
/// <param name="Serial">Content octets of the serial number, lower-case hex.</param>
/// <param name="RevokedAt">When it was revoked.</param>
/// <param name="Extensions">Its extensions.</param>
public sealed record CrlEntryFacts(string Serial, TbsTime RevokedAt, ImmutableArray<TbsExtension> Extensions);

/// <summary>A revocation list as the lints see it (RFC 5280 section 5.1), read strictly as DER.</summary>
public sealed record CrlFacts
{
    /// <summary>Longest list of a stranger that is looked at, octets.</summary>
    public const int MaxOctets = 32 * 1024 * 1024;

    private CrlFacts()
    {
    }

    /// <summary>1 for v2, null when it is left out.</summary>
    public required BigInteger? Version { get; init; }

    /// <summary>AlgorithmIdentifier of the to-be-signed part, DER.</summary>
    public required ReadOnlyMemory<byte> SignatureAlgorithm { get; init; }

    /// <summary>AlgorithmIdentifier beside the signature, DER.</summary>
    public required ReadOnlyMemory<byte> OuterAlgorithm { get; init; }

    /// <summary>Issuer name, DER.</summary>
    public required ReadOnlyMemory<byte> Issuer { get; init; }

    /// <summary>The time of the list.</summary>
    public required TbsTime ThisUpdate { get; init; }

    /// <summary>The time of the next one, null when it is left out.</summary>
    public required TbsTime? NextUpdate { get; init; }

    /// <summary>The entries; null when the list of them is left out, which it is to be when there are none.</summary>
    public required ImmutableArray<CrlEntryFacts>? Entries { get; init; }

    /// <summary>The list's extensions.</summary>
    public required ImmutableArray<TbsExtension> Extensions { get; init; }

    /// <summary>CRL number (RFC 5280 section 5.2.3), null when there is none.</summary>
    /// <exception cref="AsnContentException">It is no number.</exception>
    public BigInteger? Number => Find(Oids.CrlNumber) is { } number ? AsnDecoder.ReadInteger(number.Value.Span, AsnEncodingRules.DER, out _) : null;

    /// <summary>The first extension with this identifier, null when there is none.</summary>
    public TbsExtension? Find(string oid) => Extensions.FirstOrDefault(e => e.Oid == oid);

    /// <summary>Reads a signed list.</summary>
    /// <param name="der">The list.</param>
    /// <param name="maxOctets">How long it may be; a list made here may be as long as it has to.</param>
    public static Parsed<CrlFacts> Read(ReadOnlyMemory<byte> der, int maxOctets = MaxOctets)
    {
        if (der.Length > maxOctets)
        {
            return Parsed<CrlFacts>.Refused($"it has {der.Length} octets; at most {maxOctets} are read");
        }

        var parts = SignedParts.Read(der);
        if (!parts.IsValid)
        {
            return Parsed<CrlFacts>.Refused(parts.Reason);
        }

        try
        {
            return Parsed<CrlFacts>.Ok(ReadStrictly(parts.Value));
        }
        catch (AsnContentException e)
        {
            return Parsed<CrlFacts>.Refused("the to-be-signed list is no DER as RFC 5280 section 5.1 has it: " + e.Message);
        }
    }

    private static CrlFacts ReadStrictly(SignedParts parts)
    {
        var body = Oids.ReadList(parts.ToBeSigned);
        BigInteger? version = body.PeekTag() == Asn1Tag.Integer ? body.ReadInteger() : null;
        var algorithm = body.ReadEncodedValue();
        var issuer = body.ReadEncodedValue();
        var thisUpdate = TbsFields.ReadTime(body);
        var nextUpdate = IsTime(body) ? TbsFields.ReadTime(body) : null;
        ImmutableArray<CrlEntryFacts>? entries = body.HasData && body.PeekTag() == Asn1Tag.Sequence ? ReadEntries(body.ReadSequence()) : null;
        ImmutableArray<TbsExtension> extensions = [];
        if (body.HasData)
        {
            var holder = body.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true));
            extensions = ReadExtensions(holder.ReadSequence());
            holder.ThrowIfNotEmpty();
        }

        body.ThrowIfNotEmpty();
        return new CrlFacts
        {
            Version = version,
            SignatureAlgorithm = algorithm,
            OuterAlgorithm = parts.Algorithm,
            Issuer = issuer,
            ThisUpdate = thisUpdate,
            NextUpdate = nextUpdate,
            Entries = entries,
            Extensions = extensions,
        };
    }

    private static bool IsTime(AsnReader reader) => reader.HasData && (reader.PeekTag() == Asn1Tag.UtcTime || reader.PeekTag() == Asn1Tag.GeneralizedTime);

    private static ImmutableArray<CrlEntryFacts> ReadEntries(AsnReader list)
    {
        var found = ImmutableArray.CreateBuilder<CrlEntryFacts>();
        while (list.HasData)
        {
            var entry = list.ReadSequence();
            var serial = Convert.ToHexStringLower(entry.ReadIntegerBytes().Span);
            var at = TbsFields.ReadTime(entry);
            found.Add(new CrlEntryFacts(serial, at, entry.HasData ? ReadExtensions(entry.ReadSequence()) : []));
            entry.ThrowIfNotEmpty();
        }

        return found.ToImmutable();
    }

    private static ImmutableArray<TbsExtension> ReadExtensions(AsnReader list)
    {
        var found = ImmutableArray.CreateBuilder<TbsExtension>();
        while (list.HasData)
        {
            found.Add(TbsFields.ReadExtension(list.ReadSequence()));
        }

        return found.ToImmutable();
    }
}

using System.Collections.Immutable;
using System.Formats.Asn1;
using PersistCa.Issuance.Linting;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Ocsp;

/// <summary>A question about certificates (OCSPRequest of RFC 6960 section 4.1.1). Its signature and its author's name are not looked at: nobody needs leave to ask.</summary>
/// <param name="Certificates">Which certificates are asked about, 1 to <see cref="MaxCertificates"/>.</param>
/// <param name="Nonce">Content of the nonce (RFC 9654), null when there is none.</param>
public sealed record OcspQuestion(ImmutableArray<OcspCertId> Certificates, ReadOnlyMemory<byte>? Nonce)
{
    /// <summary>Longest question that is read, octets.</summary>
    public const int MaxOctets = 4096;

    /// <summary>Most certificates of one question; clients of RFC 9919 section 3.1.1 ask about one.</summary>
    public const int MaxCertificates = 8;

    /// <summary>Longest nonce, octets (RFC 9654 section 2.1).</summary>
    public const int MaxNonceOctets = 128;

    // RFC 5280 section 4.1.2.2.
    private const int MaxSerialOctets = 20;
    private const string NonceOid = "1.3.6.1.5.5.7.48.1.2";

    private static readonly Asn1Tag VersionTag = new(TagClass.ContextSpecific, 0, isConstructed: true);
    private static readonly Asn1Tag RequestorTag = new(TagClass.ContextSpecific, 1, isConstructed: true);
    private static readonly Asn1Tag ExtensionsTag = new(TagClass.ContextSpecific, 2, isConstructed: true);

    /// <summary>Reads a question, strictly as DER.</summary>
    /// <returns>The question; or the reason why it is answered with malformedRequest.</returns>
    public static Parsed<OcspQuestion> Read(ReadOnlyMemory<byte> der)
    {
        if (der.Length > MaxOctets)
        {
            return Refuse($"it has {der.Length} octets; at most {MaxOctets} are read");
        }

        try
        {
            var outer = Oids.ReadList(der);
            var body = outer.ReadSequence();
            if (outer.HasData)
            {
                outer.ReadSequence(VersionTag); // optionalSignature
            }

            outer.ThrowIfNotEmpty();
            if (body.HasData && body.PeekTag() == VersionTag)
            {
                return Refuse("it spells out a version; v1, which is left out in DER, is expected");
            }

            if (body.HasData && body.PeekTag() == RequestorTag)
            {
                body.ReadSequence(RequestorTag);
            }

            var list = body.ReadSequence();
            var certificates = ImmutableArray.CreateBuilder<OcspCertId>();
            while (list.HasData)
            {
                if (certificates.Count == MaxCertificates)
                {
                    return Refuse($"it asks about more than {MaxCertificates} certificates");
                }

                var request = list.ReadSequence();
                var id = ReadId(request.ReadSequence());
                if (!id.IsValid)
                {
                    return Refuse(id.Reason);
                }

                if (request.HasData)
                {
                    _ = ReadExtensions(request.ReadSequence(VersionTag));
                }

                request.ThrowIfNotEmpty();
                certificates.Add(id.Value);
            }

            var nonce = body.HasData ? ReadExtensions(body.ReadSequence(ExtensionsTag)) : null;
            body.ThrowIfNotEmpty();
            return certificates.Count == 0
                ? Refuse("it asks about no certificate")
                : Parsed<OcspQuestion>.Ok(new OcspQuestion(certificates.ToImmutable(), nonce));
        }
        catch (AsnContentException e)
        {
            return Refuse("it is no OCSPRequest in DER (RFC 6960 section 4.1.1): " + e.Message);
        }
    }

    private static Parsed<OcspQuestion> Refuse(string reason) => Parsed<OcspQuestion>.Refused(reason);

    private static Parsed<OcspCertId> ReadId(AsnReader id)
    {
        var algorithm = id.ReadSequence();
        var oid = algorithm.ReadObjectIdentifier();
        if (algorithm.HasData)
        {
            algorithm.ReadNull();
        }

        algorithm.ThrowIfNotEmpty();
        var (name, key) = (id.ReadOctetString(), id.ReadOctetString());
        var serial = id.ReadIntegerBytes();
        id.ThrowIfNotEmpty();
        if (OcspCertId.Find(oid) is not { } hash)
        {
            return Parsed<OcspCertId>.Refused("it names an issuer by a hash that is neither SHA-1 nor SHA-256");
        }

        return name.Length != OcspCertId.Octets(hash) || key.Length != OcspCertId.Octets(hash) || serial.Length > MaxSerialOctets
            ? Parsed<OcspCertId>.Refused($"a hash has not the length of its algorithm, or the serial number has more than {MaxSerialOctets} octets")
            : Parsed<OcspCertId>.Ok(new OcspCertId(hash, name, key, Convert.ToHexStringLower(serial.Span)));
    }

    /// <summary>Reads extensions: the nonce is the one that is understood, others are passed over unless they are critical.</summary>
    private static ReadOnlyMemory<byte>? ReadExtensions(AsnReader holder)
    {
        var list = holder.ReadSequence();
        holder.ThrowIfNotEmpty();
        var seen = new HashSet<string>();
        ReadOnlyMemory<byte>? nonce = null;
        while (list.HasData)
        {
            var extension = TbsFields.ReadExtension(list.ReadSequence());
            if (!seen.Add(extension.Oid))
            {
                throw new AsnContentException($"the extension {extension.Oid} stands there twice");
            }

            if (extension.Oid == NonceOid)
            {
                var octets = Oids.ReadOctets(extension.Value);
                nonce = octets.Length is >= 1 and <= MaxNonceOctets
                    ? octets
                    : throw new AsnContentException($"the nonce has {octets.Length} octets; 1 to {MaxNonceOctets} are expected (RFC 9654 section 2.1)");
            }
            else if (extension.Critical)
            {
                throw new AsnContentException($"the critical extension {extension.Oid} is not understood");
            }
        }

        return nonce;
    }
}

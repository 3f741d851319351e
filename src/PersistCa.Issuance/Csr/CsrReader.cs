using System.Collections.Immutable;
using System.Formats.Asn1;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Csr;

/// <summary>Reads certificate requests (PKCS #10, RFC 2986), strictly as DER.</summary>
/// <param name="keys">Judges the key, before any work is spent on the signature.</param>
public sealed class CsrReader(KeyPolicy keys)
{
    private static readonly Asn1Tag AttributesTag = new(TagClass.ContextSpecific, 0, isConstructed: true);

    // GeneralName choices by tag (RFC 5280 section 4.2.1.6).
    private static readonly string[] GeneralNames =
    [
        "otherName", "rfc822Name (email)", "dNSName", "x400Address", "directoryName", "ediPartyName", "uniformResourceIdentifier", "iPAddress", "registeredID",
    ];

    /// <summary>Reads a request: encoding, key, signature, names, in this order.</summary>
    /// <param name="der">The request.</param>
    /// <param name="limits">How much of it is read; the defaults when null.</param>
    /// <returns>What is taken from it; badCSR, or badPublicKey when it is the key that is not accepted.</returns>
    public Outcome<SigningRequest> Read(ReadOnlySpan<byte> der, CsrLimits? limits = null)
    {
        limits ??= new CsrLimits();
        if (der.Length == 0 || der.Length > limits.MaxBytes)
        {
            return Bad($"The CSR has {der.Length} octets; 1 to {limits.MaxBytes} are read.");
        }

        var parts = SignedParts.Read(der.ToArray());
        if (!parts.IsValid)
        {
            return Bad("The CSR is no PKCS #10 request: " + parts.Reason);
        }

        try
        {
            var outer = new AsnReader(parts.Value.ToBeSigned, AsnEncodingRules.DER);
            var info = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            var version = info.ReadInteger();

            // v1(0) is the only version there is (RFC 2986 section 4.1), but ruby-acme-client writes 2, and nothing depends on it.
            if (version < 0 || version > 2)
            {
                return Bad("The CSR's version is neither v1(0), the only one there is (RFC 2986 section 4.1), nor 1 or 2, which some clients write for it.");
            }

            var subject = info.ReadSequence();
            var key = info.ReadEncodedValue();
            if (!info.HasData)
            {
                return Bad("The CSR has no attributes field, which must be there even when empty (RFC 2986 section 4.1).");
            }

            var attributes = info.ReadSetOf(skipSortOrderValidation: true, AttributesTag);
            info.ThrowIfNotEmpty();

            var judged = keys.Judge(key);
            if (judged.IsRefused)
            {
                return judged.Problem;
            }

            var names = new List<Identifier>();
            var problem = CsrSignature.Judge(parts.Value, key, judged.Value)
                ?? ReadAttributes(attributes, names, limits)
                ?? ReadCommonNames(subject, names, limits);
            if (problem is not null)
            {
                return problem;
            }

            return new SigningRequest
            {
                SubjectPublicKeyInfo = key,
                KeyKind = judged.Value,
                KeyFingerprint = PublicKeyFingerprint.Of(key.Span),
                Names = [.. names.Distinct()],
            };
        }
        catch (AsnContentException e)
        {
            return Bad("The CSR is no PKCS #10 request in DER (RFC 2986): " + e.Message);
        }
    }

    private static AcmeProblem Bad(string detail) => new(ProblemCatalog.BadCsr, detail);

    private static AcmeProblem TooMany(string what, int limit) => Bad($"The CSR has more than {limit} {what}.");

    /// <summary>Finds the requested extensions; every other attribute is ignored.</summary>
    private static AcmeProblem? ReadAttributes(AsnReader attributes, List<Identifier> names, CsrLimits limits)
    {
        var seen = false;
        for (var count = 1; attributes.HasData; count++)
        {
            if (count > limits.MaxItems)
            {
                return TooMany("attributes", limits.MaxItems);
            }

            var attribute = attributes.ReadSequence();
            var oid = attribute.ReadObjectIdentifier();
            var values = attribute.ReadSetOf(skipSortOrderValidation: true);
            attribute.ThrowIfNotEmpty();
            if (oid != Oids.ExtensionRequest)
            {
                continue;
            }

            if (seen)
            {
                return Bad("The CSR has two extensionRequest attributes; at most one is expected.");
            }

            seen = true;
            var extensions = values.ReadSequence();
            values.ThrowIfNotEmpty();
            if (ReadExtensions(extensions, names, limits) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private static AcmeProblem? ReadExtensions(AsnReader extensions, List<Identifier> names, CsrLimits limits)
    {
        var seen = false;
        for (var count = 1; extensions.HasData; count++)
        {
            if (count > limits.MaxItems)
            {
                return TooMany("extensions", limits.MaxItems);
            }

            var extension = extensions.ReadSequence();
            var oid = extension.ReadObjectIdentifier();
            if (extension.HasData && extension.PeekTag() == Asn1Tag.Boolean)
            {
                extension.ReadBoolean(); // a spelt-out default is forgiven: it comes to nothing
            }

            var value = extension.ReadOctetString();
            extension.ThrowIfNotEmpty();
            if (oid != Oids.SubjectAltName)
            {
                continue;
            }

            if (seen)
            {
                return Bad("The CSR has two subjectAltName extensions; at most one is expected.");
            }

            seen = true;
            if (ReadAlternativeNames(value, names, limits) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private static AcmeProblem? ReadAlternativeNames(byte[] value, List<Identifier> names, CsrLimits limits)
    {
        var outer = new AsnReader(value, AsnEncodingRules.DER);
        var list = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        while (list.HasData)
        {
            var tag = list.PeekTag();
            var type = tag.TagClass == TagClass.ContextSpecific && tag.TagValue < GeneralNames.Length ? GeneralNames[tag.TagValue] : "unknown";
            if (tag.TagClass != TagClass.ContextSpecific || (tag.TagValue is not (Oids.DnsNameTag or Oids.IpAddressTag)))
            {
                return Bad($"The CSR asks for a name of the type {type}; only dNSName and iPAddress are issued here.");
            }

            var name = tag.TagValue == Oids.DnsNameTag
                ? Identifier.Parse(IdentifierType.Dns, list.ReadCharacterString(UniversalTagNumber.IA5String, tag))
                : Identifier.ParseOctets(list.ReadOctetString(tag));
            if (!name.IsValid)
            {
                return Bad($"The CSR asks for the type {type} with a value that cannot be in a certificate: {name.Reason}.");
            }

            names.Add(name.Value);
            if (names.Count > limits.MaxNames)
            {
                return TooMany("names", limits.MaxNames);
            }
        }

        return null;
    }

    /// <summary>Takes common names that are domain names, since old clients put a name only there (RFC 8555 section 7.4); other attributes are ignored.</summary>
    private static AcmeProblem? ReadCommonNames(AsnReader subject, List<Identifier> names, CsrLimits limits)
    {
        for (var count = 1; subject.HasData; count++)
        {
            if (count > limits.MaxItems)
            {
                return TooMany("subject attributes", limits.MaxItems);
            }

            var set = subject.ReadSetOf(skipSortOrderValidation: true);
            for (var inner = 1; set.HasData; inner++)
            {
                if (inner > limits.MaxItems)
                {
                    return TooMany("subject attributes", limits.MaxItems);
                }

                var attribute = set.ReadSequence();
                var oid = attribute.ReadObjectIdentifier();
                var tag = attribute.PeekTag();
                if (oid != Oids.CommonName || tag.TagClass != TagClass.Universal)
                {
                    continue;
                }

                var type = (UniversalTagNumber)tag.TagValue;
                if (type is not (UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString or UniversalTagNumber.IA5String))
                {
                    continue; // in no other string type would a domain name be written
                }

                var name = CertificateName.Parse(attribute.ReadCharacterString(type));
                if (!name.IsValid)
                {
                    continue;
                }

                names.Add(name.Value);
                if (names.Count > limits.MaxNames + 1)
                {
                    return TooMany("names", limits.MaxNames);
                }
            }
        }

        return null;
    }
}

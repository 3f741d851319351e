using System.Collections.Immutable;
using System.Formats.Asn1;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Linting;

/// <summary>What a certificate is held against.</summary>
public sealed record LintContext
{
    /// <summary>Subject of the issuer, DER.</summary>
    public required ReadOnlyMemory<byte> IssuerSubjectDer { get; init; }

    /// <summary>Key identifier of the issuer.</summary>
    public required ReadOnlyMemory<byte> IssuerKeyIdentifier { get; init; }

    /// <summary>End of the issuer's validity.</summary>
    public required DateTimeOffset IssuerNotAfter { get; init; }

    /// <summary>AlgorithmIdentifier the issuer signs with, DER.</summary>
    public required ReadOnlyMemory<byte> SignatureAlgorithm { get; init; }

    /// <summary>The order's names.</summary>
    public required ImmutableArray<Identifier> Names { get; init; }

    /// <summary>Longest inclusive validity.</summary>
    public required TimeSpan MaxValidity { get; init; }
}

/// <summary>Something wrong with a certificate.</summary>
/// <param name="Id">The check, such as L06.</param>
/// <param name="Message">What was found and what was expected.</param>
public sealed record LintFinding(string Id, string Message);

/// <summary>
/// Checks the final to-be-signed bytes of a subscriber's certificate before any key signs them (Baseline Requirements section 4.3.1.2). Every
/// finding is an error: what is found here is never signed.
/// </summary>
public static class TbsLint
{
    private static readonly (string Id, Func<TbsFields, LintContext, string?> Check)[] Checks =
    [
        ("L01", (f, _) => f.Version == 2 ? null : $"the version is {f.Version + 1}; v3 is expected"),
        ("L02", Serial),
        ("L03", (f, c) => f.SignatureAlgorithm.Span.SequenceEqual(c.SignatureAlgorithm.Span)
            ? null : $"the signature algorithm is {Hex(f.SignatureAlgorithm)}; the issuer's is {Hex(c.SignatureAlgorithm)}"),
        ("L04", (f, c) => f.Issuer.Span.SequenceEqual(c.IssuerSubjectDer.Span) ? null : "the issuer name is not octet for octet the subject of the issuer's certificate"),
        ("L06", Validity),
        ("L08", (f, _) => JudgeTime("notBefore", f.NotBefore) ?? JudgeTime("notAfter", f.NotAfter)),
        ("L09", (f, _) => f.HasUniqueIds ? "there is an issuerUniqueID or subjectUniqueID" : null),
        ("L10", (f, _) => f.Extensions.GroupBy(e => e.Oid).FirstOrDefault(g => g.Count() > 1) is { } twice ? $"the extension {twice.Key} stands there {twice.Count()} times" : null),
        ("L26", AlternativeNameTypes),
        ("L27", (f, _) => f.Find(Oids.SubjectAltName) is { } names && names.Critical != f.SubjectIsEmpty
            ? $"subjectAltName is {(names.Critical ? "" : "not ")}critical while the subject is {(f.SubjectIsEmpty ? "" : "not ")}empty" : null),
        ("L28", (f, _) => AlternativeNames(f).DnsNames.Select(n => CertificateName.Parse(n) is { IsValid: false } bad ? $"the dNSName '{n}' is none: {bad.Reason}" : null).FirstOrDefault(r => r is not null)),
        ("L33", (f, _) => AlternativeNames(f).Addresses.Select(a => IpIdentifier.FromOctets(a) is { IsValid: false } bad ? $"an iPAddress is none: {bad.Reason}" : null).FirstOrDefault(r => r is not null)),
        ("L35", SameNames),
        ("L37", KeyUsage),
        ("L38", ExtendedKeyUsage),
        ("L40", (f, _) => f.Find(Oids.BasicConstraints) is null ? null : "basicConstraints is there; in a subscriber's certificate it is expected to be absent"),
        ("L41", AuthorityKeyIdentifier),
    ];

    /// <summary>The identifiers of the checks, in their order.</summary>
    public static IReadOnlyList<string> CheckIds { get; } = [.. Checks.Select(c => c.Id)];

    /// <summary>Checks.</summary>
    /// <returns>The findings, none when the bytes may be signed. Bytes that cannot be read are one finding, L00.</returns>
    public static IReadOnlyList<LintFinding> Check(ReadOnlyMemory<byte> tbsDer, LintContext context)
    {
        var fields = TbsFields.Read(tbsDer);
        if (!fields.IsValid)
        {
            return [new LintFinding("L00", fields.Reason)];
        }

        var findings = new List<LintFinding>();
        foreach (var (id, check) in Checks)
        {
            string? message;
            try
            {
                message = check(fields.Value, context);
            }
            catch (AsnContentException e)
            {
                message = "an extension cannot be read: " + e.Message;
            }

            if (message is not null)
            {
                findings.Add(new LintFinding(id, message));
            }
        }

        return findings;
    }

    private static string Hex(ReadOnlyMemory<byte> octets) => Convert.ToHexStringLower(octets.Span);

    private static string? Serial(TbsFields fields, LintContext context)
    {
        var serial = fields.Serial.Span;
        if ((serial[0] & 0x80) != 0 || serial.IndexOfAnyExcept((byte)0) < 0)
        {
            return "the serial number is not positive";
        }

        // Fewer octets than eight cannot hold the 64 random bits.
        return serial.Length is < 8 or > 20 ? $"the serial number has {serial.Length} octets; 8 to 20 are expected" : null;
    }

    private static string? Validity(TbsFields fields, LintContext context)
    {
        // The last second counts (RFC 5280 section 4.1.2.5).
        var length = fields.NotAfter.At - fields.NotBefore.At + TimeSpan.FromSeconds(1);
        if (length <= TimeSpan.FromSeconds(1))
        {
            return "notAfter is not later than notBefore";
        }

        if (length > context.MaxValidity)
        {
            return $"the validity is {length.TotalSeconds:0} seconds; at most {context.MaxValidity.TotalSeconds:0} are allowed";
        }

        return fields.NotAfter.At > context.IssuerNotAfter ? $"notAfter {fields.NotAfter.At:u} is later than the issuer's {context.IssuerNotAfter:u}" : null;
    }

    private static string? JudgeTime(string which, TbsTime time)
    {
        if (time.IsGeneralized != time.At.Year >= 2050)
        {
            return $"{which} {time.At:u} is a {(time.IsGeneralized ? "GeneralizedTime" : "UTCTime")}; UTCTime is expected through 2049 and GeneralizedTime from 2050";
        }

        var digits = time.IsGeneralized ? 14 : 12;
        return time.Text.Length == digits + 1 && time.Text[^1] == 'Z' && time.Text.AsSpan(0, digits).IndexOfAnyExceptInRange('0', '9') < 0
            ? null
            : $"{which} is written '{time.Text}'; {digits} digits and Z are expected";
    }

    private static string? AlternativeNameTypes(TbsFields fields, LintContext context)
    {
        if (fields.Find(Oids.SubjectAltName) is not { } extension)
        {
            return "subjectAltName is missing";
        }

        var names = new AsnReader(extension.Value, AsnEncodingRules.DER).ReadSequence();
        if (!names.HasData)
        {
            return "subjectAltName is empty";
        }

        while (names.HasData)
        {
            var tag = names.PeekTag();
            if (tag is not { TagClass: TagClass.ContextSpecific, TagValue: Oids.DnsNameTag or Oids.IpAddressTag })
            {
                return $"subjectAltName has a name of the type [{tag.TagValue}]; only dNSName [2] and iPAddress [7] are expected";
            }

            names.ReadEncodedValue();
        }

        return null;
    }

    private static (List<string> DnsNames, List<byte[]> Addresses) AlternativeNames(TbsFields fields)
    {
        var (dnsNames, addresses) = (new List<string>(), new List<byte[]>());
        if (fields.Find(Oids.SubjectAltName) is not { } extension)
        {
            return (dnsNames, addresses);
        }

        var outer = new AsnReader(extension.Value, AsnEncodingRules.DER);
        var names = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        while (names.HasData)
        {
            var tag = names.PeekTag();
            if (tag is { TagClass: TagClass.ContextSpecific, TagValue: Oids.DnsNameTag })
            {
                dnsNames.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
            }
            else if (tag is { TagClass: TagClass.ContextSpecific, TagValue: Oids.IpAddressTag })
            {
                addresses.Add(names.ReadOctetString(tag));
            }
            else
            {
                names.ReadEncodedValue();
            }
        }

        return (dnsNames, addresses);
    }

    private static string? SameNames(TbsFields fields, LintContext context)
    {
        // A dNSName that spells an address is none of the order's names: kinds are compared too.
        var (dnsNames, addresses) = AlternativeNames(fields);
        List<(IdentifierType, string Text)> found =
        [
            .. dnsNames.Select(n => (IdentifierType.Dns, n)),
            .. addresses.Select(a => (IdentifierType.Ip, IpIdentifier.FromOctets(a).Value?.Text ?? Hex(a))),
        ];
        var expected = context.Names.Select(n => (n.Type, n.Text)).ToHashSet();
        return found.Count == expected.Count && expected.SetEquals(found)
            ? null
            : $"subjectAltName has {string.Join(", ", found.Select(n => n.Text))}; the order has {string.Join(", ", expected.Select(n => n.Text))}";
    }

    private static string? KeyUsage(TbsFields fields, LintContext context)
    {
        if (fields.Find(Oids.KeyUsage) is not { } usage)
        {
            return "keyUsage is missing";
        }

        if (!usage.Critical)
        {
            return "keyUsage is not critical";
        }

        // digitalSignature is bit 0, keyEncipherment bit 2 (RFC 5280 section 4.2.1.3). The kind of key is read from the certificate itself.
        var bits = Oids.ReadBits(usage.Value);
        var algorithm = new AsnReader(fields.SubjectPublicKeyInfo, AsnEncodingRules.DER).ReadSequence().ReadSequence().ReadObjectIdentifier();
        var isRsa = algorithm == Oids.RsaEncryption;
        var allowed = isRsa ? 0b1010_0000 : 0b1000_0000;
        return (bits & 0b1000_0000) != 0 && (bits & ~allowed) == 0
            ? null
            : $"keyUsage is {bits:x2}; for a key of the algorithm {algorithm} digitalSignature{(isRsa ? " with or without keyEncipherment" : " alone")} is expected";
    }

    private static string? ExtendedKeyUsage(TbsFields fields, LintContext context)
    {
        if (fields.Find(Oids.ExtendedKeyUsage) is not { Critical: false } extension)
        {
            return "extKeyUsage is missing or critical";
        }

        var purposes = new AsnReader(extension.Value, AsnEncodingRules.DER).ReadSequence();
        const string serverAuth = "1.3.6.1.5.5.7.3.1";
        return purposes.ReadObjectIdentifier() == serverAuth && !purposes.HasData ? null : "extKeyUsage is not serverAuth alone";
    }

    private static string? AuthorityKeyIdentifier(TbsFields fields, LintContext context)
    {
        if (fields.Find(Oids.AuthorityKeyIdentifier) is not { } extension)
        {
            return "authorityKeyIdentifier is missing";
        }

        if (extension.Critical)
        {
            return "authorityKeyIdentifier is critical";
        }

        var identifier = new AsnReader(extension.Value, AsnEncodingRules.DER).ReadSequence();
        var tag = new Asn1Tag(TagClass.ContextSpecific, 0);
        if (!identifier.HasData || identifier.PeekTag() != tag || !identifier.ReadOctetString(tag).AsSpan().SequenceEqual(context.IssuerKeyIdentifier.Span))
        {
            return "authorityKeyIdentifier is not the issuer's key identifier";
        }

        return identifier.HasData ? "authorityKeyIdentifier has the issuer and serial form besides" : null;
    }
}

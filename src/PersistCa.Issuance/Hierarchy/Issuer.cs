using System.Collections.Immutable;
using System.Formats.Asn1;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Hierarchy;

/// <summary>An authority that can sign: its certificate, the chain above it and its key, checked to belong together. The key stays its giver's to dispose.</summary>
public sealed class Issuer
{
    /// <summary>Longest chain that is loaded, the issuer's own certificate included.</summary>
    public const int MaxChainLength = 8;

    /// <summary>Hex characters of <see cref="IssuerId"/>: 64 bits of the key identifier.</summary>
    public const int IssuerIdLength = 16;

    private Issuer(TbsFields fields, byte[] keyIdentifier, ImmutableArray<byte[]> chain, bool reachesRoot, NameConstraints constraints, ISigningKey key)
    {
        Constraints = constraints;
        Chain = chain;
        ReachesRoot = reachesRoot;
        Key = key;
        SubjectDer = fields.Subject;
        KeyIdentifier = keyIdentifier;
        IssuerId = Convert.ToHexStringLower(keyIdentifier)[..IssuerIdLength];
        NotBefore = fields.NotBefore.At;
        NotAfter = fields.NotAfter.At;
        IsRoot = fields.Issuer.Span.SequenceEqual(fields.Subject.Span);
    }

    /// <summary>Short id: the first 64 bits of the key identifier in lower-case hex.</summary>
    public string IssuerId { get; }

    /// <summary>Its certificate, DER.</summary>
    public byte[] CertificateDer => Chain[0];

    /// <summary>Its certificate and those above it, nearest first.</summary>
    public ImmutableArray<byte[]> Chain { get; }

    /// <summary>Whether the last certificate of <see cref="Chain"/> is self-signed.</summary>
    public bool ReachesRoot { get; }

    /// <summary>Whether its own certificate is a root's: its issuer is its subject.</summary>
    public bool IsRoot { get; }

    /// <summary>For which names it may sign, by its own certificate and those above it.</summary>
    public NameConstraints Constraints { get; }

    /// <summary>Its key.</summary>
    public ISigningKey Key { get; }

    /// <summary>Its subject as its certificate encodes it: the issuer field of everything it signs.</summary>
    public ReadOnlyMemory<byte> SubjectDer { get; }

    /// <summary>Its subject key identifier.</summary>
    public byte[] KeyIdentifier { get; }

    /// <summary>Start of its validity.</summary>
    public DateTimeOffset NotBefore { get; }

    /// <summary>End of its validity, inclusive.</summary>
    public DateTimeOffset NotAfter { get; }

    /// <summary>Checks that certificate, chain and key belong together and may sign now.</summary>
    /// <param name="certificate">The issuer's certificate, DER.</param>
    /// <param name="above">The certificates above it, nearest first; may be empty, may end below the root.</param>
    /// <param name="key">The issuer's key.</param>
    /// <param name="now">The time.</param>
    /// <returns>The issuer, or the first thing that is wrong, for an operator.</returns>
    public static Parsed<Issuer> Load(byte[] certificate, IReadOnlyList<byte[]> above, ISigningKey key, DateTimeOffset now)
    {
        if (above.Count >= MaxChainLength)
        {
            return Refuse($"the chain has {above.Count + 1} certificates; at most {MaxChainLength} are expected");
        }

        ImmutableArray<byte[]> chain = [certificate, .. above];
        var links = new List<(SignedParts Parts, TbsFields Fields)>();
        var constraints = NameConstraints.None;
        for (var i = 0; i < chain.Length; i++)
        {
            var which = i == 0 ? "the issuer's certificate" : $"certificate {i} of the chain above the issuer";
            var parts = SignedParts.Read(chain[i]);
            if (!parts.IsValid)
            {
                return Refuse($"{which} cannot be read: {parts.Reason}");
            }

            var fields = TbsFields.Read(parts.Value.ToBeSigned);
            if (!fields.IsValid)
            {
                return Refuse($"{which} cannot be read: {fields.Reason}");
            }

            if (JudgeAuthority(fields.Value, below: i, now) is { } reason)
            {
                return Refuse($"{which} {reason}");
            }

            // A root's own are the business of those who trust it, but the clients that obey them there are not few.
            var bound = constraints.With(fields.Value);
            if (!bound.IsValid)
            {
                return Refuse($"{which} {bound.Reason}");
            }

            constraints = bound.Value;
            links.Add((parts.Value, fields.Value));
        }

        if (!links[0].Fields.SubjectPublicKeyInfo.Span.SequenceEqual(key.SubjectPublicKeyInfo))
        {
            return Refuse("the key does not belong to the issuer's certificate: their public keys differ");
        }

        for (var i = 0; i + 1 < links.Count; i++)
        {
            if (!links[i].Fields.Issuer.Span.SequenceEqual(links[i + 1].Fields.Subject.Span))
            {
                return Refuse($"the chain is broken: the issuer name of certificate {i} is not the subject of certificate {i + 1}");
            }

            // Those above may be another authority's, and sign with what nothing signs with here.
            if (KnownSignature.Refuse(links[i + 1].Fields.SubjectPublicKeyInfo.Span, links[i].Parts) is { } broken)
            {
                return Refuse($"the chain is broken: the signature of certificate {i} {broken} for the key of certificate {i + 1}");
            }
        }

        var last = links[^1];
        var selfIssued = last.Fields.Issuer.Span.SequenceEqual(last.Fields.Subject.Span);
        if (selfIssued && KnownSignature.Refuse(last.Fields.SubjectPublicKeyInfo.Span, last.Parts) is { } unsound)
        {
            return Refuse($"the chain is broken: the root's signature {unsound} for its own key");
        }

        var identifier = Oids.ReadOctets(links[0].Fields.Find(Oids.SubjectKeyIdentifier)!.Value);
        return Parsed<Issuer>.Ok(new Issuer(links[0].Fields, identifier, chain, selfIssued, constraints, key));
    }

    /// <summary>The id that a certificate has, or would have as an issuer's: from its subject key identifier, else from its key; null when it cannot be read.</summary>
    public static string? IdOf(byte[] certificate)
    {
        var parts = SignedParts.Read(certificate);
        if (!parts.IsValid || TbsFields.Read(parts.Value.ToBeSigned) is not { IsValid: true } fields)
        {
            return null;
        }

        try
        {
            var octets = fields.Value.Find(Oids.SubjectKeyIdentifier) is { } identifier ? Oids.ReadOctets(identifier.Value) : CertificateTbs.KeyIdentifier(fields.Value.SubjectPublicKeyInfo);
            return octets.Length < IssuerIdLength / 2 ? null : Convert.ToHexStringLower(octets)[..IssuerIdLength];
        }
        catch (AsnContentException)
        {
            return null; // one that cannot be read has no id
        }
    }

    /// <summary>SHA-256 of a certificate's key, lower-case hex; null when it cannot be read.</summary>
    public static string? KeyFingerprintOf(byte[] certificate) =>
        SignedParts.Read(certificate) is { IsValid: true } parts && TbsFields.Read(parts.Value.ToBeSigned) is { IsValid: true } fields
            ? PublicKeyFingerprint.Of(fields.Value.SubjectPublicKeyInfo.Span)
            : null;

    /// <summary>The subject of a certificate, DER; empty when it cannot be read.</summary>
    public static ReadOnlyMemory<byte> SubjectOf(byte[] certificate) =>
        SignedParts.Read(certificate) is { IsValid: true } parts && TbsFields.Read(parts.Value.ToBeSigned) is { IsValid: true } fields ? fields.Value.Subject : ReadOnlyMemory<byte>.Empty;

    /// <summary>The path length of an authority's certificate that has been loaded; null for any number.</summary>
    internal static int? PathLengthOf(byte[] certificate)
    {
        var fields = TbsFields.Read(SignedParts.Read(certificate).Value!.ToBeSigned).Value!;
        return ReadBasicConstraints(fields.Find(Oids.BasicConstraints)!.Value, out var length) && length != int.MaxValue ? length : null;
    }

    private static Parsed<Issuer> Refuse(string reason) => Parsed<Issuer>.Refused(reason);

    /// <summary>Says why a certificate is that of no authority that may sign now; null when it is.</summary>
    /// <param name="fields">The certificate.</param>
    /// <param name="below">How many authorities stand below it.</param>
    /// <param name="now">The time.</param>
    internal static string? JudgeAuthority(TbsFields fields, int below, DateTimeOffset now)
    {
        try
        {
            if (fields.Find(Oids.BasicConstraints) is not { } constraints || !ReadBasicConstraints(constraints.Value, out var pathLength))
            {
                return "is not that of an authority: basicConstraints with cA TRUE is missing";
            }

            if (pathLength < below)
            {
                return $"has a pathLenConstraint of {pathLength} and {below} authorities below it";
            }

            // keyCertSign and crlSign are bits 5 and 6 (RFC 5280 section 4.2.1.3).
            var usage = fields.Find(Oids.KeyUsage) is { } extension ? Oids.ReadBits(extension.Value) : 0;
            if ((usage & 0b0000_0110) != 0b0000_0110)
            {
                return "is not that of an authority: keyUsage lacks keyCertSign or cRLSign";
            }

            if (fields.Find(Oids.SubjectKeyIdentifier) is not { } identifier || Oids.ReadOctets(identifier.Value).Length < IssuerIdLength / 2)
            {
                return $"has no subjectKeyIdentifier of at least {IssuerIdLength / 2} octets";
            }
        }
        catch (AsnContentException e)
        {
            return "has an extension that cannot be read: " + e.Message;
        }

        if (now < fields.NotBefore.At)
        {
            return $"is not valid before {fields.NotBefore.At:u}; it is {now.ToUniversalTime():u}";
        }

        return now > fields.NotAfter.At ? $"expired at {fields.NotAfter.At:u}; it is {now.ToUniversalTime():u}" : null;
    }

    private static bool ReadBasicConstraints(ReadOnlyMemory<byte> value, out int pathLength)
    {
        pathLength = int.MaxValue;
        var reader = new AsnReader(value, AsnEncodingRules.DER).ReadSequence();
        if (!reader.HasData || reader.PeekTag() != Asn1Tag.Boolean || !reader.ReadBoolean())
        {
            return false;
        }

        if (reader.HasData && !reader.TryReadInt32(out pathLength))
        {
            pathLength = int.MaxValue; // longer than any chain
        }

        return true;
    }
}

using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Numerics;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Linting;

/// <summary>One attribute of a name.</summary>
/// <param name="Rdn">Which RelativeDistinguishedName it stands in, from 0.</param>
/// <param name="Oid">Its type.</param>
/// <param name="Tag">How its value is encoded.</param>
/// <param name="Text">Its value; empty when it is no string that is read here.</param>
public sealed record NamePart(int Rdn, string Oid, UniversalTagNumber Tag, string Text);

/// <summary>BasicConstraints.</summary>
/// <param name="IsAuthority">cA.</param>
/// <param name="PathLength">pathLenConstraint, null when there is none.</param>
public sealed record BasicConstraintsFacts(bool IsAuthority, BigInteger? PathLength);

/// <summary>A subject's public key.</summary>
/// <param name="Algorithm">AlgorithmIdentifier, DER.</param>
/// <param name="Oid">The algorithm.</param>
/// <param name="CurveOid">The named curve, null when there is none.</param>
/// <param name="Octets">Content of the BIT STRING.</param>
public sealed record PublicKeyFacts(ReadOnlyMemory<byte> Algorithm, string Oid, string? CurveOid, byte[] Octets);

/// <summary>
/// A certificate as the lints see it. Everything is read at most once. A part that cannot be read throws <see cref="AsnContentException"/> at whoever
/// asks for it, which the runner makes a finding of; the rest stays readable.
/// </summary>
public sealed class CertificateFacts
{
    /// <summary>Longest certificate that is looked at: octets. The largest of a hundred names has a twentieth of it.</summary>
    public const int MaxOctets = 128 * 1024;

    // A modulus beyond this is refused before any arithmetic.
    private const int MaxModulusOctets = 2048;

    private readonly Lazy<AlternativeNames> alternativeNames;
    private readonly Lazy<int?> keyUsage;
    private readonly Lazy<ImmutableArray<string>?> purposes;
    private readonly Lazy<BasicConstraintsFacts?> basicConstraints;
    private readonly Lazy<PublicKeyFacts> key;
    private readonly Lazy<(BigInteger Modulus, BigInteger Exponent)?> rsa;
    private readonly Lazy<ImmutableArray<NamePart>> subject;

    private CertificateFacts(TbsFields fields, ReadOnlyMemory<byte>? outerAlgorithm)
    {
        Fields = fields;
        OuterAlgorithm = outerAlgorithm;
        alternativeNames = new(() => AlternativeNames.Read(fields.Find(Oids.SubjectAltName)));
        keyUsage = new(() => fields.Find(Oids.KeyUsage) is { } e ? Oids.ReadBits(e.Value) : null);
        purposes = new(() => fields.Find(Oids.ExtendedKeyUsage) is { } e ? ReadPurposes(e.Value) : null);
        basicConstraints = new(() => fields.Find(Oids.BasicConstraints) is { } e ? ReadBasicConstraints(e.Value) : null);
        key = new(() => ReadKey(fields.SubjectPublicKeyInfo));
        rsa = new(() => Key.Oid == Oids.RsaEncryption ? ReadRsa(Key.Octets) : null);
        subject = new(() => ReadName(fields.Subject));
    }

    /// <summary>The fields of the to-be-signed part.</summary>
    public TbsFields Fields { get; }

    /// <summary>The AlgorithmIdentifier beside the signature, null for a part that is not signed yet.</summary>
    public ReadOnlyMemory<byte>? OuterAlgorithm { get; }

    /// <summary>The names of subjectAltName; none when it is missing.</summary>
    public AlternativeNames Names => alternativeNames.Value;

    /// <summary>Bits of keyUsage as <see cref="Oids.ReadBits"/> has them, null when it is missing.</summary>
    public int? KeyUsage => keyUsage.Value;

    /// <summary>Purposes of extKeyUsage, null when it is missing.</summary>
    public ImmutableArray<string>? Purposes => purposes.Value;

    /// <summary>basicConstraints, null when it is missing.</summary>
    public BasicConstraintsFacts? BasicConstraints => basicConstraints.Value;

    /// <summary>The subject's key.</summary>
    public PublicKeyFacts Key => key.Value;

    /// <summary>The numbers of an RSA key, null for another kind.</summary>
    public (BigInteger Modulus, BigInteger Exponent)? Rsa => rsa.Value;

    /// <summary>The subject's attributes.</summary>
    public ImmutableArray<NamePart> Subject => subject.Value;

    /// <summary>What the certificate claims to be; a subscriber's when that cannot be read.</summary>
    public CertificateKind ApparentKind
    {
        get
        {
            try
            {
                return BasicConstraints is { IsAuthority: true }
                    ? Fields.Issuer.Span.SequenceEqual(Fields.Subject.Span) ? CertificateKind.Root : CertificateKind.SubordinateAuthority
                    : Purposes is { } all && all.Contains(Oids.OcspSigning) ? CertificateKind.OcspSigner : CertificateKind.Subscriber;
            }
            catch (AsnContentException)
            {
                return CertificateKind.Subscriber;
            }
        }
    }

    /// <summary>Reads a to-be-signed part.</summary>
    public static Parsed<CertificateFacts> OfTbs(ReadOnlyMemory<byte> tbsDer) => Of(tbsDer, null);

    /// <summary>Reads a signed certificate.</summary>
    public static Parsed<CertificateFacts> OfCertificate(ReadOnlyMemory<byte> der)
    {
        if (der.Length > MaxOctets)
        {
            return Parsed<CertificateFacts>.Refused($"it has {der.Length} octets; at most {MaxOctets} are read");
        }

        var parts = SignedParts.Read(der);
        return parts.IsValid ? Of(parts.Value.ToBeSigned, parts.Value.Algorithm) : Parsed<CertificateFacts>.Refused(parts.Reason);
    }

    private static Parsed<CertificateFacts> Of(ReadOnlyMemory<byte> tbsDer, ReadOnlyMemory<byte>? outerAlgorithm)
    {
        if (tbsDer.Length > MaxOctets)
        {
            return Parsed<CertificateFacts>.Refused($"it has {tbsDer.Length} octets; at most {MaxOctets} are read");
        }

        var fields = TbsFields.Read(tbsDer);
        return fields.IsValid ? Parsed<CertificateFacts>.Ok(new CertificateFacts(fields.Value, outerAlgorithm)) : Parsed<CertificateFacts>.Refused(fields.Reason);
    }

    private static ImmutableArray<string>? ReadPurposes(ReadOnlyMemory<byte> value)
    {
        var list = Oids.ReadList(value);
        var found = ImmutableArray.CreateBuilder<string>();
        while (list.HasData)
        {
            found.Add(list.ReadObjectIdentifier());
        }

        return found.ToImmutable();
    }

    private static BasicConstraintsFacts ReadBasicConstraints(ReadOnlyMemory<byte> value)
    {
        var body = Oids.ReadList(value);
        var authority = body.HasData && body.PeekTag() == Asn1Tag.Boolean && body.ReadBoolean();
        BigInteger? length = body.HasData ? body.ReadInteger() : null;
        body.ThrowIfNotEmpty();
        return new BasicConstraintsFacts(authority, length);
    }

    private static PublicKeyFacts ReadKey(ReadOnlyMemory<byte> info)
    {
        var body = Oids.ReadList(info);
        var algorithm = body.ReadEncodedValue();
        var octets = body.ReadBitString(out var unused);
        body.ThrowIfNotEmpty();
        if (unused != 0)
        {
            throw new AsnContentException("the key is no whole number of octets");
        }

        var inner = Oids.ReadList(algorithm);
        var oid = inner.ReadObjectIdentifier();
        var curve = inner.HasData && inner.PeekTag() == Asn1Tag.ObjectIdentifier ? inner.ReadObjectIdentifier() : null;
        return new PublicKeyFacts(algorithm, oid, curve, octets);
    }

    private static (BigInteger Modulus, BigInteger Exponent)? ReadRsa(byte[] octets)
    {
        if (octets.Length > MaxModulusOctets * 2)
        {
            throw new AsnContentException($"the RSA key has {octets.Length} octets; at most {MaxModulusOctets * 2} are read");
        }

        var numbers = Oids.ReadList(octets);
        var (modulus, exponent) = (numbers.ReadInteger(), numbers.ReadInteger());
        numbers.ThrowIfNotEmpty();
        return modulus.Sign > 0 ? (modulus, exponent) : throw new AsnContentException("the RSA modulus is not positive");
    }

    private static ImmutableArray<NamePart> ReadName(ReadOnlyMemory<byte> name)
    {
        var rdns = Oids.ReadList(name);
        var found = ImmutableArray.CreateBuilder<NamePart>();
        for (var index = 0; rdns.HasData; index++)
        {
            var rdn = rdns.ReadSetOf();
            while (rdn.HasData)
            {
                var attribute = rdn.ReadSequence();
                var oid = attribute.ReadObjectIdentifier();
                var tag = (UniversalTagNumber)attribute.PeekTag().TagValue;
                var text = tag is UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString or UniversalTagNumber.IA5String
                        or UniversalTagNumber.T61String or UniversalTagNumber.BMPString
                    ? attribute.ReadCharacterString(tag)
                    : Convert.ToHexStringLower(attribute.ReadEncodedValue().Span);
                attribute.ThrowIfNotEmpty();
                found.Add(new NamePart(index, oid, tag, text));
            }
        }

        return found.ToImmutable();
    }
}

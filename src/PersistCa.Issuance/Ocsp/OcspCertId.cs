using System.Formats.Asn1;
using System.Security.Cryptography;
using PersistCa.Issuance.Hierarchy;

namespace PersistCa.Issuance.Ocsp;

/// <summary>The hashes by which a question may name an issuer. The set is closed.</summary>
public enum OcspHash
{
    /// <summary>SHA-1, which most clients still use (RFC 6960 section 4.3). Nothing rests on its strength: it only finds the issuer.</summary>
    Sha1 = 1,

    /// <summary>SHA-256 (RFC 9919 section 3.1.1).</summary>
    Sha256 = 2,
}

/// <summary>Which certificate is meant (CertID of RFC 6960 section 4.1.1).</summary>
/// <param name="Hash">The hash of the next two.</param>
/// <param name="IssuerNameHash">Hash of the issuer's subject, DER.</param>
/// <param name="IssuerKeyHash">Hash of the issuer's key: the content of its BIT STRING.</param>
/// <param name="Serial">Serial number, lower-case hex of its content octets.</param>
public sealed record OcspCertId(OcspHash Hash, ReadOnlyMemory<byte> IssuerNameHash, ReadOnlyMemory<byte> IssuerKeyHash, string Serial)
{
    private const string Sha1Oid = "1.3.14.3.2.26";
    private const string Sha256Oid = "2.16.840.1.101.3.4.2.1";

    /// <summary>The name of a certificate of an issuer.</summary>
    public static OcspCertId Of(Issuer issuer, OcspHash hash, string serial) =>
        new(hash, Digest(hash, issuer.SubjectDer.Span), Digest(hash, KeyBits(issuer.Key.SubjectPublicKeyInfo)), serial);

    /// <summary>True when the issuer is the one that is meant: both hashes agree (RFC 6960 section 4.1.1).</summary>
    public bool IsOf(Issuer issuer) =>
        IssuerNameHash.Span.SequenceEqual(Digest(Hash, issuer.SubjectDer.Span)) && IssuerKeyHash.Span.SequenceEqual(Digest(Hash, KeyBits(issuer.Key.SubjectPublicKeyInfo)));

    /// <summary>The KeyHash by which a responder is named: SHA-1 whatever the question uses (RFC 6960 section 4.2.1).</summary>
    internal static byte[] ResponderKeyHash(ReadOnlyMemory<byte> subjectPublicKeyInfo) => Digest(OcspHash.Sha1, KeyBits(subjectPublicKeyInfo));

    internal static int Octets(OcspHash hash) => hash == OcspHash.Sha1 ? SHA1.HashSizeInBytes : SHA256.HashSizeInBytes;

    internal static OcspHash? Find(string oid) => oid switch
    {
        Sha1Oid => OcspHash.Sha1,
        Sha256Oid => OcspHash.Sha256,
        _ => null,
    };

    /// <summary>Writes it. The parameters are NULL, as nearly every client writes them too.</summary>
    internal void Write(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(Hash == OcspHash.Sha1 ? Sha1Oid : Sha256Oid);
                writer.WriteNull();
            }

            writer.WriteOctetString(IssuerNameHash.Span);
            writer.WriteOctetString(IssuerKeyHash.Span);
            writer.WriteInteger(Convert.FromHexString(Serial));
        }
    }

#pragma warning disable CA5350 // SHA-1 is what RFC 6960 names issuers and responders by; no signature uses it.
    private static byte[] Digest(OcspHash hash, ReadOnlySpan<byte> octets) => hash == OcspHash.Sha1 ? SHA1.HashData(octets) : SHA256.HashData(octets);
#pragma warning restore CA5350

    private static byte[] KeyBits(ReadOnlyMemory<byte> subjectPublicKeyInfo)
    {
        var info = new AsnReader(subjectPublicKeyInfo, AsnEncodingRules.DER).ReadSequence();
        info.ReadEncodedValue();
        return info.ReadBitString(out _);
    }
}

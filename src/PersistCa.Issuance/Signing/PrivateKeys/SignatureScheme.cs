using System.Formats.Asn1;
using System.Security.Cryptography;

namespace PersistCa.Issuance.Signing.PrivateKeys;

/// <summary>A private key in memory. One instance serves one thread at a time.</summary>
internal abstract class PrivateKey : IDisposable
{
    /// <summary>Signs a message: the content of the X.509 signature BIT STRING.</summary>
    public abstract byte[] Sign(ReadOnlySpan<byte> message);

    /// <summary>Another instance for another thread.</summary>
    public abstract PrivateKey Copy();

    /// <summary>Its public half, SubjectPublicKeyInfo in DER.</summary>
    public abstract byte[] SubjectPublicKeyInfo { get; }

    /// <summary>The key as PrivateKeyInfo (RFC 5958), not encrypted: to be encrypted and wiped by whoever asks.</summary>
    public abstract byte[] ExportPkcs8();

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>How keys of a family are made and read, and how their signatures are checked.</summary>
internal abstract class SignatureScheme
{
    /// <summary>Makes a key.</summary>
    public abstract PrivateKey Make(SigningAlgorithm algorithm);

    /// <summary>Reads a PrivateKeyInfo of this family.</summary>
    /// <returns>The key and what it signs with; null when it is of another family, or of a size or curve that does not sign here.</returns>
    /// <exception cref="CryptographicException">It is of this family and damaged.</exception>
    /// <exception cref="AsnContentException">The same.</exception>
    public abstract PrivateKey? Read(byte[] pkcs8);

    /// <summary>Whether a signature holds.</summary>
    /// <exception cref="CryptographicException">The key or the signature cannot be read.</exception>
    /// <exception cref="AsnContentException">The same.</exception>
    public abstract bool Verify(ReadOnlySpan<byte> subjectPublicKeyInfo, SigningAlgorithm algorithm, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature);

    /// <summary>Reads the algorithm's OID of a PrivateKeyInfo.</summary>
    protected static string AlgorithmOf(byte[] pkcs8) => Open(pkcs8).Oid;

    /// <summary>Takes a PrivateKeyInfo apart as far as its octets; attributes and a public key behind them (RFC 5958 section 2) are passed over.</summary>
    protected static (string Oid, byte[] Octets) Open(byte[] pkcs8)
    {
        var info = new AsnReader(pkcs8, AsnEncodingRules.BER).ReadSequence();
        info.ReadInteger();
        var oid = info.ReadSequence().ReadObjectIdentifier();
        return (oid, info.ReadOctetString());
    }

    /// <summary>Puts a PrivateKeyInfo together, version 1 without the public key: older readers refuse version 2.</summary>
    protected static byte[] Close(ReadOnlySpan<byte> algorithmIdentifier, ReadOnlySpan<byte> octets)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(0);
            writer.WriteEncodedValue(algorithmIdentifier);
            writer.WriteOctetString(octets);
        }

        return writer.Encode();
    }

    /// <summary>Puts a SubjectPublicKeyInfo together.</summary>
    internal static byte[] PublicKeyInfo(ReadOnlySpan<byte> algorithmIdentifier, ReadOnlySpan<byte> key)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(algorithmIdentifier);
            writer.WriteBitString(key);
        }

        return writer.Encode();
    }

    /// <summary>The octets of the public key, for a kind that is spelled one way.</summary>
    protected static byte[] PublicKey(ReadOnlySpan<byte> subjectPublicKeyInfo, KeyKind kind)
    {
        var info = new AsnReader(subjectPublicKeyInfo.ToArray(), AsnEncodingRules.DER).ReadSequence();
        if (!info.ReadEncodedValue().Span.SequenceEqual(KeyKinds.Of(kind).AlgorithmIdentifier.Span))
        {
            throw new AsnContentException("the key is of another algorithm");
        }

        var key = info.ReadBitString(out _);
        info.ThrowIfNotEmpty();
        return key;
    }
}

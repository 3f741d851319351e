using System.Formats.Asn1;
using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Security;
using Curve = Org.BouncyCastle.Math.EC.Rfc8032.Ed25519;

namespace PersistCa.Issuance.Signing.PrivateKeys;

/// <summary>Ed25519 (RFC 8032, RFC 8410) through BouncyCastle.</summary>
internal sealed class Ed25519Scheme : SignatureScheme
{
    /// <inheritdoc/>
    public override PrivateKey Make(SigningAlgorithm algorithm) => new Key(new Ed25519PrivateKeyParameters(new SecureRandom()));

    /// <inheritdoc/>
    public override PrivateKey? Read(byte[] pkcs8)
    {
        var (oid, octets) = Open(pkcs8);
        if (oid != KeyKinds.Of(KeyKind.Ed25519).Oid)
        {
            return null;
        }

        // CurvePrivateKey is an OCTET STRING within the OCTET STRING (RFC 8410 section 7).
        var inner = new AsnReader(octets, AsnEncodingRules.BER);
        var seed = inner.ReadOctetString();
        inner.ThrowIfNotEmpty();
        return seed.Length == Ed25519PrivateKeyParameters.KeySize
            ? new Key(new Ed25519PrivateKeyParameters(seed))
            : throw new AsnContentException($"an Ed25519 private key of {seed.Length} octets");
    }

    /// <inheritdoc/>
    public override bool Verify(ReadOnlySpan<byte> subjectPublicKeyInfo, SigningAlgorithm algorithm, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        Ed25519.Verify(PublicKey(subjectPublicKeyInfo, KeyKind.Ed25519), message, signature);

    private sealed class Key(Ed25519PrivateKeyParameters key) : PrivateKey
    {
        public override byte[] SubjectPublicKeyInfo => PublicKeyInfo(KeyKinds.Of(KeyKind.Ed25519).AlgorithmIdentifier.Span, key.GeneratePublicKey().GetEncoded());

        public override byte[] Sign(ReadOnlySpan<byte> message)
        {
            var octets = message.ToArray();
            var signature = new byte[Ed25519PrivateKeyParameters.SignatureSize];
            key.Sign(Curve.Algorithm.Ed25519, null, octets, 0, octets.Length, signature, 0);
            return signature;
        }

        public override PrivateKey Copy() => this; // the parameters never change

        public override byte[] ExportPkcs8()
        {
            var writer = new AsnWriter(AsnEncodingRules.DER);
            writer.WriteOctetString(key.GetEncoded());
            return Close(KeyKinds.Of(KeyKind.Ed25519).AlgorithmIdentifier.Span, writer.Encode());
        }

        public override void Dispose()
        {
            // Managed memory alone.
        }
    }
}

/// <summary>Pure ML-DSA with the empty context (FIPS 204, RFC 9881) through BouncyCastle.</summary>
internal sealed class MlDsaScheme : SignatureScheme
{
    /// <inheritdoc/>
    public override PrivateKey Make(SigningAlgorithm algorithm)
    {
        var generator = new MLDsaKeyPairGenerator();
        generator.Init(new MLDsaKeyGenerationParameters(new SecureRandom(), MlDsa.Parameters(algorithm.Key)));
        return new Key((MLDsaPrivateKeyParameters)generator.GenerateKeyPair().Private, algorithm.Key);
    }

    /// <inheritdoc/>
    public override PrivateKey? Read(byte[] pkcs8)
    {
        var (oid, octets) = Open(pkcs8);
        if (KeyKinds.All.FirstOrDefault(k => k.Oid == oid && MlDsa.Is(k.Kind)) is not { Kind: var kind })
        {
            return null;
        }

        try
        {
            return new Key(Parameters(octets, MlDsa.Parameters(kind)), kind);
        }
        catch (ArgumentException)
        {
            throw new CryptographicException("the octets are no ML-DSA private key");
        }
    }

    /// <inheritdoc/>
    public override bool Verify(ReadOnlySpan<byte> subjectPublicKeyInfo, SigningAlgorithm algorithm, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        MlDsa.Verify(algorithm.Key, PublicKey(subjectPublicKeyInfo, algorithm.Key), message, signature);

    /// <summary>The three forms of RFC 9881 section 6: seed, expanded key, both. Of both the seed counts, and the expanded key must be the one it gives.</summary>
    private static MLDsaPrivateKeyParameters Parameters(byte[] octets, MLDsaParameters set)
    {
        var reader = new AsnReader(octets, AsnEncodingRules.BER);
        var seedTag = new Asn1Tag(TagClass.ContextSpecific, 0);
        if (reader.PeekTag().HasSameClassAndValue(seedTag))
        {
            return MLDsaPrivateKeyParameters.FromSeed(set, reader.ReadOctetString(seedTag));
        }

        if (reader.PeekTag() == Asn1Tag.PrimitiveOctetString)
        {
            return MLDsaPrivateKeyParameters.FromEncoding(set, reader.ReadOctetString());
        }

        var both = reader.ReadSequence();
        var key = MLDsaPrivateKeyParameters.FromSeed(set, both.ReadOctetString());
        return CryptographicOperations.FixedTimeEquals(key.GetEncoded(), both.ReadOctetString())
            ? key
            : throw new CryptographicException("the expanded ML-DSA key is not the one its seed gives");
    }

    private sealed class Key(MLDsaPrivateKeyParameters key, KeyKind kind) : PrivateKey
    {
        public override byte[] SubjectPublicKeyInfo => PublicKeyInfo(KeyKinds.Of(kind).AlgorithmIdentifier.Span, key.GetPublicKeyEncoded());

        public override byte[] Sign(ReadOnlySpan<byte> message)
        {
            // Hedged, as FIPS 204 section 3.4 advises: a fault in one signature does not give the key away.
            var signer = new MLDsaSigner(MlDsa.Parameters(kind), deterministic: false);
            signer.Init(true, new ParametersWithRandom(key, new SecureRandom()));
            signer.BlockUpdate(message);
            return signer.GenerateSignature();
        }

        public override PrivateKey Copy() => this; // the parameters never change

        public override byte[] ExportPkcs8()
        {
            var seed = key.GetSeed() ?? throw new CryptographicException("a key without its seed is not written");
            var writer = new AsnWriter(AsnEncodingRules.DER);
            writer.WriteOctetString(seed, new Asn1Tag(TagClass.ContextSpecific, 0)); // the form RFC 9881 section 6 recommends
            return Close(KeyKinds.Of(kind).AlgorithmIdentifier.Span, writer.Encode());
        }

        public override void Dispose()
        {
            // Managed memory alone.
        }
    }
}

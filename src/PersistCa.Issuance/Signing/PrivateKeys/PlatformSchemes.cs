using System.Security.Cryptography;

namespace PersistCa.Issuance.Signing.PrivateKeys;

/// <summary>ECDSA through the platform.</summary>
internal sealed class EcdsaScheme : SignatureScheme
{
    private const string Oid = "1.2.840.10045.2.1";

    /// <inheritdoc/>
    public override PrivateKey Make(SigningAlgorithm algorithm) =>
        new Key(ECDsa.Create(ECCurve.CreateFromValue(SigningAlgorithms.CurveOid(algorithm.Key))), algorithm.Hash);

    /// <inheritdoc/>
    public override PrivateKey? Read(byte[] pkcs8)
    {
        if (AlgorithmOf(pkcs8) != Oid)
        {
            return null;
        }

        var key = ECDsa.Create();
        try
        {
            key.ImportPkcs8PrivateKey(pkcs8, out _);
        }
        catch (CryptographicException)
        {
            key.Dispose();
            throw;
        }

        return SigningAlgorithms.ForPublicKey(key.ExportSubjectPublicKeyInfo()) is { } algorithm
            ? new Key(key, algorithm.Hash)
            : throw new UnfitKeyException(key.KeySize, key);
    }

    /// <inheritdoc/>
    public override bool Verify(ReadOnlySpan<byte> subjectPublicKeyInfo, SigningAlgorithm algorithm, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        using var ec = ECDsa.Create();
        ec.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out _);
        return ec.VerifyData(message, signature, algorithm.Hash, DSASignatureFormat.Rfc3279DerSequence);
    }

    private sealed class Key(ECDsa ec, HashAlgorithmName hash) : PrivateKey
    {
        public override byte[] SubjectPublicKeyInfo => ec.ExportSubjectPublicKeyInfo();

        public override byte[] Sign(ReadOnlySpan<byte> message) => ec.SignData(message, hash, DSASignatureFormat.Rfc3279DerSequence);

        public override PrivateKey Copy() => new Key(ECDsa.Create(ec.ExportParameters(true)), hash);

        public override byte[] ExportPkcs8() => ec.ExportPkcs8PrivateKey();

        public override void Dispose() => ec.Dispose();
    }
}

/// <summary>RSA, PKCS #1 v1.5, through the platform.</summary>
internal sealed class RsaScheme : SignatureScheme
{
    private const string Oid = "1.2.840.113549.1.1.1";

    /// <inheritdoc/>
    public override PrivateKey Make(SigningAlgorithm algorithm) => new Key(RSA.Create(algorithm.KeyBits), algorithm.Hash);

    /// <inheritdoc/>
    public override PrivateKey? Read(byte[] pkcs8)
    {
        if (AlgorithmOf(pkcs8) != Oid)
        {
            return null;
        }

        var key = RSA.Create();
        try
        {
            key.ImportPkcs8PrivateKey(pkcs8, out _);
        }
        catch (CryptographicException)
        {
            key.Dispose();
            throw;
        }

        return SigningAlgorithms.ForPublicKey(key.ExportSubjectPublicKeyInfo()) is { } algorithm
            ? new Key(key, algorithm.Hash)
            : throw new UnfitKeyException(key.KeySize, key);
    }

    /// <inheritdoc/>
    public override bool Verify(ReadOnlySpan<byte> subjectPublicKeyInfo, SigningAlgorithm algorithm, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        using var rsa = RSA.Create();
        rsa.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out _);
        return rsa.VerifyData(message, signature, algorithm.Hash, RSASignaturePadding.Pkcs1);
    }

    private sealed class Key(RSA rsa, HashAlgorithmName hash) : PrivateKey
    {
        public override byte[] SubjectPublicKeyInfo => rsa.ExportSubjectPublicKeyInfo();

        public override byte[] Sign(ReadOnlySpan<byte> message) => rsa.SignData(message, hash, RSASignaturePadding.Pkcs1);

        public override PrivateKey Copy() => new Key(RSA.Create(rsa.ExportParameters(true)), hash);

        public override byte[] ExportPkcs8() => rsa.ExportPkcs8PrivateKey();

        public override void Dispose() => rsa.Dispose();
    }
}

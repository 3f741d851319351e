using System.Security.Cryptography;

namespace PersistCa.Issuance.Signing.PrivateKeys;

/// <summary>Keys of the platform: ECDSA and RSA.</summary>
/// <param name="oid">Algorithm of their PrivateKeyInfo.</param>
internal abstract class PlatformScheme<T>(string oid) : SignatureScheme
    where T : AsymmetricAlgorithm
{
    /// <inheritdoc/>
    public sealed override PrivateKey Make(SigningAlgorithm algorithm) => new Key(this, Generate(algorithm), algorithm.Hash);

    /// <inheritdoc/>
    public sealed override PrivateKey? Read(byte[] pkcs8)
    {
        if (AlgorithmOf(pkcs8) != oid)
        {
            return null;
        }

        var key = Empty();
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
            ? new Key(this, key, algorithm.Hash)
            : throw new UnfitKeyException(key.KeySize, key);
    }

    /// <inheritdoc/>
    public sealed override bool Verify(ReadOnlySpan<byte> subjectPublicKeyInfo, SigningAlgorithm algorithm, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        using var key = Empty();
        key.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out _);
        return Verify(key, message, signature, algorithm.Hash);
    }

    /// <summary>An object that holds no key yet.</summary>
    protected abstract T Empty();

    /// <summary>A new key.</summary>
    protected abstract T Generate(SigningAlgorithm algorithm);

    /// <summary>Another object with the same key.</summary>
    protected abstract T Copy(T key);

    /// <summary>Signs as certificates are signed.</summary>
    protected abstract byte[] Sign(T key, ReadOnlySpan<byte> message, HashAlgorithmName hash);

    /// <summary>Whether such a signature holds.</summary>
    protected abstract bool Verify(T key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature, HashAlgorithmName hash);

    private sealed class Key(PlatformScheme<T> scheme, T key, HashAlgorithmName hash) : PrivateKey
    {
        public override byte[] SubjectPublicKeyInfo => key.ExportSubjectPublicKeyInfo();

        public override byte[] Sign(ReadOnlySpan<byte> message) => scheme.Sign(key, message, hash);

        public override PrivateKey Copy() => new Key(scheme, scheme.Copy(key), hash);

        public override byte[] ExportPkcs8() => key.ExportPkcs8PrivateKey();

        public override void Dispose() => key.Dispose();
    }
}

/// <summary>ECDSA through the platform.</summary>
internal sealed class EcdsaScheme() : PlatformScheme<ECDsa>("1.2.840.10045.2.1")
{
    /// <inheritdoc/>
    protected override ECDsa Empty() => ECDsa.Create();

    /// <inheritdoc/>
    protected override ECDsa Generate(SigningAlgorithm algorithm) => ECDsa.Create(ECCurve.CreateFromValue(SigningAlgorithms.CurveOid(algorithm.Key)));

    /// <inheritdoc/>
    protected override ECDsa Copy(ECDsa key) => ECDsa.Create(key.ExportParameters(true));

    /// <inheritdoc/>
    protected override byte[] Sign(ECDsa key, ReadOnlySpan<byte> message, HashAlgorithmName hash) => key.SignData(message, hash, DSASignatureFormat.Rfc3279DerSequence);

    /// <inheritdoc/>
    protected override bool Verify(ECDsa key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature, HashAlgorithmName hash) =>
        key.VerifyData(message, signature, hash, DSASignatureFormat.Rfc3279DerSequence);
}

/// <summary>RSA, PKCS #1 v1.5, through the platform.</summary>
internal sealed class RsaScheme() : PlatformScheme<RSA>("1.2.840.113549.1.1.1")
{
    /// <inheritdoc/>
    protected override RSA Empty() => RSA.Create();

    /// <inheritdoc/>
    protected override RSA Generate(SigningAlgorithm algorithm) => RSA.Create(algorithm.KeyBits);

    /// <inheritdoc/>
    protected override RSA Copy(RSA key) => RSA.Create(key.ExportParameters(true));

    /// <inheritdoc/>
    protected override byte[] Sign(RSA key, ReadOnlySpan<byte> message, HashAlgorithmName hash) => key.SignData(message, hash, RSASignaturePadding.Pkcs1);

    /// <inheritdoc/>
    protected override bool Verify(RSA key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature, HashAlgorithmName hash) => key.VerifyData(message, signature, hash, RSASignaturePadding.Pkcs1);
}

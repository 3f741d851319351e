using System.Formats.Asn1;
using System.Security.Cryptography;
using Amazon.KeyManagementService;
using Amazon.KeyManagementService.Model;
using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.KeyStores.Kms;

/// <summary>What KMS calls an algorithm, and in what form it takes what is to be signed.</summary>
/// <param name="Key">The kind of key.</param>
/// <param name="Algorithm">The algorithm.</param>
internal sealed record KmsSpec(KeySpec Key, SigningAlgorithmSpec Algorithm);

/// <summary>The names of KMS.</summary>
internal static class KmsSpecs
{
    private static readonly Dictionary<SigningAlgorithm, KmsSpec> Rows = new()
    {
        [SigningAlgorithms.EcdsaP256] = new(KeySpec.ECC_NIST_P256, SigningAlgorithmSpec.ECDSA_SHA_256),
        [SigningAlgorithms.EcdsaP384] = new(KeySpec.ECC_NIST_P384, SigningAlgorithmSpec.ECDSA_SHA_384),
        [SigningAlgorithms.Rsa2048] = new(KeySpec.RSA_2048, SigningAlgorithmSpec.RSASSA_PKCS1_V1_5_SHA_256),
        [SigningAlgorithms.Rsa3072] = new(KeySpec.RSA_3072, SigningAlgorithmSpec.RSASSA_PKCS1_V1_5_SHA_256),
        [SigningAlgorithms.Rsa4096] = new(KeySpec.RSA_4096, SigningAlgorithmSpec.RSASSA_PKCS1_V1_5_SHA_256),
        [SigningAlgorithms.MlDsa44] = new(KeySpec.ML_DSA_44, SigningAlgorithmSpec.ML_DSA_SHAKE_256),
        [SigningAlgorithms.MlDsa65] = new(KeySpec.ML_DSA_65, SigningAlgorithmSpec.ML_DSA_SHAKE_256),
        [SigningAlgorithms.MlDsa87] = new(KeySpec.ML_DSA_87, SigningAlgorithmSpec.ML_DSA_SHAKE_256),
    };

    /// <summary>The row; null when KMS has none. Its Ed25519 takes no message above 4096 octets, and lists grow beyond.</summary>
    public static KmsSpec? Of(SigningAlgorithm algorithm) => Rows.GetValueOrDefault(algorithm);
}

/// <summary>A key in KMS.</summary>
internal sealed class KmsSigningKey(KmsKeyStore store, string arn, SigningAlgorithm algorithm, byte[] subjectPublicKeyInfo, KmsSpec spec) : ISigningKey
{
    /// <summary>Longest message that KMS takes whole, octets.</summary>
    private const int MaxRawOctets = 4096;

    private volatile bool closed;

    /// <summary>Its ARN.</summary>
    public string Arn => arn;

    /// <inheritdoc/>
    public SigningAlgorithm Algorithm => algorithm;

    /// <inheritdoc/>
    public byte[] SubjectPublicKeyInfo => subjectPublicKeyInfo;

    /// <inheritdoc/>
    public async ValueTask<byte[]> SignAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        var (type, data) = Prepare(message.Span);
        using var stream = new MemoryStream(data);
        return await store.SignAsync(new SignRequest { KeyId = arn, Message = stream, MessageType = type, SigningAlgorithm = spec.Algorithm }, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        closed = true;
        store.Closed(this);
    }

    /// <summary>Only a digest leaves this machine; of ML-DSA, which signs the message itself, its representative where the message is too long.</summary>
    private (MessageType Type, byte[] Data) Prepare(ReadOnlySpan<byte> message)
    {
        if (!MlDsa.Is(algorithm.Key))
        {
            return (MessageType.DIGEST, CryptographicOperations.HashData(algorithm.Hash, message));
        }

        if (message.Length <= MaxRawOctets)
        {
            return (MessageType.RAW, message.ToArray());
        }

        var info = new AsnReader(subjectPublicKeyInfo, AsnEncodingRules.DER).ReadSequence();
        info.ReadEncodedValue();
        return (MessageType.EXTERNAL_MU, MlDsa.Mu(info.ReadBitString(out _), message));
    }
}

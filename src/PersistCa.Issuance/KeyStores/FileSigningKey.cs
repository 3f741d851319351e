using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Threading.Channels;
using PersistCa.Issuance.Signing;
using PersistCa.Issuance.Signing.PrivateKeys;
using PersistCa.Protocol;

namespace PersistCa.Issuance.KeyStores;

/// <summary>A signing key held in this process's memory.</summary>
public sealed class FileSigningKey : ISigningKey
{
    // An instance of ECDsa or RSA must not serve two threads at once, and one instance behind a lock would leave processors idle
    // (an RSA signature takes a millisecond): so one instance for each processor, and whoever finds none waits for one to come back.
    private readonly Channel<PrivateKey> idle = Channel.CreateUnbounded<PrivateKey>();

    private FileSigningKey(SigningAlgorithm algorithm, byte[] subjectPublicKeyInfo)
    {
        Algorithm = algorithm;
        SubjectPublicKeyInfo = subjectPublicKeyInfo;
    }

    /// <inheritdoc/>
    public SigningAlgorithm Algorithm { get; }

    /// <inheritdoc/>
    public byte[] SubjectPublicKeyInfo { get; }

    /// <summary>Makes a new key that is kept nowhere: for tests, demonstrations and keys that live as long as the process.</summary>
    public static FileSigningKey Generate(SigningAlgorithm algorithm) => Own(algorithm.Scheme.Make(algorithm), algorithm);

    /// <summary>Makes a new key that somebody else keeps.</summary>
    /// <param name="algorithm">What it signs with.</param>
    /// <param name="pkcs8">PrivateKeyInfo, DER (RFC 5958), not encrypted: to be sealed and wiped by the caller.</param>
    public static FileSigningKey Generate(SigningAlgorithm algorithm, out byte[] pkcs8)
    {
        var key = algorithm.Scheme.Make(algorithm);
        pkcs8 = key.ExportPkcs8();
        return Own(key, algorithm);
    }

    /// <summary>Takes a private key that was kept elsewhere.</summary>
    /// <param name="pkcs8">PrivateKeyInfo, DER (RFC 5958).</param>
    /// <param name="algorithm">What it signs with.</param>
    /// <exception cref="CryptographicException">The octets are no such key.</exception>
    public static FileSigningKey Import(byte[] pkcs8, SigningAlgorithm algorithm)
    {
        var key = algorithm.Scheme.Read(pkcs8);
        if (key is null || SigningAlgorithms.ForPublicKey(key.SubjectPublicKeyInfo) != algorithm)
        {
            key?.Dispose();
            throw new CryptographicException($"the key does not sign with {algorithm}");
        }

        return Own(key, algorithm);
    }

    /// <summary>Takes a private key that was kept elsewhere, of whatever kind it is.</summary>
    /// <param name="pkcs8">PrivateKeyInfo, DER (RFC 5958).</param>
    /// <returns>The key; or that it is none that signs here.</returns>
    public static Parsed<FileSigningKey> Read(byte[] pkcs8)
    {
        var kinds = string.Join(", ", SigningAlgorithms.All);
        try
        {
            foreach (var scheme in SigningAlgorithms.All.Select(a => a.Scheme).Distinct())
            {
                if (scheme.Read(pkcs8) is { } key)
                {
                    // One that reads a key reads none that nothing signs with.
                    return Parsed<FileSigningKey>.Ok(Own(key, SigningAlgorithms.ForPublicKey(key.SubjectPublicKeyInfo)!));
                }
            }

            return Parsed<FileSigningKey>.Refused($"the key is of no kind that signs here; expected is a key for one of {kinds}");
        }
        catch (UnfitKeyException unfit)
        {
            return Parsed<FileSigningKey>.Refused($"the key has {unfit.Bits} bits and is of no kind that signs here; expected is a key for one of {kinds}");
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException or NotSupportedException)
        {
            return Parsed<FileSigningKey>.Refused("the octets are no private key (RFC 5958)"); // what the exception says is about a secret
        }
    }

    /// <inheritdoc/>
    public async ValueTask<byte[]> SignAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        PrivateKey key;
        try
        {
            key = await idle.Reader.ReadAsync(cancellationToken);
        }
        catch (ChannelClosedException)
        {
            throw new ObjectDisposedException(nameof(FileSigningKey));
        }

        try
        {
            return key.Sign(message.Span);
        }
        finally
        {
            if (!idle.Writer.TryWrite(key))
            {
                key.Dispose(); // closed meanwhile
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        idle.Writer.TryComplete();
        while (idle.Reader.TryRead(out var key))
        {
            key.Dispose();
        }
    }

    /// <summary>Takes a key over; the caller leaves it alone from now on.</summary>
    internal static FileSigningKey Own(PrivateKey key, SigningAlgorithm algorithm)
    {
        var owned = new FileSigningKey(algorithm, key.SubjectPublicKeyInfo);
        owned.idle.Writer.TryWrite(key);
        for (var i = 1; i < Environment.ProcessorCount; i++)
        {
            owned.idle.Writer.TryWrite(key.Copy());
        }

        return owned;
    }
}

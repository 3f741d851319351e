using System.Collections.Immutable;
using System.Security.Cryptography;
using Org.BouncyCastle.Asn1.X509;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing.PrivateKeys;

namespace PersistCa.Issuance.Signing;

/// <summary>One algorithm that an issuer signs with: the kind and size of its key, its hash, how X.509 names it, and what makes and checks it.</summary>
public sealed record SigningAlgorithm
{
    private readonly byte[] algorithmIdentifier;

    internal SigningAlgorithm(string name, KeyKind key, int keyBits, HashAlgorithmName hash, string algorithmIdentifierHex, SignatureScheme scheme)
    {
        Name = name;
        Key = key;
        KeyBits = keyBits;
        Hash = hash;
        algorithmIdentifier = Convert.FromHexString(algorithmIdentifierHex);
        Scheme = scheme;
    }

    /// <summary>The name used in configuration, such as ECDSA-P256-SHA256.</summary>
    public string Name { get; }

    /// <summary>The kind of key.</summary>
    public KeyKind Key { get; }

    /// <summary>Size of the key, bits; of an ML-DSA key that of its public half.</summary>
    public int KeyBits { get; }

    /// <summary>The hash that the message is reduced to first; no name where the algorithm takes the message itself.</summary>
    public HashAlgorithmName Hash { get; }

    /// <summary>The AlgorithmIdentifier, DER, byte for byte as Baseline Requirements section 7.1.3.2, RFC 8410 section 3 or RFC 9881 section 2 has it.</summary>
    public ReadOnlyMemory<byte> AlgorithmIdentifier => algorithmIdentifier;

    /// <summary>Bits of KeyUsage that an authority's certificate with such a key has, as BouncyCastle numbers them.</summary>
    public int AuthorityUsage { get; } = KeyUsage.KeyCertSign | KeyUsage.CrlSign;

    /// <summary>Regimes in which certificates may be signed with it.</summary>
    public ImmutableArray<Regime> Regimes => KeyKinds.Of(Key).Regimes;

    /// <summary>Makes, reads and checks.</summary>
    internal SignatureScheme Scheme { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

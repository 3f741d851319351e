using System.Collections.Immutable;
using Org.BouncyCastle.Asn1.X509;
using PersistCa.Issuance.Linting;

namespace PersistCa.Issuance.Signing;

/// <summary>Kinds of keys that certificates and their issuers have. The set is closed.</summary>
public enum KeyKind
{
    /// <summary>RSA.</summary>
    Rsa = 1,

    /// <summary>EC on P-256.</summary>
    P256 = 2,

    /// <summary>EC on P-384.</summary>
    P384 = 3,

    /// <summary>EC on P-521; for subscribers only.</summary>
    P521 = 4,

    /// <summary>Ed25519 (RFC 8410).</summary>
    Ed25519 = 5,

    /// <summary>ML-DSA-44 (FIPS 204, RFC 9881).</summary>
    MlDsa44 = 6,

    /// <summary>ML-DSA-65.</summary>
    MlDsa65 = 7,

    /// <summary>ML-DSA-87.</summary>
    MlDsa87 = 8,
}

/// <summary>What is to be known of a kind of key.</summary>
public sealed record KeyKindFacts
{
    private readonly byte[] algorithmIdentifier;

    internal KeyKindFacts(KeyKind kind, string name, string oid, string algorithmIdentifierHex, int leafUsage, params Regime[] regimes)
    {
        Kind = kind;
        Name = name;
        Oid = oid;
        algorithmIdentifier = Convert.FromHexString(algorithmIdentifierHex);
        LeafUsage = leafUsage;
        Regimes = [.. regimes];
    }

    /// <summary>The kind.</summary>
    public KeyKind Kind { get; }

    /// <summary>Its name in messages.</summary>
    public string Name { get; }

    /// <summary>OID of the key's algorithm.</summary>
    public string Oid { get; }

    /// <summary>AlgorithmIdentifier in a SubjectPublicKeyInfo, DER, byte for byte the one spelling that is allowed.</summary>
    public ReadOnlyMemory<byte> AlgorithmIdentifier => algorithmIdentifier;

    /// <summary>Bits of KeyUsage that a subscriber's certificate has, as BouncyCastle numbers them (RFC 5280 section 4.2.1.3).</summary>
    public int LeafUsage { get; }

    /// <summary>Regimes in which such keys may be certified.</summary>
    public ImmutableArray<Regime> Regimes { get; }
}

/// <summary>Uses of a key that subscribers' certificates may say (RFC 5280 section 4.2.1.3), one row each.</summary>
public static class KeyUsages
{
    /// <summary>The names that RFC 5280 gives them, with their bits.</summary>
    public static ImmutableArray<(string Name, int Bit)> All { get; } = [("digitalSignature", KeyUsage.DigitalSignature), ("keyEncipherment", KeyUsage.KeyEncipherment)];

    /// <summary>Bits as names; "none" for no bit.</summary>
    public static string Names(int bits) =>
        string.Join(", ", All.Where(u => (bits & u.Bit) != 0).Select(u => u.Name).Concat((bits & ~All.Sum(u => u.Bit)) is var rest and not 0 ? [$"0x{rest:x}"] : [])) is { Length: > 0 } names ? names : "none";
}

/// <summary>Every kind of key, one row each.</summary>
public static class KeyKinds
{
    // RSA signs and transports keys; every other kind here can sign alone (RFC 8410 section 5, RFC 9881 section 5).
    private const int Signs = KeyUsage.DigitalSignature;
    private const string Ec = "1.2.840.10045.2.1";

    /// <summary>All rows.</summary>
    public static IReadOnlyList<KeyKindFacts> All { get; } =
    [
        new(KeyKind.Rsa, "RSA", "1.2.840.113549.1.1.1", "300d06092a864886f70d0101010500", Signs | KeyUsage.KeyEncipherment, Regime.Private, Regime.CabfBr),
        new(KeyKind.P256, "P-256", Ec, "301306072a8648ce3d020106082a8648ce3d030107", Signs, Regime.Private, Regime.CabfBr),
        new(KeyKind.P384, "P-384", Ec, "301006072a8648ce3d020106052b81040022", Signs, Regime.Private, Regime.CabfBr),
        new(KeyKind.P521, "P-521", Ec, "301006072a8648ce3d020106052b81040023", Signs, Regime.Private, Regime.CabfBr),
        new(KeyKind.Ed25519, "Ed25519", "1.3.101.112", "300506032b6570", Signs, Regime.Private),
        new(KeyKind.MlDsa44, "ML-DSA-44", "2.16.840.1.101.3.4.3.17", "300b0609608648016503040311", Signs, Regime.Private),
        new(KeyKind.MlDsa65, "ML-DSA-65", "2.16.840.1.101.3.4.3.18", "300b0609608648016503040312", Signs, Regime.Private),
        new(KeyKind.MlDsa87, "ML-DSA-87", "2.16.840.1.101.3.4.3.19", "300b0609608648016503040313", Signs, Regime.Private),
    ];

    /// <summary>The row of a kind.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such kind.</exception>
    public static KeyKindFacts Of(KeyKind kind) => All.FirstOrDefault(f => f.Kind == kind) ?? throw new ArgumentOutOfRangeException(nameof(kind), kind, "no kind of key");
}

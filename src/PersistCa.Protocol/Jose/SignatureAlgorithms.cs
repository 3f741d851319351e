using System.Security.Cryptography;
using PersistCa.Protocol.Acme;

namespace PersistCa.Protocol.Jose;

/// <summary>The signature algorithms that are accepted, one row each. The list is closed: "none" and every MAC are refused by not being in it.</summary>
public static class SignatureAlgorithms
{
    private static readonly Row[] Rows =
    [
        new("ES256", JwkKind.P256, HashAlgorithmName.SHA256, 64),
        new("ES384", JwkKind.P384, HashAlgorithmName.SHA384, 96),
        new("ES512", JwkKind.P521, HashAlgorithmName.SHA512, 132),
        new("RS256", JwkKind.Rsa, HashAlgorithmName.SHA256, null),
        new("EdDSA", JwkKind.Ed25519, default, 64),
    ];

    /// <summary>The names, as badSignatureAlgorithm lists them (RFC 8555 section 6.2).</summary>
    public static IReadOnlyList<string> Advertised { get; } = [.. Rows.Select(r => r.Name)];

    /// <summary>The refusal of an algorithm that is not in the list; null when it is.</summary>
    public static AcmeProblem? Refuse(string alg) => Find(alg) is null
        ? Refusal($"The signature algorithm '{Excerpt.Of(alg)}' is not accepted; accepted are {string.Join(", ", Advertised)}.")
        : null;

    internal static Row? Find(string alg) => Rows.FirstOrDefault(r => r.Name == alg);

    internal static AcmeProblem Refusal(string detail) => new(ProblemCatalog.BadSignatureAlgorithm, detail) { Algorithms = [.. Advertised] };

    /// <summary>One algorithm.</summary>
    /// <param name="Name">alg.</param>
    /// <param name="Key">The kind of key it needs (RFC 7518 section 3.4: each ES algorithm has its own curve).</param>
    /// <param name="Hash">Its hash.</param>
    /// <param name="SignatureOctets">Length of a signature; null where the key decides.</param>
    internal sealed record Row(string Name, JwkKind Key, HashAlgorithmName Hash, int? SignatureOctets);
}

using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using PersistCa.Protocol.Jose;

namespace PersistCa.Protocol.Records;

/// <summary>The hashed account URI of draft-02 (dns-persist-01 rules section 4).</summary>
public static class HashedAccountUri
{
    /// <summary>The hash algorithm of the URIs we write, and the only one that must be accepted.</summary>
    public const string Algorithm = "sha-256";

    private static readonly FrozenDictionary<string, (int Octets, Func<byte[], byte[]> Hash)> Hashes = new Dictionary<string, (int, Func<byte[], byte[]>)>
    {
        [Algorithm] = (SHA256.HashSizeInBytes, SHA256.HashData),
        ["sha-384"] = (SHA384.HashSizeInBytes, SHA384.HashData),
        ["sha-512"] = (SHA512.HashSizeInBytes, SHA512.HashData),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Algorithms that can be accepted: those of RFC 6920 section 9.4's registry with 256 bits or more that every platform has.</summary>
    public static IReadOnlyList<string> Algorithms { get; } = [.. Hashes.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The domain form that is bound to no domain.</summary>
    public const string AnyDomain = "*";

    /// <summary>The digest: H(len(domain) || domain || thumbprint || account URL), len being one octet.</summary>
    /// <param name="domain">Name at which the record stands, without the label, lower case A-labels; or "*".</param>
    /// <param name="thumbprint">43 characters of the JWK thumbprint.</param>
    /// <param name="accountUrl">Account URL as in the Location header.</param>
    /// <param name="algorithm">One of <see cref="Algorithms"/>.</param>
    /// <returns>32 octets, for the longer algorithms 48 or 64.</returns>
    public static byte[] Digest(string domain, string thumbprint, string accountUrl, string algorithm = Algorithm)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(domain.Length, byte.MaxValue);
        var length = 1 + domain.Length + thumbprint.Length + Encoding.UTF8.GetByteCount(accountUrl);
        var input = new byte[length];
        input[0] = (byte)domain.Length;
        var at = 1 + Encoding.ASCII.GetBytes(domain, input.AsSpan(1));
        at += Encoding.ASCII.GetBytes(thumbprint, input.AsSpan(at));
        Encoding.UTF8.GetBytes(accountUrl, input.AsSpan(at));
        return Hashes[algorithm].Hash(input);
    }

    /// <summary>The URI to publish.</summary>
    public static string Compute(string accountHashPrefix, string domain, string thumbprint, string accountUrl) =>
        accountHashPrefix + Algorithm + "/" + Base64UrlText.Encode(Digest(domain, thumbprint, accountUrl));

    /// <summary>Reads what stands behind the prefix: algorithm, "/", digest.</summary>
    internal static Parsed<(string Algorithm, byte[] Digest)> ReadDigest(string afterPrefix, IReadOnlySet<string> accepted)
    {
        var slash = afterPrefix.IndexOf('/', StringComparison.Ordinal);
        var algorithm = slash < 0 ? "" : afterPrefix[..slash];
        if (!accepted.Contains(algorithm))
        {
            return Refused($"behind the accountHashPrefix {string.Join(" or ", accepted.Order(StringComparer.Ordinal).Select(a => $"'{a}/'"))} and a digest are expected");
        }

        var decoded = Base64UrlText.Decode(afterPrefix[(slash + 1)..]);
        if (!decoded.IsValid)
        {
            return Refused("the digest is not base64url: " + decoded.Reason);
        }

        var expected = Hashes[algorithm].Octets;
        return decoded.Value.Length == expected
            ? Parsed<(string, byte[])>.Ok((algorithm, decoded.Value))
            : Refused($"the digest has {decoded.Value.Length} octets where {expected} are expected");
    }

    private static Parsed<(string Algorithm, byte[] Digest)> Refused(string reason) => Parsed<(string, byte[])>.Refused(reason);
}

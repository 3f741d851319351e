using System.Security.Cryptography;
using System.Text;
using PersistCa.Protocol.Jose;

namespace PersistCa.Protocol.Records;

/// <summary>The hashed account URI of draft-02 (dns-persist-01 rules section 4).</summary>
public static class HashedAccountUri
{
    /// <summary>The hash algorithm in the URI; the only one that must be accepted.</summary>
    public const string Algorithm = "sha-256";

    /// <summary>The domain form that is bound to no domain.</summary>
    public const string AnyDomain = "*";

    /// <summary>The digest: H(len(domain) || domain || thumbprint || account URL), len being one octet.</summary>
    /// <param name="domain">Name at which the record stands, without the label, lower case A-labels; or "*".</param>
    /// <param name="thumbprint">43 characters of the JWK thumbprint.</param>
    /// <param name="accountUrl">Account URL as in the Location header.</param>
    /// <returns>32 octets.</returns>
    public static byte[] Digest(string domain, string thumbprint, string accountUrl)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(domain.Length, byte.MaxValue);
        var length = 1 + domain.Length + thumbprint.Length + Encoding.UTF8.GetByteCount(accountUrl);
        var input = new byte[length];
        input[0] = (byte)domain.Length;
        var at = 1 + Encoding.ASCII.GetBytes(domain, input.AsSpan(1));
        at += Encoding.ASCII.GetBytes(thumbprint, input.AsSpan(at));
        Encoding.UTF8.GetBytes(accountUrl, input.AsSpan(at));
        return SHA256.HashData(input);
    }

    /// <summary>The URI to publish.</summary>
    public static string Compute(string accountHashPrefix, string domain, string thumbprint, string accountUrl) =>
        accountHashPrefix + Algorithm + "/" + Base64UrlText.Encode(Digest(domain, thumbprint, accountUrl));

    /// <summary>Reads what stands behind the prefix: algorithm, "/", digest.</summary>
    internal static Parsed<byte[]> ReadDigest(string afterPrefix)
    {
        var slash = afterPrefix.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || afterPrefix[..slash] != Algorithm)
        {
            return Parsed<byte[]>.Refused($"behind the accountHashPrefix '{Algorithm}/' and a digest are expected");
        }

        var decoded = Base64UrlText.Decode(afterPrefix[(slash + 1)..]);
        if (!decoded.IsValid)
        {
            return Parsed<byte[]>.Refused("the digest is not base64url: " + decoded.Reason);
        }

        return decoded.Value.Length == SHA256.HashSizeInBytes
            ? decoded
            : Parsed<byte[]>.Refused($"the digest has {decoded.Value.Length} octets where {SHA256.HashSizeInBytes} are expected");
    }
}

using System.Security.Cryptography;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Jose;

namespace PersistCa.Protocol.ExternalAccounts;

/// <summary>
/// The object externalAccountBinding of a newAccount request (RFC 8555 section 7.3.4): a JWS by a MAC key over the account's key. What <see cref="Read"/>
/// gives out fits the request that it came with; whether it is by who has the key, <see cref="Verify"/> says.
/// </summary>
public sealed class ExternalAccountBinding
{
    /// <summary>Largest binding that is looked at, octets: an RSA key of 8192 bits needs a quarter of it.</summary>
    public const int MaxBytes = 8 * 1024;

    /// <summary>Longest kid.</summary>
    public const int MaxKeyIdLength = 64;

    private static readonly JwsLimits Limits = new() { MaxBytes = MaxBytes, MaxHeaderCharacters = 4 * 1024 };

    private readonly FlattenedJws jws;
    private readonly MacAlgorithms.Row algorithm;

    private ExternalAccountBinding(FlattenedJws jws, MacAlgorithms.Row algorithm) => (this.jws, this.algorithm) = (jws, algorithm);

    /// <summary>The key identifier that it names.</summary>
    public string KeyId => jws.Header.Kid!;

    /// <summary>The binding as it is kept and shown.</summary>
    public BindingResource Resource
    {
        get
        {
            var pieces = System.Text.Encoding.ASCII.GetString(jws.SigningInput.Span).Split('.');
            return new BindingResource(pieces[0], pieces[1], Base64UrlText.Encode(jws.Signature.Span));
        }
    }

    /// <summary>Reads a binding and holds it against its request.</summary>
    /// <param name="utf8">The object as it came.</param>
    /// <param name="url">The url of the outer JWS.</param>
    /// <param name="accountKey">The key that signed the outer JWS.</param>
    /// <returns>The binding; malformed, badSignatureAlgorithm or unauthorized with the first thing that is wrong.</returns>
    public static Outcome<ExternalAccountBinding> Read(ReadOnlyMemory<byte> utf8, string url, Jwk accountKey)
    {
        var parsed = FlattenedJws.Parse(utf8, Limits);
        if (!parsed.TryGet(out var jws, out var problem))
        {
            return problem with { Detail = "externalAccountBinding: " + problem.Detail };
        }

        if (jws.Header.Kid is not { } kid)
        {
            return Malformed("has a jwk in its header where the kid is expected that the authority gave out with the key");
        }

        if (kid.Length is 0 or > MaxKeyIdLength)
        {
            return Malformed($"has a kid of {kid.Length} characters; 1 to {MaxKeyIdLength} are expected");
        }

        if (MacAlgorithms.Find(jws.Header.Alg) is not { } algorithm)
        {
            return new AcmeProblem(
                ProblemCatalog.BadSignatureAlgorithm,
                $"externalAccountBinding has the alg '{Excerpt.Of(jws.Header.Alg)}', which is no MAC algorithm that is accepted; accepted are {string.Join(", ", MacAlgorithms.Names)}.")
            { Algorithms = [.. MacAlgorithms.Names] };
        }

        if (jws.Header.Nonce is not null)
        {
            return Malformed("has a nonce, which RFC 8555 section 7.3.4 forbids");
        }

        if (jws.Header.Url != url)
        {
            return new AcmeProblem(
                ProblemCatalog.Unauthorized,
                jws.Header.Url is null
                    ? $"externalAccountBinding has no url; the one of the request is expected, '{Excerpt.Of(url, 200)}'."
                    : $"externalAccountBinding has the url '{Excerpt.Of(jws.Header.Url, 200)}'; the one of the request is expected, '{Excerpt.Of(url, 200)}'.");
        }

        return Subject(jws, accountKey) is { } other ? other : new ExternalAccountBinding(jws, algorithm);
    }

    /// <summary>Checks the MAC, in the same time whatever it is.</summary>
    /// <param name="secret">The MAC key of <see cref="KeyId"/>.</param>
    /// <returns>Null when it holds; unauthorized when not.</returns>
    public AcmeProblem? Verify(ReadOnlySpan<byte> secret)
    {
        if (secret.Length < algorithm.Octets)
        {
            return new AcmeProblem(ProblemCatalog.BadSignatureAlgorithm, $"externalAccountBinding has the alg {algorithm.Name}, for which the key of {secret.Length} octets is too short (RFC 7518 section 3.2).")
            {
                Algorithms = [.. MacAlgorithms.Names],
            };
        }

        Span<byte> expected = stackalloc byte[algorithm.Octets];
        algorithm.Compute(secret, jws.SigningInput.Span, expected);
        return CryptographicOperations.FixedTimeEquals(expected, jws.Signature.Span)
            ? null
            : new AcmeProblem(ProblemCatalog.Unauthorized, $"The MAC of externalAccountBinding does not hold for the key '{Excerpt.Of(KeyId)}'; it is to be made with the key that the authority gave out, decoded from base64url.");
    }

    /// <summary>The payload is the account's key (RFC 8555 section 7.3.4), whatever the order of its members.</summary>
    private static AcmeProblem? Subject(FlattenedJws jws, Jwk accountKey)
    {
        var read = StrictJson.Read(jws.Payload, Limits.MaxDepth);
        if (!read.IsValid)
        {
            return Malformed($"has a payload that cannot be read: {read.Reason}; the account's key is expected, as JWK");
        }

        var parsed = Jwk.Parse(read.Value);
        if (!parsed.TryGet(out var bound, out var problem))
        {
            return problem with { Detail = "externalAccountBinding has a payload that is no key: " + problem.Detail };
        }

        return bound.Thumbprint == accountKey.Thumbprint
            ? null
            : new AcmeProblem(ProblemCatalog.Unauthorized, "externalAccountBinding has another key in its payload than the one that signed the request.");
    }

    private static AcmeProblem Malformed(string what) => new(ProblemCatalog.Malformed, $"externalAccountBinding {what}.");
}

/// <summary>The MAC algorithms that bindings may have (RFC 7518 section 3.2), one row each. The list is closed.</summary>
public static class MacAlgorithms
{
    private static readonly Row[] Rows = [new("HS256", 32, HMACSHA256.HashData), new("HS384", 48, HMACSHA384.HashData), new("HS512", 64, HMACSHA512.HashData)];

    /// <summary>Computes a MAC into octets of the algorithm's length.</summary>
    internal delegate int Mac(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, Span<byte> result);

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Rows.Select(r => r.Name)];

    internal static Row? Find(string alg) => Rows.FirstOrDefault(r => r.Name == alg);

    /// <summary>One algorithm.</summary>
    /// <param name="Name">alg.</param>
    /// <param name="Octets">Length of the MAC, and the least of the key.</param>
    /// <param name="Compute">Computes it.</param>
    internal sealed record Row(string Name, int Octets, Mac Compute);
}

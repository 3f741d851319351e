using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using PersistCa.Protocol.Acme;

namespace PersistCa.Protocol.Jose;

/// <summary>Kinds of account keys. The set is closed.</summary>
public enum JwkKind
{
    /// <summary>RSA, 2048 to 8192 bits.</summary>
    Rsa = 1,

    /// <summary>EC on P-256.</summary>
    P256 = 2,

    /// <summary>EC on P-384.</summary>
    P384 = 3,

    /// <summary>EC on P-521.</summary>
    P521 = 4,

    /// <summary>Ed25519 (RFC 8037).</summary>
    Ed25519 = 5,
}

/// <summary>A public key in JSON (RFC 7517, RFC 7518 section 6, RFC 8037 section 2), judged: of an accepted kind, strong enough, in its one spelling.</summary>
public sealed class Jwk
{
    /// <summary>Shortest RSA modulus of an account key, bits.</summary>
    public const int MinRsaBits = 2048;

    /// <summary>Longest RSA modulus of an account key, bits: beyond it one request could cost a second.</summary>
    public const int MaxRsaBits = 8192;

    /// <summary>RFC 8410 section 4: what stands in front of an Ed25519 key in X.509.</summary>
    private static ReadOnlySpan<byte> Ed25519Info => [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

    private readonly byte[] first;
    private readonly byte[] second;

    private Jwk(JwkKind kind, byte[] first, byte[] second)
    {
        Kind = kind;
        this.first = first;
        this.second = second;
        Canonical = kind switch
        {
            JwkKind.Rsa => $$"""{"e":"{{Base64UrlText.Encode(second)}}","kty":"RSA","n":"{{Base64UrlText.Encode(first)}}"}""",
            JwkKind.Ed25519 => $$"""{"crv":"Ed25519","kty":"OKP","x":"{{Base64UrlText.Encode(first)}}"}""",
            _ => $$"""{"crv":"{{CurveName(kind)}}","kty":"EC","x":"{{Base64UrlText.Encode(first)}}","y":"{{Base64UrlText.Encode(second)}}"}""",
        };
        Thumbprint = Base64UrlText.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(Canonical)));
    }

    /// <summary>The kind.</summary>
    public JwkKind Kind { get; }

    /// <summary>The key as RFC 7638 section 3 writes it for hashing.</summary>
    public string Canonical { get; }

    /// <summary>RFC 7638 thumbprint, SHA-256, unpadded base64url.</summary>
    public string Thumbprint { get; }

    /// <summary>The Ed25519 public key octets.</summary>
    /// <exception cref="InvalidOperationException">The key is of another kind.</exception>
    public ReadOnlySpan<byte> Ed25519Octets => Kind == JwkKind.Ed25519 ? first : throw new InvalidOperationException("not an Ed25519 key");

    /// <summary>Reads and judges a key.</summary>
    /// <returns>The key; malformed when members are missing or spelt wrong, badPublicKey when the key is not one we accept.</returns>
    public static Outcome<Jwk> Parse(JsonElement json) => Read(json, isKnown: false);

    private static Outcome<Jwk> Read(JsonElement json, bool isKnown)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            return Malformed("The key is no JSON object.");
        }

        foreach (var secret in new[] { "d", "p", "q", "dp", "dq", "qi", "oth", "k" })
        {
            if (json.TryGetProperty(secret, out _))
            {
                return Malformed($"The key has the member '{secret}', which belongs to a private key: consider that key public now.");
            }
        }

        var kty = Member(json, "kty");
        return kty switch
        {
            "RSA" => ReadRsa(json),
            "EC" => ReadEc(json, isKnown),
            "OKP" => ReadOkp(json),
            null => Malformed("The key has no kty."),
            _ => Bad($"The key type '{Excerpt.Of(kty)}' is not accepted; accepted are RSA, EC and OKP."),
        };
    }

    /// <summary>Reads back what <see cref="Canonical"/> wrote.</summary>
    /// <exception cref="JsonException">The text is not a key.</exception>
    public static Jwk FromCanonical(string canonical)
    {
        using var document = JsonDocument.Parse(canonical);
        var parsed = Read(document.RootElement, isKnown: true);
        return parsed.TryGet(out var key, out var problem) ? key : throw new JsonException("a stored key cannot be read: " + problem.Detail);
    }

    /// <summary>The key as X.509 has it, DER: for comparing with the key of a certificate.</summary>
    public byte[] SubjectPublicKeyInfo()
    {
        switch (Kind)
        {
            case JwkKind.Rsa:
                using (var rsa = ImportRsa())
                {
                    return rsa.ExportSubjectPublicKeyInfo();
                }

            case JwkKind.Ed25519:
                return [.. Ed25519Info, .. first];
            default:
                using (var ecdsa = ImportEc())
                {
                    return ecdsa.ExportSubjectPublicKeyInfo();
                }
        }
    }

    /// <summary>The key of a certificate or request as a JWK, for looking it up among account keys.</summary>
    /// <param name="info">SubjectPublicKeyInfo, DER.</param>
    /// <returns>The key; null when it is of a kind that no account can have.</returns>
    public static Jwk? FromSubjectPublicKeyInfo(ReadOnlySpan<byte> info)
    {
        if (info.Length == Ed25519Info.Length + 32 && info.StartsWith(Ed25519Info))
        {
            return new Jwk(JwkKind.Ed25519, info[Ed25519Info.Length..].ToArray(), []);
        }

        try
        {
            var key = PublicKey.CreateFromSubjectPublicKeyInfo(info, out _);
            using var rsa = key.GetRSAPublicKey();
            if (rsa is not null)
            {
                var numbers = rsa.ExportParameters(false);
                return new Jwk(JwkKind.Rsa, numbers.Modulus!, numbers.Exponent!);
            }

            using var ec = key.GetECDsaPublicKey();
            var point = ec?.ExportParameters(false).Q;
            return ec?.KeySize switch
            {
                256 => new Jwk(JwkKind.P256, point!.Value.X!, point.Value.Y!),
                384 => new Jwk(JwkKind.P384, point!.Value.X!, point.Value.Y!),
                521 => new Jwk(JwkKind.P521, point!.Value.X!, point.Value.Y!),
                _ => null,
            };
        }
        catch (CryptographicException)
        {
            return null; // the platform knows no such key, so no account has it
        }
    }

    internal RSA ImportRsa() => RSA.Create(new RSAParameters { Modulus = first, Exponent = second });

    internal ECDsa ImportEc() => ECDsa.Create(new ECParameters { Curve = Curve(Kind), Q = new ECPoint { X = first, Y = second } });

    private static Outcome<Jwk> ReadRsa(JsonElement json)
    {
        if (!Octets(json, "n", out var n, out var problem) || !Octets(json, "e", out var e, out problem))
        {
            return problem!;
        }

        if (n.Length == 0 || e.Length == 0 || n[0] == 0 || e[0] == 0)
        {
            return Malformed("The RSA members n and e are to be written without leading zero octets (RFC 7518 section 6.3.1).");
        }

        var bits = (int)new BigInteger(n, isUnsigned: true, isBigEndian: true).GetBitLength();
        if (bits is < MinRsaBits or > MaxRsaBits)
        {
            return Bad($"The RSA key has {bits} bits; {MinRsaBits} to {MaxRsaBits} are accepted.");
        }

        if ((n[^1] & 1) == 0)
        {
            return Bad("The RSA modulus is even, so it is no product of two odd primes.");
        }

        var exponent = new BigInteger(e, isUnsigned: true, isBigEndian: true);
        return exponent.IsEven || exponent < 3 || exponent > uint.MaxValue
            ? Bad("The RSA public exponent is not accepted; expected is an odd number from 3 to 4294967295, normally 65537.")
            : new Jwk(JwkKind.Rsa, n, e);
    }

    private static Outcome<Jwk> ReadEc(JsonElement json, bool isKnown)
    {
        var crv = Member(json, "crv");
        if (crv is null)
        {
            return Malformed("The EC key has no crv.");
        }

        JwkKind kind;
        switch (crv)
        {
            case "P-256":
                kind = JwkKind.P256;
                break;
            case "P-384":
                kind = JwkKind.P384;
                break;
            case "P-521":
                kind = JwkKind.P521;
                break;
            default:
                return Bad($"The curve '{Excerpt.Of(crv)}' is not accepted; accepted are P-256, P-384 and P-521.");
        }

        if (!Octets(json, "x", out var x, out var problem) || !Octets(json, "y", out var y, out problem))
        {
            return problem!;
        }

        var length = kind switch { JwkKind.P256 => 32, JwkKind.P384 => 48, _ => 66 };
        if (x.Length != length || y.Length != length)
        {
            return Malformed($"The coordinates have {x.Length} and {y.Length} octets; on {crv} each has {length} (RFC 7518 section 6.2.1).");
        }

        var key = new Jwk(kind, x, y);
        if (isKnown)
        {
            return key; // its point was checked when it came in, which costs three times a verification
        }

        try
        {
            key.ImportEc().Dispose();
            return key;
        }
        catch (CryptographicException)
        {
            return Bad($"The point is not on the curve {crv}.");
        }
    }

    private static Outcome<Jwk> ReadOkp(JsonElement json)
    {
        var crv = Member(json, "crv");
        if (crv is null)
        {
            return Malformed("The OKP key has no crv.");
        }

        if (crv != "Ed25519")
        {
            return Bad($"The curve '{Excerpt.Of(crv)}' is not accepted; the only OKP curve accepted is Ed25519.");
        }

        if (!Octets(json, "x", out var x, out var problem))
        {
            return problem!;
        }

        return x.Length == 32 ? new Jwk(JwkKind.Ed25519, x, []) : Malformed($"The Ed25519 key has {x.Length} octets; 32 are expected.");
    }

    private static bool Octets(JsonElement json, string name, out byte[] octets, out AcmeProblem? problem)
    {
        octets = [];
        problem = null;
        if (Member(json, name) is not { } text)
        {
            problem = Malformed($"The key has no '{name}', or it is no string.");
            return false;
        }

        var decoded = Base64UrlText.Decode(text);
        if (!decoded.IsValid)
        {
            problem = Malformed($"The key member '{name}' is not base64url: {decoded.Reason}.");
            return false;
        }

        octets = decoded.Value;
        return true;
    }

    private static string? Member(JsonElement json, string name) =>
        json.TryGetProperty(name, out var element) && element.ValueKind == JsonValueKind.String ? element.GetString() : null;

    private static ECCurve Curve(JwkKind kind) => kind switch
    {
        JwkKind.P256 => ECCurve.NamedCurves.nistP256,
        JwkKind.P384 => ECCurve.NamedCurves.nistP384,
        JwkKind.P521 => ECCurve.NamedCurves.nistP521,
        _ => throw new InvalidOperationException("not an EC key"),
    };

    private static string CurveName(JwkKind kind) => kind switch { JwkKind.P256 => "P-256", JwkKind.P384 => "P-384", _ => "P-521" };

    private static AcmeProblem Malformed(string detail) => new(ProblemCatalog.Malformed, detail);

    private static AcmeProblem Bad(string detail) => new(ProblemCatalog.BadPublicKey, detail);
}

using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Jose;

namespace PersistCa.Protocol.Tests.Jose;

/// <summary>Signatures by keys of every kind, and what departs from them in one thing.</summary>
public sealed class JwsVerifierTests : IDisposable
{
    private static readonly Dictionary<string, JwkKind> Kinds = new()
    {
        ["ES256"] = JwkKind.P256,
        ["ES384"] = JwkKind.P384,
        ["ES512"] = JwkKind.P521,
        ["RS256"] = JwkKind.Rsa,
        ["EdDSA"] = JwkKind.Ed25519,
    };

    /// <summary>Made once: an RSA key takes a good part of a second.</summary>
    private static readonly Signer[] Signers = [.. Kinds.Keys.Select(Signer.For)];

    private readonly JwsVerifier verifier = new((_, _, signature) => signature[0] == 0xed);

    public static TheoryData<string> Algorithms => [.. Kinds.Keys];

    public static IEnumerable<object[]> Mismatches =>
        from key in Kinds.Keys
        from alg in Kinds.Keys.Concat(["none", "", "NONE", "HS256", "HS512", "es256", "RS384", "RS512", "PS256", "ES256K", "Ed25519"])
        where key != alg
        select new object[] { key, alg };

    public void Dispose() => verifier.Dispose();

    private static Signer By(string alg) => Signers.Single(s => s.Alg == alg);

    private static FlattenedJws Jws(string header, string payload, byte[] signature) => FlattenedJws.Parse(
        Encoding.UTF8.GetBytes($$"""{"protected":"{{header}}","payload":"{{payload}}","signature":"{{Base64UrlText.Encode(signature)}}"}"""), new JwsLimits()).Value;

    private static (string Header, byte[] Signature) Sign(Signer signer, string? alg = null)
    {
        var header = Base64UrlText.Encode(Encoding.UTF8.GetBytes($$"""{"alg":"{{alg ?? signer.Alg}}","kid":"x"}"""));
        return (header, signer.Sign(Encoding.ASCII.GetBytes(header + ".e30")));
    }

    private static void DoesNotHold(AcmeProblem? problem, string reason)
    {
        Assert.Equal(ProblemCatalog.Malformed, problem?.Type);
        Assert.StartsWith("JWS verification error", problem!.Detail, StringComparison.Ordinal);
        Assert.Contains(reason, problem.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void A_signature_of_each_algorithm_holds_again_and_again(string alg)
    {
        var (header, signature) = Sign(By(alg));
        for (var i = 0; i < 3; i++)
        {
            Assert.Null(verifier.Verify(Jws(header, "e30", signature), By(alg).Key));
        }
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Another_payload_header_or_signature_does_not_hold(string alg)
    {
        if (alg == "EdDSA")
        {
            return; // the check is not here
        }

        var (header, signature) = Sign(By(alg));
        var key = By(alg).Key;
        DoesNotHold(verifier.Verify(Jws(header, "", signature), key), "does not hold");
        var other = Base64UrlText.Encode(Encoding.UTF8.GetBytes($$"""{"alg":"{{alg}}","kid":"y"}"""));
        DoesNotHold(verifier.Verify(Jws(other, "e30", signature), key), "does not hold");
        signature[^1] ^= 1;
        DoesNotHold(verifier.Verify(Jws(header, "e30", signature), key), "does not hold");
        signature[^1] ^= 1;
        Assert.Null(verifier.Verify(Jws(header, "e30", signature), key));
    }

    [Theory]
    [MemberData(nameof(Mismatches))]
    public void An_algorithm_goes_with_its_own_kind_of_key_only(string key, string alg)
    {
        var (header, signature) = Sign(By(key), alg);
        var problem = verifier.Verify(Jws(header, "e30", signature), By(key).Key)!;
        Assert.Equal(ProblemCatalog.BadSignatureAlgorithm, problem.Type);
        Assert.Equal<string>(Kinds.Keys, problem.Algorithms);
        Assert.Contains(Kinds.ContainsKey(alg) ? "does not go with a key of the kind" : $"'{alg}' is not accepted; accepted are ES256", problem.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ES256", 64)]
    [InlineData("ES384", 96)]
    [InlineData("ES512", 132)]
    [InlineData("EdDSA", 64)]
    public void A_signature_has_the_length_of_its_algorithm(string alg, int length)
    {
        var (header, signature) = Sign(By(alg));
        Assert.Equal(length, signature.Length);
        foreach (var wrong in new byte[][] { [], signature[..^1], [.. signature, 0], [0, .. signature] })
        {
            DoesNotHold(verifier.Verify(Jws(header, "e30", wrong), By(alg).Key), $"has {wrong.Length} octets; {alg} signatures have {length}");
        }
    }

    [Fact]
    public void A_signature_of_rsa_has_the_length_of_its_key()
    {
        var (header, signature) = Sign(By("RS256"));
        foreach (var wrong in new byte[][] { [], signature[..^1], [.. signature, 0], [0, .. signature], new byte[256], [.. Enumerable.Repeat((byte)0xff, 256)] })
        {
            DoesNotHold(verifier.Verify(Jws(header, "e30", wrong), By("RS256").Key), "does not hold");
        }
    }

    [Theory]
    [InlineData("ES256")]
    [InlineData("ES384")]
    [InlineData("ES512")]
    public void A_signature_with_a_half_of_zeros_does_not_hold(string alg)
    {
        var (header, signature) = Sign(By(alg));
        DoesNotHold(verifier.Verify(Jws(header, "e30", new byte[signature.Length]), By(alg).Key), "does not hold");
        var half = signature.Length / 2;
        byte[] zeroR = [.. new byte[half], .. signature[half..]];
        DoesNotHold(verifier.Verify(Jws(header, "e30", zeroR), By(alg).Key), "does not hold");
    }

    [Fact]
    public void Eight_threads_and_more_keys_than_are_kept_each_get_the_truth()
    {
        using var small = new JwsVerifier((_, _, _) => false, capacity: 3);
        var several = Enumerable.Range(0, 10).Select(i => Signer.For(i % 3 == 0 ? "ES384" : "ES256")).ToList();
        several.Add(Signer.For("RS256"));
        var signed = several.Select(s => Sign(s)).ToList();
        Parallel.For(0, 4000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            var mine = i % several.Count;
            var jws = Jws(signed[mine].Header, i % 7 == 0 ? "" : "e30", signed[mine].Signature);
            Assert.Equal(i % 7 == 0, small.Verify(jws, several[mine].Key) is not null);
        });
        several.ForEach(s => s.Dispose());
    }

    [Fact]
    public void No_key_need_be_kept()
    {
        using var none = new JwsVerifier((_, _, _) => false, capacity: 0);
        var (header, signature) = Sign(By("ES256"));
        Assert.Null(none.Verify(Jws(header, "e30", signature), By("ES256").Key));
        Assert.Null(none.Verify(Jws(header, "e30", signature), By("ES256").Key));
    }

    private sealed class Signer(string alg, IDisposable? owned, string jwk, Func<byte[], byte[]> sign) : IDisposable
    {
        public string Alg => alg;

        public Jwk Key { get; } = Read(jwk);

        public byte[] Sign(byte[] message) => sign(message);

        public void Dispose() => owned?.Dispose();

        public static Signer For(string alg)
        {
            switch (alg)
            {
                case "RS256":
                    var rsa = RSA.Create(2048);
                    var p = rsa.ExportParameters(false);
                    return new(alg, rsa, $$"""{"kty":"RSA","n":"{{Base64UrlText.Encode(p.Modulus)}}","e":"{{Base64UrlText.Encode(p.Exponent)}}"}""",
                        m => rsa.SignData(m, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
                case "EdDSA":
                    return new(alg, null, """{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""", _ => [0xed, .. new byte[63]]);
                default:
                    var (name, curve, hash) = alg switch
                    {
                        "ES256" => ("P-256", ECCurve.NamedCurves.nistP256, HashAlgorithmName.SHA256),
                        "ES384" => ("P-384", ECCurve.NamedCurves.nistP384, HashAlgorithmName.SHA384),
                        _ => ("P-521", ECCurve.NamedCurves.nistP521, HashAlgorithmName.SHA512),
                    };
                    var ec = ECDsa.Create(curve);
                    var q = ec.ExportParameters(false).Q;
                    return new(alg, ec, $$"""{"kty":"EC","crv":"{{name}}","x":"{{Base64UrlText.Encode(q.X)}}","y":"{{Base64UrlText.Encode(q.Y)}}"}""",
                        m => ec.SignData(m, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
            }
        }

        private static Jwk Read(string json)
        {
            using var document = JsonDocument.Parse(json);
            return Jwk.Parse(document.RootElement).Value;
        }
    }
}

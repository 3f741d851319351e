using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PersistCa.Protocol.Jose;

namespace PersistCa.Protocol.Tests.Jose;

/// <summary>The published examples. Their headers have neither jwk nor kid, which RFC 8555 wants, so that the pieces are checked apart.</summary>
public sealed class RfcVectorTests
{
    private static readonly JsonElement File = JsonDocument.Parse(System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "jose.json"))).RootElement;

    public static TheoryData<string> Rules => [.. File.GetProperty("cases").EnumerateArray().Select(c => c.GetProperty("rule").GetString()!)];

    [Theory]
    [MemberData(nameof(Rules))]
    public void An_example_without_jwk_and_kid_is_no_acme_request(string rule)
    {
        var refused = FlattenedJws.Parse(Whole(Case(rule), Text(Case(rule), "protected")), new JwsLimits());
        Assert.Contains("neither jwk nor kid", refused.Problem!.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void An_examples_key_holds_its_signature_and_the_payload_as_it_stands_and_no_other(string rule)
    {
        var vector = Case(rule);
        var key = Jwk.Parse(vector.GetProperty("jwk")).Value;
        var signature = Base64UrlText.Decode(Text(vector, "signature")).Value!;
        var message = Encoding.ASCII.GetBytes(Text(vector, "protected") + "." + Text(vector, "payload"));
        if (key.Kind == JwkKind.Ed25519)
        {
            return; // the base class library cannot; the check is tested where it is implemented
        }

        Assert.True(Holds(key, message, signature));
        message[^1] ^= 1;
        Assert.False(Holds(key, message, signature));
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void A_thumbprint_is_that_of_the_required_members_in_order(string rule)
    {
        var jwk = Case(rule).GetProperty("jwk");
        var members = jwk.EnumerateObject().OrderBy(m => m.Name, StringComparer.Ordinal).Select(m => $"\"{m.Name}\":\"{m.Value.GetString()}\"");
        var canonical = "{" + string.Join(',', members) + "}";
        var key = Jwk.Parse(jwk).Value;
        Assert.Equal(canonical, key.Canonical);
        Assert.Equal(Base64UrlText.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(canonical))), key.Thumbprint);
        if (Case(rule).TryGetProperty("thumbprint", out var thumbprint))
        {
            Assert.Equal(thumbprint.GetString(), key.Thumbprint);
        }
    }

    [Fact]
    public void The_ed25519_check_is_given_the_key_the_signing_input_and_the_signature()
    {
        var vector = Case("RFC 8037 A.4 (EdDSA)");
        var key = Jwk.Parse(vector.GetProperty("jwk")).Value;
        var header = Base64UrlText.Encode("""{"alg":"EdDSA","kid":"x"}"""u8);
        var jws = FlattenedJws.Parse(Whole(vector, header), new JwsLimits()).Value;
        var calls = new List<(string Key, string Message, string Signature)>();
        using var verifier = new JwsVerifier((publicKey, message, signature) =>
        {
            calls.Add((Base64UrlText.Encode(publicKey), Encoding.ASCII.GetString(message), Base64UrlText.Encode(signature)));
            return calls.Count == 1;
        });

        Assert.Null(verifier.Verify(jws, key));
        Assert.Contains("does not hold", verifier.Verify(jws, key)!.Detail, StringComparison.Ordinal);

        Assert.Equal((vector.GetProperty("jwk").GetProperty("x").GetString(), header + "." + Text(vector, "payload"), Text(vector, "signature")), calls[0]);
        Assert.Equal(2, calls.Count);
    }

    private static bool Holds(Jwk key, byte[] message, byte[] signature)
    {
        if (key.Kind == JwkKind.Rsa)
        {
            using var rsa = RSA.Create();
            rsa.ImportSubjectPublicKeyInfo(key.SubjectPublicKeyInfo(), out _);
            return rsa.VerifyData(message, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }

        using var ecdsa = ECDsa.Create();
        ecdsa.ImportSubjectPublicKeyInfo(key.SubjectPublicKeyInfo(), out _);
        return ecdsa.VerifyData(message, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private static JsonElement Case(string rule) => File.GetProperty("cases").EnumerateArray().Single(c => c.GetProperty("rule").GetString() == rule);

    private static string Text(JsonElement vector, string name) => vector.GetProperty(name).GetString()!;

    private static byte[] Whole(JsonElement vector, string header) =>
        Encoding.UTF8.GetBytes($$"""{"protected":"{{header}}","payload":"{{Text(vector, "payload")}}","signature":"{{Text(vector, "signature")}}"}""");
}

using System.Security.Cryptography;
using System.Text.Json;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Jose;

namespace PersistCa.Protocol.Tests.Jose;

/// <summary>Each case departs in one thing from a key that is read.</summary>
public sealed class JwkTests
{
    private const string X = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    private const string Y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    private const string EdX = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    private static readonly string Modulus = Base64UrlText.Encode(Number(256));

    private static byte[] Number(int octets, byte first = 0xc5, byte last = 0x01)
    {
        var number = new byte[octets];
        Array.Fill(number, (byte)0x5a);
        (number[0], number[^1]) = (first, last);
        return number;
    }

    private static Outcome<Jwk> Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return Jwk.Parse(document.RootElement);
    }

    private static Outcome<Jwk> Rsa(byte[] n, string e = "AQAB") => Read($$"""{"kty":"RSA","n":"{{Base64UrlText.Encode(n)}}","e":"{{e}}"}""");

    public static TheoryData<string, string, string> Refusals => new()
    {
        { "[]", "malformed", "no JSON object" },
        { "{}", "malformed", "no kty" },
        { """{"kty":1}""", "malformed", "no kty" },
        { """{"kty":"oct","x":"AAAA"}""", "badPublicKey", "key type 'oct' is not accepted; accepted are RSA, EC and OKP" },
        { """{"kty":"ec"}""", "badPublicKey", "key type 'ec'" },
        { """{"kty":"a\u0007b"}""", "badPublicKey", "key type 'a?b'" },
        { """{"kty":"EC","d":"AAAA"}""", "malformed", "consider that key public now" },
        { """{"kty":"oct","k":"AAAA"}""", "malformed", "the member 'k', which belongs to a private key" },
        { """{"kty":"RSA","p":"AAAA"}""", "malformed", "the member 'p'" },
        { """{"kty":"RSA","oth":[]}""", "malformed", "the member 'oth'" },
        { $$"""{"kty":"EC","x":"{{X}}","y":"{{Y}}"}""", "malformed", "no crv" },
        { $$"""{"kty":"EC","crv":"secp256k1","x":"{{X}}","y":"{{Y}}"}""", "badPublicKey", "curve 'secp256k1' is not accepted; accepted are P-256, P-384 and P-521" },
        { $$"""{"kty":"EC","crv":"P-256","y":"{{Y}}"}""", "malformed", "no 'x'" },
        { $$"""{"kty":"EC","crv":"P-256","x":"{{X}}"}""", "malformed", "no 'y'" },
        { $$"""{"kty":"EC","crv":"P-256","x":7,"y":"{{Y}}"}""", "malformed", "no 'x', or it is no string" },
        { $$"""{"kty":"EC","crv":"P-256","x":"{{X}}=","y":"{{Y}}"}""", "malformed", "'x' is not base64url: it is padded" },
        { $$"""{"kty":"EC","crv":"P-256","x":"{{X[..^1]}}V","y":"{{Y}}"}""", "malformed", "'x' is not base64url: its last character has bits" },
        { $$"""{"kty":"EC","crv":"P-256","x":"AA{{X}}A","y":"{{Y}}"}""", "malformed", "34 and 32 octets; on P-256 each has 32" },
        { $$"""{"kty":"EC","crv":"P-256","x":"{{X}}","y":""}""", "malformed", "32 and 0 octets" },
        { $$"""{"kty":"EC","crv":"P-384","x":"{{X}}","y":"{{Y}}"}""", "malformed", "on P-384 each has 48" },
        { $$"""{"kty":"EC","crv":"P-521","x":"{{X}}","y":"{{Y}}"}""", "malformed", "on P-521 each has 66" },
        { $$"""{"kty":"EC","crv":"P-256","x":"{{Y}}","y":"{{X}}"}""", "badPublicKey", "not on the curve P-256" },
        { $$"""{"kty":"EC","crv":"P-256","x":"{{Base64UrlText.Encode(new byte[32])}}","y":"{{Base64UrlText.Encode(new byte[32])}}"}""", "badPublicKey", "not on the curve P-256" },
        { $$"""{"kty":"OKP","x":"{{EdX}}"}""", "malformed", "no crv" },
        { $$"""{"kty":"OKP","crv":"X25519","x":"{{EdX}}"}""", "badPublicKey", "the only OKP curve accepted is Ed25519" },
        { $$"""{"kty":"OKP","crv":"Ed448","x":"{{EdX}}"}""", "badPublicKey", "curve 'Ed448'" },
        { """{"kty":"OKP","crv":"Ed25519"}""", "malformed", "no 'x'" },
        { """{"kty":"OKP","crv":"Ed25519","x":"AAAA"}""", "malformed", "3 octets; 32 are expected" },
        { $$"""{"kty":"RSA","e":"AQAB"}""", "malformed", "no 'n'" },
        { $$"""{"kty":"RSA","n":"{{Modulus}}"}""", "malformed", "no 'e'" },
        { $$"""{"kty":"RSA","n":"","e":"AQAB"}""", "malformed", "without leading zero octets" },
        { $$"""{"kty":"RSA","n":"{{Modulus}}","e":""}""", "malformed", "without leading zero octets" },
        { $$"""{"kty":"RSA","n":"{{Modulus}}","e":"AAEAAQ"}""", "malformed", "without leading zero octets" },
        { $$"""{"kty":"RSA","n":"{{Base64UrlText.Encode([0, .. Number(256)])}}","e":"AQAB"}""", "malformed", "without leading zero octets" },
        { $$"""{"kty":"RSA","n":"{{Modulus}}","e":"AQ"}""", "badPublicKey", "expected is an odd number from 3" },
        { $$"""{"kty":"RSA","n":"{{Modulus}}","e":"BA"}""", "badPublicKey", "expected is an odd number from 3" },
        { $$"""{"kty":"RSA","n":"{{Modulus}}","e":"AQAAAAE"}""", "badPublicKey", "expected is an odd number from 3" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void What_is_no_key_is_refused_with_its_kind_and_reason(string json, string kind, string reason)
    {
        var read = Read(json);
        Assert.True(read.IsRefused, "it was read");
        Assert.Equal(kind, read.Problem.Type.Name);
        Assert.Contains(reason, read.Problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Rsa_keys_have_2048_to_8192_bits()
    {
        Assert.False(Rsa(Number(256, first: 0x80)).IsRefused);
        Assert.Contains("2047 bits; 2048 to 8192", Rsa(Number(256, first: 0x7f)).Problem!.Detail, StringComparison.Ordinal);
        Assert.False(Rsa(Number(1024, first: 0xff)).IsRefused);
        Assert.Contains("8193 bits; 2048 to 8192", Rsa(Number(1025, first: 0x01)).Problem!.Detail, StringComparison.Ordinal);
        Assert.Equal(ProblemCatalog.BadPublicKey, Rsa(Number(128)).Problem!.Type);
        Assert.Contains("even", Rsa(Number(256, last: 0x02)).Problem!.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Aw")]
    [InlineData("AQAB")]
    [InlineData("_____w")]
    public void Odd_exponents_from_3_to_32_bits_are_read(string e) => Assert.False(Rsa(Number(256), e).IsRefused);

    [Fact]
    public void Members_that_say_nothing_of_the_key_change_nothing()
    {
        var plain = Read($$"""{"kty":"EC","crv":"P-256","x":"{{X}}","y":"{{Y}}"}""").Value;
        var more = Read($$"""{"use":"sig","y":"{{Y}}","kid":"me","x":"{{X}}","alg":"HS256","key_ops":[],"crv":"P-256","kty":"EC"}""").Value;
        Assert.Equal((plain.Canonical, plain.Thumbprint), (more.Canonical, more.Thumbprint));
    }

    [Fact]
    public void Every_kind_comes_back_from_its_canonical_form_and_has_its_key_info()
    {
        using var rsa = RSA.Create(2048);
        var parameters = rsa.ExportParameters(false);
        var rsaKey = Rsa(parameters.Modulus!, Base64UrlText.Encode(parameters.Exponent)).Value;
        Assert.Equal(rsa.ExportSubjectPublicKeyInfo(), rsaKey.SubjectPublicKeyInfo());
        var keys = new List<Jwk> { rsaKey, Read($$"""{"kty":"OKP","crv":"Ed25519","x":"{{EdX}}"}""").Value };
        foreach (var (name, curve) in new[] { ("P-256", ECCurve.NamedCurves.nistP256), ("P-384", ECCurve.NamedCurves.nistP384), ("P-521", ECCurve.NamedCurves.nistP521) })
        {
            using var ec = ECDsa.Create(curve);
            var q = ec.ExportParameters(false).Q;
            var key = Read($$"""{"kty":"EC","crv":"{{name}}","x":"{{Base64UrlText.Encode(q.X)}}","y":"{{Base64UrlText.Encode(q.Y)}}"}""").Value;
            Assert.Equal(ec.ExportSubjectPublicKeyInfo(), key.SubjectPublicKeyInfo());
            Assert.Throws<InvalidOperationException>(() => key.Ed25519Octets.Length);
            keys.Add(key);
        }

        Assert.Equal([JwkKind.Rsa, JwkKind.Ed25519, JwkKind.P256, JwkKind.P384, JwkKind.P521], keys.Select(k => k.Kind));
        Assert.All(keys, k => Assert.Equal((k.Kind, k.Canonical, k.Thumbprint), (Jwk.FromCanonical(k.Canonical).Kind, Jwk.FromCanonical(k.Canonical).Canonical, Jwk.FromCanonical(k.Canonical).Thumbprint)));
        Assert.Equal(44, keys[1].SubjectPublicKeyInfo().Length);
        Assert.Equal(EdX, Base64UrlText.Encode(keys[1].SubjectPublicKeyInfo().AsSpan(12)));
    }

    [Fact]
    public void A_stored_key_that_is_none_is_a_fault_of_the_store() => Assert.Throws<JsonException>(() => Jwk.FromCanonical("""{"kty":"oct"}"""));
}

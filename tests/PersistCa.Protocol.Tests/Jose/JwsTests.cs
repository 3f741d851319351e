using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CsCheck;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Jose;

namespace PersistCa.Protocol.Tests.Jose;

public sealed class JwsTests
{
    private static readonly JwsLimits Limits = new();

    private static Jwk Key(string json)
    {
        using var document = JsonDocument.Parse(json);
        return Jwk.Parse(document.RootElement).Value;
    }

    private static (FlattenedJws Jws, Jwk Key) Signed(ECDsa key, string alg = "ES256")
    {
        var q = key.ExportParameters(false).Q;
        var jwk = $$"""{"kty":"EC","crv":"P-256","x":"{{Base64UrlText.Encode(q.X)}}","y":"{{Base64UrlText.Encode(q.Y)}}"}""";
        var header = Base64UrlText.Encode(Encoding.UTF8.GetBytes($$"""{"alg":"{{alg}}","jwk":{{jwk}}}"""));
        var payload = Base64UrlText.Encode("{}"u8);
        var signature = Base64UrlText.Encode(key.SignData(Encoding.ASCII.GetBytes(header + "." + payload), HashAlgorithmName.SHA256));
        var text = $$"""{"protected":"{{header}}","payload":"{{payload}}","signature":"{{signature}}"}""";
        return (FlattenedJws.Parse(Encoding.UTF8.GetBytes(text), Limits).Value, Key(jwk));
    }

    [Fact]
    public void The_thumbprint_of_rfc_7638_is_reproduced() => Assert.Equal(
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        Key("""
            {"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}
            """).Thumbprint);

    [Fact]
    public void The_thumbprint_of_rfc_8037_is_reproduced() => Assert.Equal(
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        Key("""{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""").Thumbprint);

    [Fact]
    public void A_signature_holds_for_its_key_and_for_no_other()
    {
        using var verifier = new JwsVerifier((_, _, _) => false);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (jws, jwk) = Signed(key);

        Assert.Null(verifier.Verify(jws, jwk));
        Assert.Equal(ProblemCatalog.Malformed, verifier.Verify(jws, Signed(other).Key)!.Type);
    }

    [Theory]
    [InlineData("ES384")]
    [InlineData("RS256")]
    [InlineData("EdDSA")]
    [InlineData("HS256")]
    [InlineData("none")]
    public void An_algorithm_that_does_not_go_with_the_key_is_refused_with_the_list(string alg)
    {
        using var verifier = new JwsVerifier((_, _, _) => true);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (jws, jwk) = Signed(key, alg);

        var problem = verifier.Verify(jws, jwk)!;

        Assert.Equal(ProblemCatalog.BadSignatureAlgorithm, problem.Type);
        Assert.Equal<string>(["ES256", "ES384", "ES512", "RS256", "EdDSA"], [.. problem.Algorithms]);
    }

    [Fact]
    public void Many_threads_and_more_keys_than_are_kept_all_verify()
    {
        using var verifier = new JwsVerifier((_, _, _) => false, capacity: 4);
        var keys = Enumerable.Range(0, 12).Select(_ => ECDsa.Create(ECCurve.NamedCurves.nistP256)).ToList();
        var signed = keys.Select(k => Signed(k)).ToList();
        Parallel.For(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            var (jws, jwk) = signed[i % signed.Count];
            Assert.Null(verifier.Verify(jws, jwk));
        });
        keys.ForEach(k => k.Dispose());
    }

    [Fact]
    public void An_ed25519_signature_goes_to_the_check_with_what_was_signed()
    {
        byte[]? message = null;
        using var verifier = new JwsVerifier((_, signed, _) =>
        {
            message = signed.ToArray();
            return true;
        });
        var header = Base64UrlText.Encode("""{"alg":"EdDSA","kid":"x"}"""u8);
        var jws = FlattenedJws.Parse(Encoding.UTF8.GetBytes($$"""{"protected":"{{header}}","payload":"","signature":"{{Base64UrlText.Encode(new byte[64])}}"}"""), Limits).Value;

        Assert.Null(verifier.Verify(jws, Key("""{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""")));
        Assert.Equal(header + ".", Encoding.ASCII.GetString(message!));
    }

    [Fact]
    public void A_key_comes_back_from_its_canonical_form()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var jwk = Signed(key).Key;
        Assert.Equal(jwk.Thumbprint, Jwk.FromCanonical(jwk.Canonical).Thumbprint);
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), jwk.SubjectPublicKeyInfo());
    }

    [Fact]
    public void Any_octets_are_judged_without_an_exception() => Gen.OneOf(
        Gen.Byte.Array[0, 200],
        Gen.String[Gen.Char["{}[]\":,\\ud8protectedpayloadsignature01"], 0, 120].Select(Encoding.UTF8.GetBytes)).Sample(
        octets => FlattenedJws.Parse(octets, Limits) is { IsRefused: true, Problem.Type: var type } && type == ProblemCatalog.Malformed,
        iter: 20_000);

    [Fact]
    public void Each_limit_refuses_what_exceeds_it()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var text = $$"""{"protected":"{{Base64UrlText.Encode("""{"alg":"ES256","kid":"x"}"""u8)}}","payload":"","signature":""}""";
        var octets = Encoding.UTF8.GetBytes(text);
        Assert.False(FlattenedJws.Parse(octets, Limits with { MaxBytes = octets.Length }).IsRefused);
        Assert.Contains("octets", FlattenedJws.Parse(octets, Limits with { MaxBytes = octets.Length - 1 }).Problem!.Detail, StringComparison.Ordinal);
        Assert.Contains("characters", FlattenedJws.Parse(octets, Limits with { MaxHeaderCharacters = 10 }).Problem!.Detail, StringComparison.Ordinal);
    }
}

using System.Text;
using CsCheck;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Jose;

namespace PersistCa.Protocol.Tests.Jose;

/// <summary>Each case departs in one thing from a JWS that is read.</summary>
public sealed class FlattenedJwsTests
{
    private const string GoodHeader = """{"alg":"ES256","kid":"https://ca.example/acct/1","nonce":"n","url":"https://ca.example/x"}""";

    private static readonly JwsLimits Limits = new();
    private static readonly string Good = Whole(GoodHeader);

    private static string Whole(string header, string payload = "e30", string signature = "AAAA") =>
        $$"""{"protected":"{{Base64UrlText.Encode(Encoding.UTF8.GetBytes(header))}}","payload":"{{payload}}","signature":"{{signature}}"}""";

    private static string Refusal(string text, JwsLimits? limits = null) => Refusal(Encoding.UTF8.GetBytes(text), limits);

    private static string Refusal(byte[] octets, JwsLimits? limits = null)
    {
        var parsed = FlattenedJws.Parse(octets, limits ?? Limits);
        Assert.True(parsed.IsRefused, "it was read");
        Assert.Equal((ProblemCatalog.Malformed, 400), (parsed.Problem.Type, parsed.Problem.Status));
        return parsed.Problem.Detail;
    }

    [Fact]
    public void A_good_one_is_read_with_all_it_says()
    {
        var jws = FlattenedJws.Parse(Encoding.UTF8.GetBytes(Good), Limits).Value;
        Assert.Equal(("ES256", "https://ca.example/acct/1", "n", "https://ca.example/x"), (jws.Header.Alg, jws.Header.Kid, jws.Header.Nonce, jws.Header.Url));
        Assert.Null(jws.Header.Jwk);
        Assert.Equal(("{}", 3), (Encoding.UTF8.GetString(jws.Payload.Span), jws.Signature.Length));
        Assert.Equal(Base64UrlText.Encode(Encoding.UTF8.GetBytes(GoodHeader)) + ".e30", Encoding.ASCII.GetString(jws.SigningInput.Span));
    }

    [Fact]
    public void White_space_and_another_order_of_members_change_nothing() => Assert.False(
        FlattenedJws.Parse(Encoding.UTF8.GetBytes($$""" { "signature" : "AAAA" , "payload":"" ,"protected":"{{Base64UrlText.Encode(Encoding.UTF8.GetBytes(GoodHeader))}}" } """), Limits).IsRefused);

    [Theory]
    [InlineData("", "cannot be read")]
    [InlineData("{", "cannot be read")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("\"a.b.c\"", "not a JSON object")]
    [InlineData("null", "not a JSON object")]
    [InlineData("eyJ9.e30.AAAA", "cannot be read")]
    [InlineData("{}", "needs the members protected, payload and signature")]
    [InlineData("""{"payload":"","signature":""}""", "needs the members")]
    [InlineData("""{"protected":"","signature":""}""", "needs the members")]
    [InlineData("""{"protected":"","payload":""}""", "needs the members")]
    [InlineData("""{"protected":1,"payload":"","signature":""}""", "a 'protected' that is no string")]
    [InlineData("""{"protected":"","payload":null,"signature":""}""", "a 'payload' that is no string")]
    [InlineData("""{"protected":"","payload":{},"signature":""}""", "a 'payload' that is no string")]
    [InlineData("""{"protected":"","payload":"","signature":["x"]}""", "a 'signature' that is no string")]
    [InlineData("""{"protected":"","payload":"","signature":"","header":{}}""", "unprotected header")]
    [InlineData("""{"payload":"","signatures":[]}""", "general serialisation")]
    [InlineData("""{"protected":"","payload":"","signature":"","Payload":""}""", "the member 'Payload'")]
    [InlineData("""{"protected":"","payload":"","signature":"","x\n<b>":""}""", "the member 'x?<b>'")]
    [InlineData("""{"protected":"","payload":"","payload":"","signature":""}""", "no repeated members")]
    [InlineData("""{"protected":"","payload":"","p\u0061yload":"","signature":""}""", "no repeated members")]
    [InlineData("""{"protected":"","payload":"","signature":"",}""", "not strict JSON")]
    [InlineData("""{"protected":"","payload":"","signature":""} x""", "not strict JSON")]
    [InlineData("""{"protected":"","payload":"","signature":""}{}""", "not strict JSON")]
    [InlineData("""{"protected":"",/* */"payload":"","signature":""}""", "not strict JSON")]
    [InlineData("""{"protected":"\ud800","payload":"","signature":""}""", "half a character")]
    [InlineData("""{"protected":"","payload":"","signature":"","\udc00":""}""", "half a character")]
    [InlineData("""{"protected":"","payload":"","signature":""}""", "The protected header cannot be read")]
    public void What_is_no_flattened_jws_is_refused_with_its_reason(string text, string reason) => Assert.Contains(reason, Refusal(text), StringComparison.Ordinal);

    [Theory]
    [InlineData("payload", "e30=", "padded")]
    [InlineData("payload", "e3", "bits that stand for nothing")]
    [InlineData("payload", "e", "a length that base64url never has")]
    [InlineData("payload", "e3 0", "a character outside")]
    [InlineData("payload", "+w", "plain base64")]
    [InlineData("signature", "AAAA=", "padded")]
    [InlineData("signature", "AAAAAB", "bits that stand for nothing")]
    [InlineData("signature", "\u00e4", "a character outside")]
    [InlineData("protected", "eyJ9==", "padded")]
    public void A_member_that_is_not_base64url_is_named(string member, string value, string reason)
    {
        var text = member switch
        {
            "payload" => Whole(GoodHeader, payload: value),
            "signature" => Whole(GoodHeader, signature: value),
            _ => $$"""{"protected":"{{value}}","payload":"","signature":""}""",
        };
        var detail = Refusal(text);
        Assert.Contains($"'{member}' is not base64url", detail, StringComparison.Ordinal);
        Assert.Contains(reason, detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "cannot be read")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("""{"kid":"x"}""", "has no alg")]
    [InlineData("""{"alg":null,"kid":"x"}""", "a 'alg' that is no string")]
    [InlineData("""{"alg":["ES256"],"kid":"x"}""", "a 'alg' that is no string")]
    [InlineData("""{"Alg":"ES256","kid":"x"}""", "has no alg")]
    [InlineData("""{"alg":"ES256"}""", "neither jwk nor kid")]
    [InlineData("""{"alg":"ES256","kid":"x","jwk":{}}""", "both jwk and kid")]
    [InlineData("""{"alg":"ES256","kid":1}""", "a 'kid' that is no string")]
    [InlineData("""{"alg":"ES256","kid":null,"jwk":{}}""", "a 'kid' that is no string")]
    [InlineData("""{"alg":"ES256","jwk":"x"}""", "a jwk that is no object")]
    [InlineData("""{"alg":"ES256","jwk":null}""", "a jwk that is no object")]
    [InlineData("""{"alg":"ES256","jwk":[]}""", "a jwk that is no object")]
    [InlineData("""{"alg":"ES256","kid":"x","nonce":7}""", "a 'nonce' that is no string")]
    [InlineData("""{"alg":"ES256","kid":"x","url":{}}""", "a 'url' that is no string")]
    [InlineData("""{"alg":"ES256","kid":"x","crit":["b64"]}""", "has 'crit'")]
    [InlineData("""{"alg":"ES256","kid":"x","crit":[]}""", "has 'crit'")]
    [InlineData("""{"alg":"ES256","kid":"x","b64":true}""", "has 'b64'")]
    [InlineData("""{"alg":"none","alg":"ES256","kid":"x"}""", "no repeated members")]
    [InlineData("""{"alg":"ES256","kid":"x","jwk":{"kty":"EC","kty":"RSA"}}""", "no repeated members")]
    [InlineData("""{"alg":"ES256","kid":"x","x":{"y":{"z":{"a":{}}}}}""", "at most 4 levels")]
    [InlineData("""{"alg":"\ud83d","kid":"x"}""", "half a character")]
    public void What_is_no_acme_header_is_refused_with_its_reason(string header, string reason)
    {
        var detail = Refusal(Whole(header));
        Assert.StartsWith("The protected header", detail, StringComparison.Ordinal);
        Assert.Contains(reason, detail, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_utf8_is_refused()
    {
        var octets = Encoding.UTF8.GetBytes(Good);
        octets[^2] = 0xff;
        Assert.Contains("not valid UTF-8", Refusal(octets), StringComparison.Ordinal);
        Assert.Contains("not valid UTF-8", Refusal($$"""{"protected":"{{Base64UrlText.Encode([0xc0, 0x80])}}","payload":"","signature":""}"""), StringComparison.Ordinal);
        Assert.Contains("cannot be read", Refusal([0xef, 0xbb, 0xbf, .. Encoding.UTF8.GetBytes(Good)]), StringComparison.Ordinal);
    }

    [Fact]
    public void Each_limit_refuses_one_more_than_it_allows()
    {
        var octets = Encoding.UTF8.GetBytes(Good);
        var header = Base64UrlText.Encode(Encoding.UTF8.GetBytes(GoodHeader)).Length;
        var exact = new JwsLimits { MaxBytes = octets.Length, MaxHeaderCharacters = header, MaxDepth = 1 };
        Assert.False(FlattenedJws.Parse(octets, exact).IsRefused);
        Assert.Contains($"{octets.Length} octets where at most {octets.Length - 1}", Refusal(octets, exact with { MaxBytes = octets.Length - 1 }), StringComparison.Ordinal);
        Assert.Contains($"{header} characters where at most {header - 1}", Refusal(octets, exact with { MaxHeaderCharacters = header - 1 }), StringComparison.Ordinal);
        Assert.Contains("at most 1 levels", Refusal(Whole("""{"alg":"ES256","jwk":{}}"""), exact with { MaxBytes = 1000, MaxHeaderCharacters = 1000 }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_bomb_of_brackets_is_refused_for_its_depth() =>
        Assert.Contains("at most 4 levels", Refusal(new string('[', 100_000)), StringComparison.Ordinal);

    [Fact]
    public void Damage_in_one_octet_never_throws_and_what_is_still_read_signs_what_stands_there()
    {
        var good = Encoding.UTF8.GetBytes(Good);
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte).Sample((at, octet) =>
        {
            var damaged = good.ToArray();
            damaged[at] = octet;
            var parsed = FlattenedJws.Parse(damaged, Limits);
            return parsed.IsRefused
                ? parsed.Problem.Type == ProblemCatalog.Malformed
                : Encoding.UTF8.GetString(damaged).Contains(Encoding.ASCII.GetString(parsed.Value.SigningInput.Span).Split('.')[0], StringComparison.Ordinal);
        });
    }
}

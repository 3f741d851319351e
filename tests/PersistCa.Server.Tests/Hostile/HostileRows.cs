using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using PersistCa.Server.Demo;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Hostile;

/// <summary>One hostile or malformed request and the refusal it must get.</summary>
/// <param name="Name">What is wrong with it.</param>
/// <param name="Send">Sends it.</param>
/// <param name="Status">Expected HTTP status.</param>
/// <param name="Problem">Expected problem type; null where no problem document is due.</param>
public sealed record HostileRow(string Name, Func<HostileBed, Task<AcmeAnswer>> Send, int Status, string? Problem);

/// <summary>The table: JWS and HTTP. The payloads stand in the other part.</summary>
public static partial class HostileRows
{
    /// <summary>Every row by its name.</summary>
    public static IReadOnlyDictionary<string, HostileRow> All { get; } =
        Http().Concat(Jws()).Concat(Headers()).Concat(Keys()).Concat(Accounts()).Concat(Orders()).Concat(Resources()).Concat(Csrs()).Concat(Revocations()).Concat(KeyChanges())
            .ToDictionary(r => r.Name, StringComparer.Ordinal);

    private static HostileRow Malformed(string name, Func<HostileBed, Task<AcmeAnswer>> send) => new(name, send, 400, "malformed");

    private static IEnumerable<HostileRow> Http()
    {
        var jws = "{}"u8.ToArray();
        yield return new("no content type", b => b.Unsigned("POST", "/acme/new-order", null, jws), 415, "malformed");
        yield return new("plain JSON content type", b => b.Unsigned("POST", "/acme/new-order", "application/json", jws), 415, "malformed");
        yield return new("text content type", b => b.Unsigned("POST", "/acme/new-order", "text/plain", jws), 415, "malformed");
        yield return new("form content type", b => b.Unsigned("POST", "/acme/new-account", "application/x-www-form-urlencoded", jws), 415, "malformed");
        yield return new("body beyond the limit", b => b.Unsigned("POST", "/acme/new-order", "application/jose+json", new byte[(128 * 1024) + 1]), 413, "malformed");
        yield return new("body far beyond the limit", b => b.Unsigned("POST", "/acme/new-order", "application/jose+json", new byte[1024 * 1024]), 413, "malformed");
        yield return new("chunked body beyond the limit", b => b.Unsigned("POST", "/acme/new-order", "application/jose+json", new byte[300 * 1024], r => r.Headers.TransferEncodingChunked = true), 413, "malformed");
        yield return new("unknown path by GET", b => b.Unsigned("GET", "/acme/nothing"), 404, "malformed");
        yield return new("unknown path by POST", b => b.Unsigned("POST", "/acme/nothing", "application/jose+json", jws), 404, "malformed");
        yield return new("newOrder by GET", b => b.Unsigned("GET", "/acme/new-order"), 405, "malformed");
        yield return new("order by GET", b => b.Unsigned("GET", b.PendingOrder), 405, "malformed");
        yield return new("certificate by GET", b => b.Unsigned("GET", b.CertificateUrl), 405, "malformed");
        yield return new("account by DELETE", b => b.Unsigned("DELETE", b.Owner.AccountUrl!), 405, "malformed");
        yield return new("newAccount by PUT", b => b.Unsigned("PUT", "/acme/new-account", "application/jose+json", jws), 405, "malformed");
        yield return new("directory by PATCH", b => b.Unsigned("PATCH", "/directory", "application/jose+json", jws), 405, "malformed");
        yield return new("newNonce by POST without a signature", b => b.Unsigned("POST", "/acme/new-nonce", "application/jose+json", jws), 400, "malformed");
        yield return new("path with an escaped slash", b => b.Unsigned("GET", "/acme%2Fnew-nonce"), 404, "malformed");
        yield return new("path that climbs", b => b.Unsigned("GET", "/crl/..%2f..%2fpersistca.db"), 404, "malformed");
        yield return new("unknown CRL", b => b.Unsigned("GET", "/crl/0000.crl"), 404, "malformed");
        yield return new("unknown problem page", b => b.Unsigned("GET", "/problems/nothing"), 404, "malformed");
        yield return new("unknown method", b => b.Unsigned("BREW", "/acme/new-order"), 405, "malformed");
        yield return new("headers beyond the limit", b => b.Unsigned("GET", "/directory", bend: r => r.Headers.Add("X-Long", new string('x', 20_000))), 431, null);
    }

    private static IEnumerable<HostileRow> Jws()
    {
        foreach (var (name, body) in new (string, string)[]
        {
            ("empty body", ""), ("body that is no JSON", "hello"), ("array for a body", "[]"), ("null for a body", "null"), ("string for a body", "\"x\""),
            ("empty object for a body", "{}"), ("truncated JSON", "{\"protected\":\"e30\""), ("JSON with a comment", "{/**/}"), ("JSON with a trailing comma", "{\"protected\":\"\",}"),
            ("two JSON values", "{}{}"), ("repeated member", "{\"payload\":\"\",\"payload\":\"\",\"protected\":\"\",\"signature\":\"\"}"),
            ("deep nesting", new string('[', 5000)), ("deep objects", string.Concat(Enumerable.Repeat("{\"a\":", 500))), ("NUL octets", "\0\0\0\0"), ("member name with half a character", "{\"\\ud800\":1}"), ("byte order mark", "\uFEFF{}"),
        })
        {
            yield return Malformed(name, b => b.Owner.SendAsync(b.NewOrder, body, CancellationToken.None));
        }

        yield return Malformed("octets that are no UTF-8", b => b.Unsigned("POST", "/acme/new-order", "application/jose+json", [(byte)'{', (byte)'"', 0xff, 0xfe, (byte)'"', (byte)':', (byte)'1', (byte)'}']));
        yield return Malformed("compact serialisation", b => b.JwsBent(j => $"{j["protected"]}.{j["payload"]}.{j["signature"]}"));
        yield return Malformed("general serialisation", b => b.JwsBent(j => new JsonObject
        {
            ["payload"] = j["payload"]!.DeepClone(),
            ["signatures"] = new JsonArray(new JsonObject { ["protected"] = j["protected"]!.DeepClone(), ["signature"] = j["signature"]!.DeepClone() }),
        }.ToJsonString()));
        yield return Malformed("unprotected header", b => b.JwsBent(j => With(j, "header", new JsonObject { ["kid"] = "x" })));
        yield return Malformed("unknown member", b => b.JwsBent(j => With(j, "extra", 1)));
        foreach (var member in new[] { "protected", "payload", "signature" })
        {
            yield return Malformed($"{member} missing", b => b.JwsBent(j =>
            {
                j.Remove(member);
                return j.ToJsonString();
            }));
            yield return Malformed($"{member} is a number", b => b.MemberBent(member, _ => 1));
            yield return Malformed($"{member} is null", b => b.MemberBent(member, _ => null));
            yield return Malformed($"{member} is an array", b => b.MemberBent(member, _ => new JsonArray()));
            yield return Malformed($"{member} is padded", b => b.MemberBent(member, s => s + "="));
            yield return Malformed($"{member} has white space", b => b.MemberBent(member, s => s.Insert(2, " ")));
            yield return Malformed($"{member} has a plus", b => b.MemberBent(member, s => "+" + s[1..]));
            yield return Malformed($"{member} has stray bits", b => b.MemberBent(member, _ => "AB"));
            yield return Malformed($"{member} has an impossible length", b => b.MemberBent(member, s => s[..^(s.Length % 4 == 0 ? 3 : (s.Length % 4) - 1)]));
        }

        yield return Malformed("signature of zeros", b => b.MemberBent("signature", _ => Base64Url.EncodeToString(new byte[64])));
        yield return Malformed("signature empty", b => b.MemberBent("signature", _ => ""));
        yield return Malformed("signature too short", b => b.MemberBent("signature", _ => Base64Url.EncodeToString(new byte[63])));
        yield return Malformed("signature with a flipped bit", b => b.MemberBent("signature", s => Flip(s)));
        yield return Malformed("payload that was not signed", b => b.MemberBent("payload", _ => Base64Url.EncodeToString("{\"identifiers\":[]}"u8)));
        yield return Malformed("signed by another key", async b =>
        {
            using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            return await b.Owner.SendAsync(b.NewOrder, AcmeClient.Sign(other, await b.HeaderAsync(b.NewOrder), "{}"), CancellationToken.None);
        });
        yield return Malformed("signature in DER", async b =>
        {
            var header = await b.HeaderAsync(b.NewOrder);
            var (h, p) = (Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header.ToJsonString())), Base64Url.EncodeToString("{}"u8));
            var der = b.Owner.AccountKey.SignData(Encoding.ASCII.GetBytes(h + "." + p), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
            return await b.Owner.SendAsync(b.NewOrder, new JsonObject { ["protected"] = h, ["payload"] = p, ["signature"] = Base64Url.EncodeToString(der) }.ToJsonString(), CancellationToken.None);
        });
    }

    private static IEnumerable<HostileRow> Headers()
    {
        foreach (var (name, text) in new[]
        {
            ("header is no JSON", "hello"), ("header is an array", "[]"), ("header is empty", ""), ("header with a repeated member", "{\"alg\":\"ES256\",\"alg\":\"ES256\"}"),
            ("header without alg", "{\"nonce\":\"x\"}"), ("header with numeric alg", "{\"alg\":256}"), ("header nested deep", "{\"jwk\":{\"a\":{\"b\":{\"c\":{\"d\":1}}}}}"),
            ("header name with half a character", "{\"\\udc00\":1}"),
            ("header too long", "{\"alg\":\"" + new string('x', 9000) + "\"}"),
        })
        {
            yield return Malformed(name, b => b.RawHeader(text));
        }

        foreach (var member in new[] { "nonce", "url", "kid" })
        {
            yield return Malformed($"header with numeric {member}", b => b.HeaderBent(b.NewOrder, h => h[member] = 7));
        }

        yield return Malformed("header with both jwk and kid", b => b.HeaderBent(b.NewOrder, h => h["jwk"] = JsonNode.Parse(AcmeClient.Jwk(b.Owner.AccountKey))));
        yield return Malformed("header with neither jwk nor kid", b => b.HeaderBent(b.NewOrder, h => h.Remove("kid")));
        yield return Malformed("header with crit", b => b.HeaderBent(b.NewOrder, h => h["crit"] = new JsonArray("exp")));
        yield return Malformed("header with b64", b => b.HeaderBent(b.NewOrder, h => h["b64"] = false));
        yield return Malformed("jwk where an account is expected", b => b.Payload(b.NewOrder, "{}", bareKey: true));
        yield return Malformed("kid where a key is expected", b => b.Payload(b.NewAccount, "{}"));
        yield return Malformed("jwk is a string", b => b.HeaderBent(b.NewAccount, h => h["jwk"] = "x", bareKey: true));
        foreach (var alg in new[] { "none", "None", "HS256", "RS512", "PS256", "ES256K", "es256", "" })
        {
            yield return new($"alg {(alg.Length == 0 ? "empty" : alg)}", b => b.HeaderBent(b.NewOrder, h => h["alg"] = alg), 400, "badSignatureAlgorithm");
        }

        foreach (var alg in new[] { "RS256", "ES384", "ES512", "EdDSA" })
        {
            yield return new($"alg {alg} with a P-256 key", b => b.HeaderBent(b.NewOrder, h => h["alg"] = alg), 400, "badSignatureAlgorithm");
        }

        foreach (var (name, bend) in new (string, Func<HostileBed, string?>)[]
        {
            ("url missing", _ => null), ("url of another resource", b => b.NewAccount), ("url of another host", _ => "https://evil.test/acme/new-order"), ("url over http", b => b.NewOrder.Replace("https", "http", StringComparison.Ordinal)),
            ("url with a final slash", b => b.NewOrder + "/"), ("url with a query", b => b.NewOrder + "?a=b"), ("url in upper case", b => b.NewOrder.ToUpperInvariant()), ("url relative", _ => "/acme/new-order"),
        })
        {
            yield return new(name, b => b.HeaderBent(b.NewOrder, h =>
            {
                h.Remove("url");
                if (bend(b) is { } url)
                {
                    h["url"] = url;
                }
            }), 403, "unauthorized");
        }

        yield return new("nonce missing", b => b.HeaderBent(b.NewOrder, h => h.Remove("nonce")), 400, "badNonce");
        yield return new("nonce made up", b => b.HeaderBent(b.NewOrder, h => h["nonce"] = Base64Url.EncodeToString(new byte[34])), 400, "badNonce");
        yield return new("nonce cut short", b => b.HeaderBent(b.NewOrder, h => h["nonce"] = h["nonce"]!.GetValue<string>()[..20]), 400, "badNonce");
        yield return new("nonce with a flipped bit", b => b.HeaderBent(b.NewOrder, h => h["nonce"] = Flip(h["nonce"]!.GetValue<string>())), 400, "badNonce");
        yield return Malformed("nonce empty", b => b.HeaderBent(b.NewOrder, h => h["nonce"] = ""));
        yield return Malformed("nonce not base64url", b => b.HeaderBent(b.NewOrder, h => h["nonce"] = "a b+c="));
        yield return Malformed("nonce too long", b => b.HeaderBent(b.NewOrder, h => h["nonce"] = new string('a', 300)));
        yield return new("nonce used before", async b =>
        {
            var header = await b.HeaderAsync(b.Authorization);
            var jws = AcmeClient.Sign(b.Owner.AccountKey, header, "");
            Assert.Equal(200, (await b.Owner.SendAsync(b.Authorization, jws, CancellationToken.None)).Status);
            return await b.Owner.SendAsync(b.Authorization, jws, CancellationToken.None);
        }, 400, "badNonce");
        foreach (var (name, kid) in new (string, Func<HostileBed, string>)[]
        {
            ("kid of no account", b => b.Base + "/acme/account/AAAAAAAAAAAAAAAA"), ("kid of another host", b => b.Owner.AccountUrl!.Replace("localhost", "evil.test", StringComparison.Ordinal)), ("kid empty", _ => ""),
            ("kid with a query", b => b.Owner.AccountUrl + "?x"), ("kid that is an id", b => b.Owner.AccountUrl!.Split('/')[^1]), ("kid that is an order", b => b.PendingOrder), ("kid very long", _ => new string('k', 4000)),
        })
        {
            yield return new(name, b => b.HeaderBent(b.NewOrder, h => h["kid"] = kid(b)), 400, "accountDoesNotExist");
        }

        yield return Malformed("kid of another account", b => b.HeaderBent(b.NewOrder, h => h["kid"] = b.Stranger.AccountUrl));
    }

    private static IEnumerable<HostileRow> Keys()
    {
        HostileRow Key(string name, string jwk, string problem) => new("key: " + name, b => b.HeaderBent(b.NewAccount, h => h["jwk"] = JsonNode.Parse(jwk), bareKey: true), 400, problem);

        var n1024 = Base64Url.EncodeToString(Rsa(1024).Modulus);
        var n2048 = Rsa(2048).Modulus!;
        var point = Base64Url.EncodeToString(Enumerable.Repeat((byte)1, 32).ToArray());
        yield return Key("RSA of 1024 bits", $$"""{"kty":"RSA","n":"{{n1024}}","e":"AQAB"}""", "badPublicKey");
        yield return Key("RSA with exponent 1", $$"""{"kty":"RSA","n":"{{Base64Url.EncodeToString(n2048)}}","e":"AQ"}""", "badPublicKey");
        yield return Key("RSA with an even modulus", $$"""{"kty":"RSA","n":"{{Base64Url.EncodeToString([.. n2048[..^1], 0xfe])}}","e":"AQAB"}""", "badPublicKey");
        yield return Key("RSA of 16384 bits", $$"""{"kty":"RSA","n":"{{Base64Url.EncodeToString([.. Enumerable.Repeat((byte)0xff, 2048)])}}","e":"AQAB"}""", "badPublicKey");
        yield return Key("RSA modulus with a leading zero", $$"""{"kty":"RSA","n":"{{Base64Url.EncodeToString([0, .. n2048])}}","e":"AQAB"}""", "malformed");
        yield return Key("RSA without n", """{"kty":"RSA","e":"AQAB"}""", "malformed");
        yield return Key("EC point off its curve", $$"""{"kty":"EC","crv":"P-256","x":"{{point}}","y":"{{point}}"}""", "badPublicKey");
        yield return Key("EC on an unknown curve", $$"""{"kty":"EC","crv":"secp256k1","x":"{{point}}","y":"{{point}}"}""", "badPublicKey");
        yield return Key("EC with a short coordinate", $$"""{"kty":"EC","crv":"P-256","x":"AQ","y":"{{point}}"}""", "malformed");
        yield return Key("EC without crv", $$"""{"kty":"EC","x":"{{point}}","y":"{{point}}"}""", "malformed");
        yield return Key("symmetric", """{"kty":"oct","k":"c2VjcmV0"}""", "malformed");
        yield return Key("X25519", $$"""{"kty":"OKP","crv":"X25519","x":"{{point}}"}""", "badPublicKey");
        yield return Key("Ed25519 of 31 octets", """{"kty":"OKP","crv":"Ed25519","x":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ"}""", "malformed");
        yield return Key("unknown type", """{"kty":"AKP"}""", "badPublicKey");
        yield return Key("empty", "{}", "malformed");
        yield return Key("with its private part", $$"""{"kty":"EC","crv":"P-256","x":"{{point}}","y":"{{point}}","d":"{{point}}"}""", "malformed");
    }

    private static RSAParameters Rsa(int bits)
    {
        using var rsa = RSA.Create(bits);
        return rsa.ExportParameters(false);
    }

    private static string With(JsonObject json, string member, JsonNode? value)
    {
        json[member] = value;
        return json.ToJsonString();
    }

    private static string Flip(string base64Url)
    {
        var octets = Base64Url.DecodeFromChars(base64Url);
        octets[^1] ^= 1;
        return Base64Url.EncodeToString(octets);
    }
}

using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using PersistCa.Server.Demo;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Hostile;

/// <summary>The table, continued: payloads.</summary>
public static partial class HostileRows
{
    private static string[] NotObjects => ["[]", "null", "\"x\"", "1", "{", "{\"a\":1,\"a\":2}", "{\"\\ud800\":1}"];

    private static IEnumerable<HostileRow> Accounts()
    {
        HostileRow New(string name, string payload, string problem) => new("newAccount: " + name, async b =>
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            return await b.Payload(b.NewAccount, payload, bareKey: true, key: key);
        }, 400, problem);

        yield return New("empty payload", "", "malformed");
        foreach (var text in NotObjects)
        {
            yield return New("payload " + text, text, "malformed");
        }

        yield return New("contact is a string", """{"contact":"mailto:a@b.test"}""", "malformed");
        yield return New("contact holds a number", """{"contact":[1]}""", "malformed");
        yield return New("contact holds null", """{"contact":[null]}""", "malformed");
        yield return New("contact with half a character", "{\"contact\":[\"mailto:\\ud800@b.test\"]}", "malformed");
        yield return New("terms agreed by a string", """{"termsOfServiceAgreed":"yes"}""", "malformed");
        yield return New("onlyReturnExisting is a number", """{"onlyReturnExisting":1}""", "malformed");
        yield return New("onlyReturnExisting for an unknown key", """{"onlyReturnExisting":true}""", "accountDoesNotExist");
        yield return New("contact over http", """{"contact":["http://b.test"]}""", "unsupportedContact");
        yield return New("contact by telephone", """{"contact":["tel:+12025551212"]}""", "unsupportedContact");
        yield return New("contact without scheme", """{"contact":["a@b.test"]}""", "invalidContact");
        yield return New("contact with header fields", """{"contact":["mailto:a@b.test?subject=x"]}""", "invalidContact");
        yield return New("contact with two addresses", """{"contact":["mailto:a@b.test,c@d.test"]}""", "invalidContact");
        yield return New("contact without domain", """{"contact":["mailto:a@"]}""", "invalidContact");
        yield return New("contact empty", """{"contact":["mailto:"]}""", "invalidContact");
        yield return New("contact not ASCII", """{"contact":["mailto:ä@b.test"]}""", "invalidContact");
        yield return New("contact very long", $$"""{"contact":["mailto:{{new string('a', 300)}}@b.test"]}""", "invalidContact");
        yield return New("too many contacts", new JsonObject { ["contact"] = new JsonArray([.. Enumerable.Range(0, 11).Select(i => JsonValue.Create($"mailto:a{i}@b.test"))]) }.ToJsonString(), "invalidContact");
        yield return Malformed("account: contact that is none", b => b.Payload(b.Owner.AccountUrl!, """{"contact":"mailto:a@b.test"}"""));
        yield return Malformed("account: status is a number", b => b.Payload(b.Owner.AccountUrl!, """{"status":1}"""));
        yield return new("account: of a stranger", b => b.Payload(b.Stranger.AccountUrl!, """{"status":"deactivated"}"""), 403, "unauthorized");
        yield return new("account: orders of a stranger", b => b.Payload(b.Stranger.AccountUrl + "/orders", ""), 403, "unauthorized");
        yield return Malformed("account: orders with a payload", b => b.Payload(b.Owner.AccountUrl + "/orders", "{}"));
        yield return Malformed("account: orders with a cursor of letters", b => b.Payload(b.Owner.AccountUrl + "/orders?cursor=x", ""));
    }

    private static IEnumerable<HostileRow> Orders()
    {
        foreach (var text in NotObjects)
        {
            yield return Malformed("newOrder: payload " + text, b => b.Payload(b.NewOrder, text));
        }

        foreach (var (name, payload) in new[]
        {
            ("empty payload", ""), ("no identifiers", "{}"), ("no identifier in the list", """{"identifiers":[]}"""), ("identifiers is an object", """{"identifiers":{}}"""),
            ("identifier is a string", """{"identifiers":["a.test"]}"""), ("identifier without type", """{"identifiers":[{"value":"a.test"}]}"""), ("identifier without value", """{"identifiers":[{"type":"dns"}]}"""),
            ("identifier with numeric value", """{"identifiers":[{"type":"dns","value":1}]}"""), ("identifier with repeated member", """{"identifiers":[{"type":"dns","value":"a.test","value":"b.test"}]}"""),
            ("value with half a character", "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a\\ud800.test\"}]}"), ("nested deep", "{\"identifiers\":" + new string('[', 60) + new string(']', 60) + "}"),
            ("notBefore is a number", """{"identifiers":[{"type":"dns","value":"a.test"}],"notBefore":1}"""), ("notBefore is no time", """{"identifiers":[{"type":"dns","value":"a.test"}],"notBefore":"tomorrow"}"""),
            ("notBefore without zone", """{"identifiers":[{"type":"dns","value":"a.test"}],"notBefore":"2031-01-01T00:00:00"}"""), ("notBefore far ahead", """{"identifiers":[{"type":"dns","value":"a.test"}],"notBefore":"2999-01-01T00:00:00Z"}"""),
            ("notAfter in the past", """{"identifiers":[{"type":"dns","value":"a.test"}],"notAfter":"2001-01-01T00:00:00Z"}"""), ("notAfter far ahead", """{"identifiers":[{"type":"dns","value":"a.test"}],"notAfter":"2999-01-01T00:00:00Z"}"""),
            ("notAfter out of range", """{"identifiers":[{"type":"dns","value":"a.test"}],"notAfter":"99999-01-01T00:00:00Z"}"""),
        })
        {
            yield return Malformed("newOrder: " + name, b => b.Payload(b.NewOrder, payload));
        }

        yield return Malformed("newOrder: too many identifiers", b => b.Payload(
            b.NewOrder,
            new JsonObject { ["identifiers"] = new JsonArray([.. Enumerable.Range(0, 101).Select(i => new JsonObject { ["type"] = "dns", ["value"] = $"n{i}.test" })]) }.ToJsonString()));
        foreach (var type in new[] { "IP", "email", "DNS", "", "permanent-identifier" })
        {
            yield return new($"newOrder: identifier type '{type}'", b => b.Order("a.test", type), 400, "unsupportedIdentifier");
        }

        foreach (var name in new[]
        {
            "", ".", "a..test", ".a.test", "a.test.", "-a.test", "a-.test", "a_b.test", "*", "*.", "*.*.a.test", "a.*.test", "a*.test", "**.a.test", new string('a', 64) + ".test",
            string.Join('.', Enumerable.Repeat("abcdefgh", 30)), "1.2.3.4", "10.0.0.1", "::1", "a.123", "m\u00fcnchen.test", "xn--zz--zz.test", "xn--.test", "ab--cd.test", "com", "co.uk", "*.com", "*.co.uk", "localhost", "a b.test",
            "a\u0000.test", "a\n.test", "http://a.test", "a.test/x", "a.test:443", "user@a.test", "\u202ea.test", new string('x', 20_000), "xn--" + new string('a', 59) + ".test",
        })
        {
            var shown = name.Length > 40 ? name[..20] + "..." + name.Length : name.Replace("\0", "NUL", StringComparison.Ordinal).Replace("\n", "LF", StringComparison.Ordinal);
            yield return new($"newOrder: name '{shown}'", b => b.Order(name), 400, "rejectedIdentifier");
        }

        // Those that are spelled right are refused by policy, which serves no addresses unless networks are configured.
        foreach (var ip in new[]
        {
            "", "10.0.0.1", "127.0.0.1", "::1", "fd00::1", "010.0.0.1", "0x7f.0.0.1", "2130706433", "10.0.0.1:80", "10.0.0.0/8", "::FFFF", "::ffff:10.0.0.1", "[::1]", "fe80::1%1", "1.2.3", "a.test",
            "*.0.0.1", "10.0.0.1\u0000", "\u0661.2.3.4", new string(':', 20_000), string.Join(':', Enumerable.Repeat("0", 9)),
        })
        {
            var shown = ip.Length > 40 ? ip[..20] + "..." + ip.Length : ip.Replace("\0", "NUL", StringComparison.Ordinal);
            yield return new($"newOrder: address '{shown}'", b => b.Order(ip, "ip"), 400, "rejectedIdentifier");
        }
    }

    private static IEnumerable<HostileRow> Resources()
    {
        foreach (var path in new[] { "/acme/order/AAAAAAAAAAAAAAAA", "/acme/order/x", "/acme/authorization/AAAAAAAAAAAAAAAA", "/acme/challenge/AAAAAAAAAAAAAAAA/0", "/acme/certificate/AAAAAAAAAAAAAAAA" })
        {
            yield return new("unknown resource " + path, b => b.Payload(b.Base + path, ""), 404, "malformed");
        }

        yield return new("challenge beyond the list", b => b.Payload(b.Challenge[..b.Challenge.LastIndexOf('/')] + "/99", "{}"), 404, "malformed");
        yield return new("challenge with a word for a number", b => b.Payload(b.Challenge[..b.Challenge.LastIndexOf('/')] + "/one", "{}"), 404, "malformed");
        yield return new("alternate chain beyond the list", b => b.Payload(b.CertificateUrl + "/9", ""), 404, "malformed");
        foreach (var (name, url) in new (string, Func<HostileBed, string>)[]
        {
            ("order", b => b.PendingOrder), ("authorization", b => b.Authorization), ("challenge", b => b.Challenge), ("certificate", b => b.CertificateUrl),
        })
        {
            yield return new($"{name} of another account", b => b.ByStranger(url(b), ""), 403, "unauthorized");
        }

        yield return new("challenge of another account answered", b => b.ByStranger(b.Challenge, "{}"), 403, "unauthorized");
        yield return new("authorization of another account deactivated", b => b.ByStranger(b.Authorization, """{"status":"deactivated"}"""), 403, "unauthorized");
        yield return Malformed("order fetched with a payload", b => b.Payload(b.PendingOrder, "{}"));
        yield return Malformed("certificate fetched with a payload", b => b.Payload(b.CertificateUrl, "{}"));
        yield return Malformed("directory fetched with a payload", b => b.Payload(b.Base + "/directory", "{}"));
        yield return Malformed("challenge answered with an array", b => b.Payload(b.Challenge, "[]"));
        yield return Malformed("challenge answered with a string", b => b.Payload(b.Challenge, "\"x\""));
        yield return Malformed("authorization set to valid", b => b.Payload(b.Authorization, """{"status":"valid"}"""));
        yield return Malformed("authorization without status", b => b.Payload(b.Authorization, "{}"));
        yield return Malformed("failed authorization deactivated", b => b.Payload(b.FailedAuthorization, """{"status":"deactivated"}"""));
        yield return Malformed("another challenge of a failed authorization", async b =>
        {
            var failed = await b.Owner.FetchAsync(b.FailedAuthorization, CancellationToken.None);
            return await b.Payload(failed.Challenge("dns-01")["url"]!.GetValue<string>(), "{}");
        });
    }

    private static IEnumerable<HostileRow> Csrs()
    {
        HostileRow Csr(string name, Func<HostileBed, byte[]> csr, string problem = "badCSR") => new("finalize: " + name, b => Submit(b, b.ReadyOrder, Base64Url.EncodeToString(csr(b))), 400, problem);

        static Task<AcmeAnswer> Submit(HostileBed b, string order, string csr) => b.Payload(order + "/finalize", new JsonObject { ["csr"] = csr }.ToJsonString());
        static byte[] Good(params string[] names)
        {
            var (csr, key) = RunningAuthority.Csr(names);
            key.Dispose();
            return csr;
        }

        static byte[] WithKey(Func<CertificateRequest> make)
        {
            var request = make();
            var san = new SubjectAlternativeNameBuilder();
            san.AddDnsName(HostileBed.Name);
            san.AddDnsName("b.hostile.test");
            request.CertificateExtensions.Add(san.Build());
            return request.CreateSigningRequest();
        }

        yield return Malformed("finalize: no csr", b => b.Payload(b.ReadyOrder + "/finalize", "{}"));
        yield return Malformed("finalize: csr is a number", b => b.Payload(b.ReadyOrder + "/finalize", """{"csr":1}"""));
        yield return new("finalize: csr is empty", b => Submit(b, b.ReadyOrder, ""), 400, "badCSR");
        yield return new("finalize: csr in PEM", b => Submit(b, b.ReadyOrder, "-----BEGIN CERTIFICATE REQUEST-----"), 400, "badCSR");
        yield return new("finalize: csr padded", b => Submit(b, b.ReadyOrder, Convert.ToBase64String(Good(HostileBed.Name))), 400, "badCSR");
        yield return Csr("octets that are no DER", _ => [1, 2, 3, 4]);
        yield return Csr("trailing octets", _ => [.. Good(HostileBed.Name, "b.hostile.test"), 0]);
        yield return Csr("cut short", _ => Good(HostileBed.Name, "b.hostile.test")[..^10]);
        yield return Csr("signature broken", _ =>
        {
            var csr = Good(HostileBed.Name, "b.hostile.test");
            csr[^1] ^= 1;
            return csr;
        });
        yield return Csr("a name missing", _ => Good(HostileBed.Name));
        yield return Csr("a name too many", _ => Good(HostileBed.Name, "b.hostile.test", "c.hostile.test"));
        yield return Csr("another name", _ => Good("x.hostile.test", "b.hostile.test"));
        yield return Csr("no names at all", _ => Good());
        yield return Csr("the wildcard instead", _ => Good("*." + HostileBed.Name, "b.hostile.test"));
        yield return Csr("the account's key", b => RunningAuthority.Csr(b.Owner.AccountKey, HostileBed.Name, "b.hostile.test"), "badPublicKey");
        yield return Csr("RSA of 1024 bits", _ => WithKey(() => new CertificateRequest("", RSA.Create(1024), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)), "badPublicKey");
        yield return Csr("brainpool curve", _ => WithKey(() => new CertificateRequest("", ECDsa.Create(ECCurve.NamedCurves.brainpoolP256r1), HashAlgorithmName.SHA256)), "badPublicKey");
        yield return Csr("very large", _ => new byte[60_000]);
        yield return new("finalize: order that is pending", b => Submit(b, b.PendingOrder, Base64Url.EncodeToString(Good("pending.hostile.test"))), 403, "orderNotReady");
        yield return new("finalize: order that is valid, with another request", b => Submit(b, b.ValidOrder, Base64Url.EncodeToString(Good(HostileBed.Name))), 403, "orderNotReady");
        yield return new("finalize: order of another account", b => b.ByStranger(b.ReadyOrder + "/finalize", new JsonObject { ["csr"] = Base64Url.EncodeToString(Good(HostileBed.Name, "b.hostile.test")) }.ToJsonString()), 403, "unauthorized");
        yield return new("finalize: unknown order", b => Submit(b, b.Base + "/acme/order/AAAAAAAAAAAAAAAA", Base64Url.EncodeToString(Good(HostileBed.Name))), 404, "malformed");
    }

    private static IEnumerable<HostileRow> Revocations()
    {
        static string Body(string certificate, JsonNode? reason = null)
        {
            var json = new JsonObject { ["certificate"] = certificate };
            if (reason is not null)
            {
                json["reason"] = reason;
            }

            return json.ToJsonString();
        }

        yield return Malformed("revoke: no certificate", b => b.Payload(b.RevokeCert, "{}"));
        yield return Malformed("revoke: certificate is a number", b => b.Payload(b.RevokeCert, """{"certificate":1}"""));
        yield return Malformed("revoke: certificate in PEM", b => b.Payload(b.RevokeCert, Body("-----BEGIN CERTIFICATE-----")));
        yield return Malformed("revoke: octets that are no certificate", b => b.Payload(b.RevokeCert, Body("AQID")));
        yield return Malformed("revoke: reason is a string", b => b.Payload(b.RevokeCert, Body(b.Certificate, "1")));
        yield return Malformed("revoke: reason is a fraction", b => b.Payload(b.RevokeCert, Body(b.Certificate, 1.5)));
        foreach (var reason in new[] { -1, 2, 6, 7, 8, 10, 99 })
        {
            yield return new($"revoke: reason {reason}", b => b.Payload(b.RevokeCert, Body(b.Certificate, reason)), 400, "badRevocationReason");
        }

        yield return new("revoke: certificate of another authority", b => b.Payload(b.RevokeCert, Body(Foreign())), 404, "malformed");
        yield return new("revoke: certificate with a changed octet", b => b.Payload(b.RevokeCert, Body(Flip(b.Certificate))), 404, "malformed");
        yield return new("revoke: by another account", b => b.ByStranger(b.RevokeCert, Body(b.Certificate)), 403, "unauthorized");
        yield return new("revoke: by a key that is not the certificate's", async b =>
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            return await b.Payload(b.RevokeCert, Body(b.Certificate), bareKey: true, key: key);
        }, 403, "unauthorized");
        yield return new("revoke: by the account's key without the account", b => b.Payload(b.RevokeCert, Body(b.Certificate), bareKey: true), 403, "unauthorized");
        yield return new("revoke: a second time", b => b.Payload(b.RevokeCert, Body(b.RevokedCertificate)), 400, "alreadyRevoked");
    }

    private static IEnumerable<HostileRow> KeyChanges()
    {
        HostileRow Change(string name, Action<HostileBed, JsonObject, JsonObject> bend, int status = 400, string problem = "malformed", Func<HostileBed, ECDsa>? newKey = null) => new("keyChange: " + name, async b =>
        {
            using var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var key = newKey?.Invoke(b) ?? made;
            var header = new JsonObject { ["alg"] = "ES256", ["jwk"] = JsonNode.Parse(AcmeClient.Jwk(key)), ["url"] = b.KeyChange };
            var payload = new JsonObject { ["account"] = b.Owner.AccountUrl, ["oldKey"] = JsonNode.Parse(AcmeClient.Jwk(b.Owner.AccountKey)) };
            bend(b, header, payload);
            return await b.Payload(b.KeyChange, AcmeClient.Sign(key, header, payload.ToJsonString()));
        }, status, problem);

        yield return Malformed("keyChange: empty payload", b => b.Payload(b.KeyChange, ""));
        yield return Malformed("keyChange: payload that is no JWS", b => b.Payload(b.KeyChange, "{}"));
        yield return Change("inner nonce", (b, h, _) => h["nonce"] = "x");
        yield return Change("inner url differs", (b, h, _) => h["url"] = b.NewOrder);
        yield return Change("inner url missing", (_, h, _) => h.Remove("url"));
        yield return Change("inner kid", (b, h, _) =>
        {
            h.Remove("jwk");
            h["kid"] = b.Owner.AccountUrl;
        });
        yield return Change("inner alg none", (_, h, _) => h["alg"] = "none", problem: "badSignatureAlgorithm");
        yield return Change("inner key of 1024 bits", (_, h, _) => h["jwk"] = JsonNode.Parse($$"""{"kty":"RSA","n":"{{Base64Url.EncodeToString(Rsa(1024).Modulus)}}","e":"AQAB"}"""), problem: "badPublicKey");
        yield return Change("another account", (b, _, p) => p["account"] = b.Stranger.AccountUrl);
        yield return Change("account missing", (_, _, p) => p.Remove("account"));
        yield return Change("oldKey missing", (_, _, p) => p.Remove("oldKey"));
        yield return Change("oldKey is a string", (_, _, p) => p["oldKey"] = "x");
        yield return Change("oldKey of another account", (b, _, p) => p["oldKey"] = JsonNode.Parse(AcmeClient.Jwk(b.Stranger.AccountKey)));
        yield return Change("signed by another key than its jwk", (b, h, _) => h["jwk"] = JsonNode.Parse(AcmeClient.Jwk(b.Stranger.AccountKey)));
        yield return Change("to a key that another account has", (_, _, _) => { }, 409, "malformed", b => b.Stranger.AccountKey);
        yield return Change("to the key it has already", (_, _, _) => { }, 409, "malformed", b => b.Owner.AccountKey);
    }

    private static string Foreign()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256).CreateSelfSigned(TimeProvider.System.GetUtcNow(), TimeProvider.System.GetUtcNow().AddDays(1));
        return Base64Url.EncodeToString(certificate.RawData);
    }
}

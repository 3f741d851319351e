using System.Net;
using System.Text.Json.Nodes;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Acme;

/// <summary>What installed clients demand beyond RFC 8555, a test each (docs/conformance.md, second table).</summary>
public sealed class ClientDemandsTests(SharedAuthority shared) : IClassFixture<SharedAuthority>
{
    private readonly RunningAuthority authority = shared.Authority;

    private static CancellationToken None => CancellationToken.None;

    private static string? Link(AcmeAnswer answer, string relation) => answer.Headers.TryGetValues("Link", out var links)
        ? links.SelectMany(l => l.Split(", ")).FirstOrDefault(l => l.EndsWith($"rel=\"{relation}\"", StringComparison.Ordinal))?.Split('>')[0].TrimStart('<')
        : null;

    [Fact]
    public async Task Every_challenge_has_a_token_and_dns_persist_stands_last()
    {
        using var client = await authority.RegisteredAsync();
        var order = await client.OrderAsync([shared.Fresh()], None);
        var challenges = (await client.FetchAsync(order.Json["authorizations"]![0]!.GetValue<string>(), None)).Json["challenges"]!.AsArray();

        Assert.All(challenges, c => Assert.True(c!["token"]!.GetValue<string>().Length >= 43));
        Assert.Equal("dns-persist-01", challenges[^1]!["type"]!.GetValue<string>());
        Assert.Equal(["dns-01", "dns-persist-01", "http-01", "tls-alpn-01"], challenges.Select(c => c!["type"]!.GetValue<string>()).Order());
    }

    [Fact]
    public async Task A_challenge_answer_links_up_to_its_authorization()
    {
        using var client = await authority.RegisteredAsync();
        var order = await client.OrderAsync([shared.Fresh()], None);
        var url = order.Json["authorizations"]![0]!.GetValue<string>();
        var challenge = (await client.FetchAsync(url, None)).Challenge("dns-01")["url"]!.GetValue<string>();

        Assert.Equal(url, Link(await client.FetchAsync(challenge, None), "up"));
        Assert.Equal(url, Link(await client.PostAsync(challenge, "{}", None), "up"));
    }

    [Fact]
    public async Task Finalize_answers_200_with_the_location_of_the_order_and_retry_after_in_seconds()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Publish(client, name, PersistDialect.Draft01);
        var order = await client.ReadyOrderAsync("dns-persist-01", name);
        var (csr, key) = RunningAuthority.Csr(name);
        key.Dispose();

        var answer = await client.PostAsync(order.Json["finalize"]!.GetValue<string>(), new JsonObject { ["csr"] = System.Buffers.Text.Base64Url.EncodeToString(csr) }.ToJsonString(), None);

        Assert.Equal(200, answer.Status);
        Assert.Equal(order.Location, answer.Location);
        Assert.True(answer.Json["status"]!.GetValue<string>() == "valid" || answer.Headers.RetryAfter!.Delta == TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_challenge_in_processing_says_retry_after_in_seconds_and_answers_200()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Zone.Delay("_acme-challenge." + name, TimeSpan.FromMilliseconds(500));
        var order = await client.OrderAsync([name], None);
        var challenge = (await client.FetchAsync(order.Json["authorizations"]![0]!.GetValue<string>(), None)).Challenge("dns-01")["url"]!.GetValue<string>();

        var answer = await client.PostAsync(challenge, "{}", None);

        Assert.Equal(200, answer.Status);
        Assert.Equal("processing", answer.Json["status"]!.GetValue<string>());
        Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter!.Delta);
    }

    [Fact]
    public async Task A_bad_nonce_is_named_in_the_words_that_clients_look_for_and_brings_a_good_one()
    {
        using var client = await authority.RegisteredAsync();
        var url = await client.UrlAsync("newOrder", None);
        var header = new JsonObject { ["alg"] = "ES256", ["nonce"] = "AAAA", ["url"] = url, ["kid"] = client.AccountUrl };

        var answer = await client.SendAsync(url, AcmeClient.Sign(client.AccountKey, header, "{}"), None);

        Assert.Equal("badNonce", answer.Problem);
        Assert.Contains("JWS has invalid anti-replay nonce", answer.Json["detail"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.True(answer.Headers.Contains("Replay-Nonce"));
    }

    [Fact]
    public async Task A_nonce_from_before_a_restart_is_good_after_it()
    {
        await using var own = await RunningAuthority.StartAsync();
        using var client = await own.RegisteredAsync();
        var nonce = await client.NonceAsync(None);
        await own.RestartAsync();
        var header = new JsonObject { ["alg"] = "ES256", ["nonce"] = nonce, ["url"] = client.AccountUrl, ["kid"] = client.AccountUrl };

        Assert.Equal(200, (await client.SendAsync(client.AccountUrl!, AcmeClient.Sign(client.AccountKey, header, ""), None)).Status);
    }

    [Fact]
    public async Task A_nonce_that_changed_state_is_refused_even_after_a_restart()
    {
        await using var own = await RunningAuthority.StartAsync();
        using var client = await own.RegisteredAsync();
        var url = await client.UrlAsync("newOrder", None);
        var header = new JsonObject { ["alg"] = "ES256", ["nonce"] = await client.NonceAsync(None), ["url"] = url, ["kid"] = client.AccountUrl };
        var jws = AcmeClient.Sign(client.AccountKey, header, """{"identifiers":[{"type":"dns","value":"a.example.test"}]}""");
        Assert.Equal(201, (await client.SendAsync(url, jws, None)).Status);
        await own.RestartAsync();

        Assert.Equal("badNonce", (await client.SendAsync(url, jws, None)).Problem);
    }

    [Fact]
    public async Task A_new_account_is_201_and_a_known_one_200()
    {
        using var client = authority.Client();
        Assert.Equal(201, (await client.RegisterAsync(None)).Status);
        var again = await client.RegisterAsync(None);
        Assert.Equal(200, again.Status);
        Assert.Equal(client.AccountUrl, again.Location);
    }

    [Fact]
    public async Task A_repeated_answer_to_a_valid_challenge_is_200_with_the_object()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Publish(client, name, PersistDialect.Draft01);
        var order = await client.OrderAsync([name], None);
        var authorization = await client.ProveAsync(order.Json["authorizations"]![0]!.GetValue<string>(), "dns-persist-01");

        var again = await client.PostAsync(authorization.Challenge("dns-persist-01")["url"]!.GetValue<string>(), "{}", None);

        Assert.Equal(200, again.Status);
        Assert.Equal("valid", again.Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task Bodies_hold_no_null_and_no_needless_escape()
    {
        using var client = await authority.RegisteredAsync();
        var order = await client.OrderAsync([shared.Fresh(), "*." + shared.Fresh()], None);
        var bodies = new List<string> { order.Body, (await client.DirectoryAsync(None)).ToJsonString(), (await client.FetchAsync(client.AccountUrl!, None)).Body };
        foreach (var url in order.Json["authorizations"]!.AsArray())
        {
            bodies.Add((await client.FetchAsync(url!.GetValue<string>(), None)).Body);
        }

        Assert.All(bodies, b =>
        {
            Assert.DoesNotContain("null", b, StringComparison.Ordinal);
            Assert.DoesNotContain("\\/", b, StringComparison.Ordinal);
            Assert.DoesNotContain("\\u00", b, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Type_url_and_token_come_before_anything_nested()
    {
        using var client = await authority.RegisteredAsync();
        var order = await client.OrderAsync([shared.Fresh()], None);
        var authorization = await client.FetchAsync(order.Json["authorizations"]![0]!.GetValue<string>(), None);

        var members = authorization.Challenge("dns-persist-01").AsObject().Select(m => m.Key).ToList();
        Assert.Equal(["type", "url", "status", "token", "accounturi", "issuerDomainNames", "issuer-domain-names"], members);
        Assert.Equal(2, authorization.Body.Split("\"value\":").Length);
    }

    [Fact]
    public async Task The_directory_has_meta_and_terms_only_when_there_are_some()
    {
        using var client = authority.Client();
        var meta = (await client.DirectoryAsync(None))["meta"]!.AsObject();
        Assert.False(meta.ContainsKey("termsOfService"));
        Assert.Equal(meta["caaIdentities"]!.ToJsonString(), meta["issuerDomainNames"]!.ToJsonString());
    }

    [Theory]
    [InlineData("evil.test")]
    [InlineData("evil.test:443")]
    [InlineData("[::1]:1")]
    public async Task A_host_header_leaves_every_url_unchanged(string host)
    {
        var at = System.Net.IPEndPoint.Parse(authority.Options.Server.Listen);
        using var tcp = new System.Net.Sockets.TcpClient();
        await tcp.ConnectAsync(at);
        using var root = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(authority.RootPem);
        var trust = new System.Security.Cryptography.X509Certificates.X509ChainPolicy
        {
            TrustMode = System.Security.Cryptography.X509Certificates.X509ChainTrustMode.CustomRootTrust,
            RevocationMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck,
        };
        trust.CustomTrustStore.Add(root);
        await using var tls = new System.Net.Security.SslStream(tcp.GetStream());
        await tls.AuthenticateAsClientAsync(new System.Net.Security.SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = trust });
        await tls.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"GET /directory HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: {host}\r\nX-Forwarded-Proto: http\r\nConnection: close\r\n\r\n"));
        var answer = await new StreamReader(tls).ReadToEndAsync();

        using var client = authority.Client();
        var plain = (await client.DirectoryAsync(None))["newOrder"]!.GetValue<string>();
        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.Contains($"\"newOrder\":\"{plain}\"", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("evil", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Terms_that_are_announced_must_be_agreed_to()
    {
        await using var own = await RunningAuthority.StartAsync(o => o.Acme.TermsOfService = "https://ca.test/terms");
        using var client = own.Client();
        Assert.Equal("https://ca.test/terms", (await client.DirectoryAsync(None))["meta"]!["termsOfService"]!.GetValue<string>());

        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.RegisterAsync(None, []));

        Assert.Equal("userActionRequired", refused.Answer.Problem);
        Assert.Equal(201, (await client.RegisterAsync(None)).Status);
    }

    [Theory]
    [InlineData("HEAD", HttpStatusCode.OK)]
    [InlineData("GET", HttpStatusCode.NoContent)]
    public async Task New_nonce_answers_head_and_get_and_is_never_cached(string method, HttpStatusCode status)
    {
        using var http = authority.Http();
        using var request = new HttpRequestMessage(new HttpMethod(method), authority.Options.Server.BaseUrl + "/acme/new-nonce");
        using var response = await http.SendAsync(request);

        Assert.Equal(status, response.StatusCode);
        Assert.Single(response.Headers.GetValues("Replay-Nonce"));
        Assert.True(response.Headers.CacheControl!.NoStore);
    }

    [Fact]
    public async Task The_chain_has_two_certificates_and_a_final_newline_and_an_alternate()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Publish(client, name, PersistDialect.Draft02);
        var order = await client.ReadyOrderAsync("dns-persist-01", name);
        var (csr, key) = RunningAuthority.Csr(name);
        key.Dispose();
        var final = await client.FinalizeAsync(order, csr);

        var chain = await client.FetchAsync(final.Json["certificate"]!.GetValue<string>(), None);

        Assert.Equal("application/pem-certificate-chain", chain.ContentType);
        Assert.EndsWith("-----END CERTIFICATE-----\n", chain.Body, StringComparison.Ordinal);
        Assert.Equal(2, chain.Body.Split("BEGIN CERTIFICATE").Length - 1);
        var alternate = await client.FetchAsync(Link(chain, "alternate")!, None);
        Assert.Equal(3, alternate.Body.Split("BEGIN CERTIFICATE").Length - 1);
        Assert.Equal(final.Json["certificate"]!.GetValue<string>(), Link(alternate, "alternate"));
    }

    [Fact]
    public async Task A_failed_challenge_leaves_the_others_pending()
    {
        using var client = await authority.RegisteredAsync();
        var order = await client.OrderAsync([shared.Fresh()], None);
        var authorization = await client.ProveAsync(order.Json["authorizations"]![0]!.GetValue<string>(), "dns-persist-01");

        Assert.Equal("invalid", authorization.Json["status"]!.GetValue<string>());
        Assert.Equal("pending", authorization.Challenge("dns-01")["status"]!.GetValue<string>());
        Assert.Equal("invalid", (await client.FetchAsync(order.Location!, None)).Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task Wildcard_is_true_where_it_is_and_absent_elsewhere()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        var order = await client.OrderAsync([name, "*." + name], None);
        var plain = await client.FetchAsync(order.Json["authorizations"]![0]!.GetValue<string>(), None);
        var wild = await client.FetchAsync(order.Json["authorizations"]![1]!.GetValue<string>(), None);

        Assert.False(plain.Json.ContainsKey("wildcard"));
        Assert.True(wild.Json["wildcard"]!.GetValue<bool>());
        Assert.Equal(name, wild.Json["identifier"]!["value"]!.GetValue<string>());
        Assert.Equal(["dns-01", "dns-persist-01"], wild.Json["challenges"]!.AsArray().Select(c => c!["type"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Directory_and_new_nonce_can_be_fetched_by_post_too()
    {
        using var client = await authority.RegisteredAsync();
        Assert.Equal((await client.DirectoryAsync(None)).ToJsonString(), JsonNode.Parse((await client.FetchAsync(authority.DirectoryUrl, None)).Body)!.ToJsonString());
        Assert.Equal(204, (await client.FetchAsync(await client.UrlAsync("newNonce", None), None)).Status);
    }

    [Fact]
    public async Task Every_answer_but_the_directory_links_to_the_index_and_every_post_brings_a_nonce()
    {
        using var client = await authority.RegisteredAsync();
        var answers = new[]
        {
            await client.FetchAsync(client.AccountUrl!, None),
            await client.OrderAsync([shared.Fresh()], None),
            await client.SendAsync(authority.Options.Server.BaseUrl + "/acme/nothing", "{}", None),
        };

        Assert.All(answers, a =>
        {
            Assert.Equal(authority.DirectoryUrl, Link(a, "index"));
            Assert.True(a.Headers.Contains("Replay-Nonce"));
        });
    }

    [Fact]
    public async Task The_host_header_changes_no_url()
    {
        // The certificate is not the point here, and the client would compare it with the Host header.
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        using var http = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, authority.DirectoryUrl) { Headers = { Host = "evil.test" } };
        using var response = await http.SendAsync(request);

        Assert.DoesNotContain("evil", await response.Content.ReadAsStringAsync() + response.Headers, StringComparison.Ordinal);
    }
}

using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Acme;

/// <summary>Orders, accounts, revocation: what RFC 8555 says of them, through the doors.</summary>
public sealed class OrderAndAccountTests(SharedAuthority shared) : IClassFixture<SharedAuthority>
{
    private readonly RunningAuthority authority = shared.Authority;

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task The_list_of_orders_is_paged_newest_first_and_leaves_failed_ones_out()
    {
        using var client = await authority.RegisteredAsync();
        var urls = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            urls.Insert(0, (await client.OrderAsync([shared.Fresh()], None)).Location!);
        }

        var listed = new List<string>();
        for (var next = client.AccountUrl + "/orders"; next is not null;)
        {
            var page = await client.FetchAsync(next, None);
            Assert.InRange(page.Json["orders"]!.AsArray().Count, 1, 2);
            listed.AddRange(page.Json["orders"]!.AsArray().Select(o => o!.GetValue<string>()));
            next = page.Headers.GetValues("Link").FirstOrDefault(l => l.Contains("rel=\"next\"", StringComparison.Ordinal))?.Split('>')[0].TrimStart('<');
        }

        Assert.Equal(urls, listed);
    }

    [Fact]
    public async Task Contacts_are_replaced_and_an_empty_object_changes_nothing()
    {
        using var client = await authority.RegisteredAsync();
        var changed = await client.PostAsync(client.AccountUrl!, """{"contact":["mailto:a@example.test"]}""", None);
        Assert.Equal("mailto:a@example.test", changed.Json["contact"]![0]!.GetValue<string>());
        Assert.Equal(changed.Body, (await client.PostAsync(client.AccountUrl!, "{}", None)).Body);
    }

    [Theory]
    [InlineData("""{"status":"revoked"}""")]
    [InlineData("""{"termsOfServiceAgreed":true}""")]
    [InlineData("""{"orders":"https://elsewhere.test/orders","unheard":["of"]}""")]
    public async Task Of_an_account_nothing_but_contacts_and_its_end_can_be_changed_and_the_rest_is_ignored(string update)
    {
        using var client = await authority.RegisteredAsync();
        var before = await client.FetchAsync(client.AccountUrl!, None);
        var entries = await AuditCountAsync();

        var after = await client.PostAsync(client.AccountUrl!, update, None);

        Assert.Equal((200, before.Body), (after.Status, after.Body));
        Assert.Equal(entries, await AuditCountAsync());

        Task<int> AuditCountAsync() => authority.Store.ReadAsync(db => db.AuditEntries.CountAsync(e => e.Subject == "account:" + client.AccountUrl!.Split('/', StringSplitOptions.None).Last()), None);
    }

    [Fact]
    public async Task An_external_account_binding_that_nobody_verified_is_not_reflected()
    {
        using var client = authority.Client();
        var payload = JsonNode.Parse("""{"termsOfServiceAgreed":true,"externalAccountBinding":{"protected":"e30","payload":"e30","signature":"AAAA"}}""")!.AsObject();
        Assert.False((await client.RegisterAsync(None, payload)).Json.ContainsKey("externalAccountBinding"));
    }

    [Fact]
    public async Task Members_of_a_challenge_response_that_the_challenge_does_not_know_are_ignored()
    {
        using var client = await authority.RegisteredAsync();
        var order = await client.OrderAsync([shared.Fresh()], None);
        var authorization = await client.FetchAsync(order.Json["authorizations"]![0]!.GetValue<string>(), None);
        var answer = await client.PostAsync(authorization.Challenge("dns-01")["url"]!.GetValue<string>(), """{"keyAuthorization":"old.form","unheard":{"of":[1]}}""", None);
        Assert.Equal((200, "dns-01"), (answer.Status, answer.Json["type"]!.GetValue<string>()));
    }

    [Fact]
    public async Task A_certificates_key_is_no_accounts_key_of_whomever_present_or_former()
    {
        using var other = await authority.RegisteredAsync();
        using var former = ECDsa.Create(other.AccountKey.ExportParameters(true));
        await other.ChangeKeyAsync(ECDsa.Create(ECCurve.NamedCurves.nistP256), None);
        using var present = ECDsa.Create(other.AccountKey.ExportParameters(true));
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Publish(client, name, PersistDialect.Draft01);
        var order = await client.ReadyOrderAsync("dns-persist-01", name);
        foreach (var key in new[] { former, present })
        {
            var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.FinalizeAsync(order, RunningAuthority.Csr(key, name)));
            Assert.Equal("badPublicKey", refused.Answer.Problem);
            Assert.Contains("that is, or was, an account's", refused.Answer.Body, StringComparison.Ordinal);
        }

        Assert.Equal("ready", (await client.FetchAsync(order.Location!, None)).Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_certificates_key_becomes_no_accounts_neither_new_nor_by_key_change()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Publish(client, name, PersistDialect.Draft01);
        var order = await client.ReadyOrderAsync("dns-persist-01", name);
        var (csr, key) = RunningAuthority.Csr(name);
        await client.FinalizeAsync(order, csr);

        using var same = ECDsa.Create(key.ExportParameters(true));
        using var fresh = new AcmeClient(authority.Http(), authority.DirectoryUrl, key);
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => fresh.RegisterAsync(None));
        Assert.Equal("badPublicKey", refused.Answer.Problem);
        refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.ChangeKeyAsync(same, None));
        Assert.Equal("badPublicKey", refused.Answer.Problem);
    }

    [Fact]
    public async Task A_sole_refused_name_has_its_identifier_in_a_subproblem_and_none_at_the_top()
    {
        using var client = await authority.RegisteredAsync();
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync(["bad_name.test"], None));
        Assert.Equal("rejectedIdentifier", refused.Answer.Problem);
        Assert.False(refused.Answer.Json.ContainsKey("identifier"));
        Assert.Equal("bad_name.test", Assert.Single(refused.Answer.Json["subproblems"]!.AsArray())!["identifier"]!["value"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("notBefore", 49, "must lie within 48 hours of now")]
    [InlineData("notAfter", 24 * 91, "certificates here are valid for at most 90 days")]
    [InlineData("notAfter", -1, "No validity is left")]
    public async Task Times_that_cannot_be_given_are_refused_before_anything_is_proved(string member, int hours, string reason)
    {
        using var client = await authority.RegisteredAsync();
        var payload = $$"""{"identifiers":[{"type":"dns","value":"{{shared.Fresh()}}"}],"{{member}}":"{{authority.Clock.GetUtcNow().AddHours(hours):yyyy-MM-ddTHH:mm:ssZ}}"}""";
        var url = await client.UrlAsync("newOrder", None);
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.PostAsync(url, payload, None));
        Assert.Equal("malformed", refused.Answer.Problem);
        Assert.Contains(reason, refused.Answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_key_change_the_old_key_is_nobodys_and_the_account_stays()
    {
        using var client = await authority.RegisteredAsync();
        var url = client.AccountUrl;
        using var old = ECDsa.Create(client.AccountKey.ExportParameters(true));
        await client.ChangeKeyAsync(ECDsa.Create(ECCurve.NamedCurves.nistP256), None);

        Assert.Equal(200, (await client.FetchAsync(url!, None)).Status);
        var header = new JsonObject { ["alg"] = "ES256", ["nonce"] = await client.NonceAsync(None), ["url"] = url, ["kid"] = url };
        Assert.Equal("malformed", (await client.SendAsync(url!, AcmeClient.Sign(old, header, ""), None)).Problem);
    }

    [Fact]
    public async Task A_key_that_another_account_has_is_a_conflict_with_its_location()
    {
        using var client = await authority.RegisteredAsync();
        using var other = await authority.RegisteredAsync();
        using var key = ECDsa.Create(other.AccountKey.ExportParameters(true));
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.ChangeKeyAsync(key, None));
        Assert.Equal((409, other.AccountUrl), (refused.Answer.Status, refused.Answer.Location));
    }

    [Fact]
    public async Task A_deactivated_account_is_refused_everywhere_with_401()
    {
        using var client = await authority.RegisteredAsync();
        Assert.Equal("deactivated", (await client.PostAsync(client.AccountUrl!, """{"status":"deactivated"}""", None)).Json["status"]!.GetValue<string>());
        foreach (var act in new Func<Task>[] { () => client.FetchAsync(client.AccountUrl!, None), () => client.OrderAsync(["x.example.test"], None), () => client.RegisterAsync(None) })
        {
            var refused = await Assert.ThrowsAsync<AcmeRefusedException>(act);
            Assert.Equal((401, "unauthorized"), (refused.Answer.Status, refused.Answer.Problem));
        }
    }

    [Fact]
    public async Task Names_are_folded_and_repeats_are_one()
    {
        using var client = await authority.RegisteredAsync();
        var order = await client.OrderAsync(["Upper.Example.TEST", "upper.example.test"], None);
        Assert.Equal("""[{"type":"dns","value":"upper.example.test"}]""", order.Json["identifiers"]!.ToJsonString());
    }

    [Fact]
    public async Task Several_refused_names_are_subproblems_each_with_its_identifier()
    {
        using var client = await authority.RegisteredAsync();
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync(["good.example.test", "bad_name.test", "com"], None));
        Assert.Equal("rejectedIdentifier", refused.Answer.Problem);
        Assert.Equal(["bad_name.test", "com"], refused.Answer.Json["subproblems"]!.AsArray().Select(p => p!["identifier"]!["value"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Several_failed_authorizations_are_subproblems_of_the_orders_error()
    {
        using var client = await authority.RegisteredAsync();
        var order = await client.ReadyOrderAsync("dns-persist-01", shared.Fresh(), shared.Fresh());
        Assert.Equal("invalid", order.Json["status"]!.GetValue<string>());
        Assert.Equal(2, order.Json["error"]!["subproblems"]!.AsArray().Count);
    }

    [Fact]
    public async Task An_order_lapses_with_its_time()
    {
        await using var own = await RunningAuthority.StartAsync(o => o.Acme.NonceLifetime = TimeSpan.FromDays(2));
        using var client = await own.RegisteredAsync();
        var order = await client.OrderAsync(["late.example.test"], None);
        own.Clock.Ahead = own.Options.Acme.OrderLifetime + TimeSpan.FromSeconds(1);

        var lapsed = await client.FetchAsync(order.Location!, None);
        Assert.Equal("invalid", lapsed.Json["status"]!.GetValue<string>());
        Assert.Equal("expired", (await client.FetchAsync(order.Json["authorizations"]![0]!.GetValue<string>(), None)).Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_deactivated_authorization_takes_its_order_with_it()
    {
        using var client = await authority.RegisteredAsync();
        var order = await client.OrderAsync([shared.Fresh()], None);
        var deactivated = await client.PostAsync(order.Json["authorizations"]![0]!.GetValue<string>(), """{"status":"deactivated"}""", None);
        Assert.Equal("deactivated", deactivated.Json["status"]!.GetValue<string>());
        Assert.Equal("invalid", (await client.FetchAsync(order.Location!, None)).Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task Finalize_again_with_the_same_request_gives_the_same_order()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Publish(client, name, PersistDialect.Draft01);
        var order = await client.ReadyOrderAsync("dns-persist-01", name);
        var (csr, key) = RunningAuthority.Csr(name);
        key.Dispose();
        var first = await client.FinalizeAsync(order, csr);
        Assert.Equal(first.Body, (await client.FinalizeAsync(order, csr)).Body);
    }

    [Fact]
    public async Task Requested_times_stand_in_the_certificate()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Publish(client, name, PersistDialect.Draft01);
        var to = DateTimeOffset.FromUnixTimeSeconds(authority.Clock.GetUtcNow().AddDays(3).ToUnixTimeSeconds());
        var answer = await client.PostAsync(
            await client.UrlAsync("newOrder", None),
            $$"""{"identifiers":[{"type":"dns","value":"{{name}}"}],"notAfter":"{{Protocol.Acme.AcmeJson.Time(to)}}"}""",
            None);
        await client.ProveAsync(answer.Json["authorizations"]![0]!.GetValue<string>(), "dns-persist-01");
        var (csr, key) = RunningAuthority.Csr(name);
        key.Dispose();
        var final = await client.FinalizeAsync(answer, csr);
        using var leaf = X509Certificate2.CreateFromPem((await client.FetchAsync(final.Json["certificate"]!.GetValue<string>(), None)).Body);

        Assert.InRange((to - leaf.NotAfter.ToUniversalTime()).TotalSeconds, 0, 1);
    }

    [Fact]
    public async Task A_revoked_certificate_stands_in_the_next_crl_and_the_key_alone_may_revoke()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Publish(client, name, PersistDialect.Draft01);
        var order = await client.ReadyOrderAsync("dns-persist-01", name);
        var (csr, key) = RunningAuthority.Csr(name);
        var final = await client.FinalizeAsync(order, csr);
        using var leaf = X509Certificate2.CreateFromPem((await client.FetchAsync(final.Json["certificate"]!.GetValue<string>(), None)).Body);
        using var bearer = new AcmeClient(authority.Http(), authority.DirectoryUrl, key);

        var payload = $$"""{"certificate":"{{Base64Url.EncodeToString(leaf.RawData)}}","reason":1}""";
        Assert.Equal(200, (await bearer.PostAsync(await bearer.UrlAsync("revokeCert", None), payload, None, bareKey: true)).Status);

        var distribution = leaf.Extensions.First(e => e.Oid!.Value == "2.5.29.31").Format(false);
        var url = distribution[distribution.IndexOf("http://", StringComparison.Ordinal)..].Split(".crl")[0] + ".crl";
        using var http = new HttpClient();
        var serial = leaf.SerialNumberBytes.ToArray();
        await Patience.UntilAsync(
            async () => CertificateRevocationListBuilder.Load(await http.GetByteArrayAsync(new Uri(url)), out _).RemoveEntry(serial),
            "the CRL does not name the revoked certificate");
    }

    [Fact]
    public async Task An_account_with_authorizations_for_all_names_may_revoke_anothers_certificate()
    {
        using var owner = await authority.RegisteredAsync();
        using var successor = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Publish(owner, name, PersistDialect.Draft01);
        using var leaf = X509Certificate2.CreateFromPem(await owner.IssueAsync("dns-persist-01", name));
        var payload = $$"""{"certificate":"{{Base64Url.EncodeToString(leaf.RawData)}}"}""";
        var url = await successor.UrlAsync("revokeCert", None);
        await Assert.ThrowsAsync<AcmeRefusedException>(() => successor.PostAsync(url, payload, None));

        authority.Publish(successor, name, PersistDialect.Draft01);
        await successor.ReadyOrderAsync("dns-persist-01", name);
        Assert.Equal(200, (await successor.PostAsync(url, payload, None)).Status);
    }

    [Fact]
    public async Task Every_state_change_has_its_audit_entry()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Publish(client, name, PersistDialect.Draft02);
        await client.IssueAsync("dns-persist-01", name);
        var account = "account:" + client.AccountUrl!.Split('/')[^1];
        var kinds = await authority.Store.ReadAsync(
            db => db.AuditEntries.Where(e => e.Actor == account || e.Facts.Contains(name) || e.Subject == account).OrderBy(e => e.Id).Select(e => e.Kind).ToListAsync(),
            None);

        Assert.Equal(["account.created", "order.created", "challenge.accepted", "validation.succeeded", "order.finalized", "issuance.intended"], kinds);
    }

    [Fact]
    public async Task Issuer_certificate_and_crl_are_where_the_certificate_says()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Publish(client, name, PersistDialect.Draft02);
        using var leaf = X509Certificate2.CreateFromPem(await client.IssueAsync("dns-persist-01", name));
        var aia = leaf.Extensions.OfType<X509AuthorityInformationAccessExtension>().Single().EnumerateCAIssuersUris().Single();
        using var http = new HttpClient();
        using var issuer = X509CertificateLoader.LoadCertificate(await http.GetByteArrayAsync(new Uri(aia)));
        Assert.Equal(leaf.Issuer, issuer.Subject);
    }
}

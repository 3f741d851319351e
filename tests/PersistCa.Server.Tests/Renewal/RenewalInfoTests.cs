using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using PersistCa.Protocol.Certificates;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Renewal;

/// <summary>RFC 9773 section 4: the resource.</summary>
public sealed class RenewalInfoTests
{
    [Fact]
    public async Task Anybody_is_told_a_window_within_the_certificates_life_always_the_same_and_when_to_ask_again()
    {
        await using var authority = await RenewalBed.StartAsync(o => o.Acme.Renewal.CheckInterval = TimeSpan.FromMinutes(7));
        using var client = await authority.RegisteredAsync();
        var chain = await authority.IssueAsync(client, "a.test");
        using var leaf = X509Certificate2.CreateFromPem(chain);
        var advice = await authority.AdviceAsync(RenewalBed.IdOf(chain));

        Assert.Equal(HttpStatusCode.OK, advice.Status);
        Assert.Equal(["suggestedWindow"], advice.Json!.Select(m => m.Key));
        var life = leaf.NotAfter - leaf.NotBefore;
        Assert.InRange(advice.Start, leaf.NotBefore + (life * 0.64), leaf.NotBefore + (life * 0.71));
        Assert.InRange(advice.End - advice.Start, life * 0.049, life * 0.051);
        Assert.Equal(TimeSpan.FromMinutes(7), advice.Headers.RetryAfter!.Delta);
        Assert.Equal("public, max-age=30", advice.Headers.CacheControl!.ToString());

        authority.Clock.Ahead = TimeSpan.FromDays(80);
        Assert.Equal(advice.Json!.ToJsonString(), (await authority.AdviceAsync(RenewalBed.IdOf(chain))).Json!.ToJsonString());
    }

    [Fact]
    public async Task What_a_client_has_already_is_not_sent_again_and_head_has_no_body()
    {
        await using var authority = await RenewalBed.StartAsync();
        using var client = await authority.RegisteredAsync();
        var id = RenewalBed.IdOf(await authority.IssueAsync(client, "a.test"));
        var tag = (await authority.AdviceAsync(id)).Headers.ETag!.ToString();
        var again = await authority.AdviceAsync(id, tag);
        Assert.Equal((HttpStatusCode.NotModified, null), (again.Status, again.Json));
        Assert.NotNull(again.Headers.RetryAfter);
        Assert.Equal(HttpStatusCode.OK, (await authority.AdviceAsync(id, "\"another\"")).Status);
        var head = await authority.AdviceAsync(id, method: "HEAD");
        Assert.Equal((HttpStatusCode.OK, null), (head.Status, head.Json));
        Assert.Equal(tag, head.Headers.ETag!.ToString());
    }

    [Fact]
    public async Task A_certificate_that_was_not_issued_here_gives_404_and_what_is_no_id_400_each_as_a_problem()
    {
        await using var authority = await RenewalBed.StartAsync();
        using var client = await authority.RegisteredAsync();
        var id = CertificateId.Parse(RenewalBed.IdOf(await authority.IssueAsync(client, "a.test"))).Value!;
        foreach (var (text, status, reason) in new[]
        {
            ((id with { Serial = "0123456789" }).ToString(), HttpStatusCode.NotFound, "There is no such certificate here."),
            ((id with { KeyIdentifier = "00" + id.KeyIdentifier[2..] }).ToString(), HttpStatusCode.NotFound, "There is no such certificate here."),
            ((id with { KeyIdentifier = id.KeyIdentifier[..^2] }).ToString(), HttpStatusCode.NotFound, "There is no such certificate here."),
            (id + "=", HttpStatusCode.BadRequest, "padded"),
            ("x", HttpStatusCode.BadRequest, "0 dots"),
            (new string('A', 3000), HttpStatusCode.BadRequest, "at most"),
        })
        {
            var refused = await authority.AdviceAsync(text);
            Assert.Equal((status, "urn:ietf:params:acme:error:malformed"), (refused.Status, refused.Json!["type"]!.GetValue<string>()));
            Assert.Contains(reason, refused.Json["detail"]!.GetValue<string>(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Revocation_moves_the_window_into_the_past_and_says_where_it_is_explained()
    {
        await using var authority = await RenewalBed.StartAsync(o => o.Acme.Renewal.ExplanationUrl = "https://status.example/why");
        using var client = await authority.RegisteredAsync();
        var chain = await authority.IssueAsync(client, "a.test");
        var before = await authority.AdviceAsync(RenewalBed.IdOf(chain));
        Assert.Null(before.ExplanationUrl);
        using var leaf = X509Certificate2.CreateFromPem(chain);
        await client.PostAsync(
            await client.UrlAsync("revokeCert", RenewalBed.None), new JsonObject { ["certificate"] = System.Buffers.Text.Base64Url.EncodeToString(leaf.RawData) }.ToJsonString(), RenewalBed.None);

        var after = await authority.AdviceAsync(RenewalBed.IdOf(chain));

        Assert.True(after.Start < after.End && after.End < authority.Store.Now);
        Assert.Equal("https://status.example/why", after.ExplanationUrl);
        Assert.NotEqual(before.Headers.ETag, after.Headers.ETag);
        Assert.Equal(after.Json!.ToJsonString(), (await authority.AdviceAsync(RenewalBed.IdOf(chain))).Json!.ToJsonString());
    }

    [Fact]
    public async Task Post_is_not_the_way_to_renewal_information()
    {
        await using var authority = await RenewalBed.StartAsync();
        using var client = await authority.RegisteredAsync();
        var id = RenewalBed.IdOf(await authority.IssueAsync(client, "a.test"));
        var url = await client.UrlAsync("renewalInfo", RenewalBed.None) + "/" + id;
        Assert.Equal(405, (await RenewalBed.TryAsync(() => client.FetchAsync(url, RenewalBed.None))).Status);
    }
}

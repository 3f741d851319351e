using System.Security.Cryptography.X509Certificates;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Profiles;

/// <summary>Several issuers at once: chosen by profile, followed by another at a set time, with other chains.</summary>
public sealed class IssuerTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_profile_chooses_its_issuer_and_each_has_its_own_chain_and_list()
    {
        using var second = await SecondHierarchy.MakeAsync("Second", SigningAlgorithms.Rsa3072);
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            second.AddTo(o);
            o.Profiles = [new ProfileOptions { Name = "rsa", Issuers = ["Second"] }];
        });
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.test", PersistDialect.Draft02);
        var (first, other) = (await client.IssueAsync("dns-persist-01", "a.test"), await client.IssueOfAsync("rsa", "dns-persist-01", "a.test"));
        Assert.Null(RootTrust.Verify(first, authority.RootPem, "a.test"));
        Assert.Null(RootTrust.Verify(other, second.RootPem, "a.test"));
        Assert.NotNull(RootTrust.Verify(other, authority.RootPem, "a.test"));

        using var http = authority.Http();
        foreach (var pem in new[] { first, other })
        {
            using var leaf = X509Certificate2.CreateFromPem(pem);
            var crl = await WaitForAsync(http, CrlOf(leaf));
            Assert.NotEmpty(crl);
        }
    }

    [Fact]
    public async Task A_root_is_no_issuer_of_subscribers_certificates()
    {
        await using var authority = await RunningAuthority.StartAsync();
        var folder = AuthorityFiles.Folder(authority.Options);
        authority.Options.Authority.Issuers = [new IssuerOptions { Name = "top", CertificateFile = Path.Combine(folder, "root.pem"), KeyFile = Path.Combine(folder, "root.key.pem") }];
        var refused = await Assert.ThrowsAsync<StartRefusedException>(authority.RestartAsync);
        Assert.Contains("Authority:Issuers: the certificate of top is a root's", refused.Message, StringComparison.Ordinal);

        authority.Options.Authority.Issuers = [];
        authority.Options.Authority.IssuingCertificateFile = Path.Combine(folder, "root.pem");
        authority.Options.Authority.IssuingKeyFile = Path.Combine(folder, "root.key.pem");
        refused = await Assert.ThrowsAsync<StartRefusedException>(authority.RestartAsync);
        Assert.Contains("Authority:IssuingCertificateFile: the certificate of issuing is a root's", refused.Message, StringComparison.Ordinal);

        authority.Options.Authority.IssuingCertificateFile = authority.Options.Authority.IssuingKeyFile = "";
        await authority.RestartAsync();
    }

    [Fact]
    public async Task When_another_issuer_follows_no_order_fails_and_the_first_goes_on_telling_status()
    {
        using var second = await SecondHierarchy.MakeAsync("Second", SigningAlgorithms.EcdsaP256);
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            second.AddTo(o);
            o.Profiles = [new ProfileOptions { Name = "server", Issuers = ["issuing", "Second"] }];
            o.Authority.IssuingUntil = DateTimeOffset.MaxValue;
        });
        authority.Options.Authority.IssuingUntil = authority.Clock.GetUtcNow() + TimeSpan.FromMinutes(10);
        await authority.RestartAsync();
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.test", PersistDialect.Draft02, wildcard: true);
        var before = await client.IssueAsync("dns-persist-01", "x.a.test");

        // Orders under way when the time comes.
        var open = new List<AcmeAnswer>();
        for (var i = 0; i < 5; i++)
        {
            open.Add(await client.ReadyOrderAsync("dns-persist-01", $"n{i}.a.test"));
        }

        authority.Clock.Ahead += TimeSpan.FromMinutes(11);
        for (var i = 0; i < open.Count; i++)
        {
            var (csr, key) = RunningAuthority.Csr($"n{i}.a.test");
            key.Dispose();
            var final = await client.FinalizeAsync(open[i], csr);
            Assert.Equal("valid", final.Json["status"]!.GetValue<string>());
            using var next = X509Certificate2.CreateFromPem((await client.FetchAsync(final.Json["certificate"]!.GetValue<string>(), None)).Body);
            Assert.Contains("CN=Second Issuing 1", next.Issuer, StringComparison.Ordinal);
        }

        using var leaf = X509Certificate2.CreateFromPem(before);
        await client.PostAsync(
            await client.UrlAsync("revokeCert", None),
            new System.Text.Json.Nodes.JsonObject { ["certificate"] = System.Buffers.Text.Base64Url.EncodeToString(leaf.RawData) }.ToJsonString(),
            None);
        using var http = authority.Http();
        var serial = Convert.FromHexString(leaf.SerialNumber);
        for (var left = 200; (await WaitForAsync(http, CrlOf(leaf))).AsSpan().IndexOf(serial) < 0; left--)
        {
            Assert.True(left > 0, "the revocation by the issuer that was followed is in no list");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }

    [Fact]
    public async Task Other_chains_are_offered_as_alternates()
    {
        using var second = await SecondHierarchy.MakeAsync("Second", SigningAlgorithms.EcdsaP256);
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            second.AddTo(o);
            o.Authority.Issuers[0].AlternateChainFiles = [second.CrossSigned()];
            o.Profiles = [new ProfileOptions { Name = "server", Issuers = ["Second"] }];
        });
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.test", PersistDialect.Draft02);
        var order = await client.ReadyOrderAsync("dns-persist-01", "a.test");
        var (csr, key) = RunningAuthority.Csr("a.test");
        using var _ = key;
        var final = await client.FinalizeAsync(order, csr);
        var answer = await client.FetchAsync(final.Json["certificate"]!.GetValue<string>(), None);
        var links = answer.Headers.GetValues("Link").Where(l => l.Contains("rel=\"alternate\"", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, links.Count);
        var chains = new List<string>();
        foreach (var link in links)
        {
            chains.Add((await client.FetchAsync(link[1..link.IndexOf('>', StringComparison.Ordinal)], None)).Body);
        }

        Assert.Null(RootTrust.Verify(answer.Body, second.RootPem, "a.test"));
        Assert.Contains(chains, c => RootTrust.Verify(c, second.OtherRootPem, "a.test") is null);
    }

    [Fact]
    public async Task An_issuer_of_no_time_stops_the_start()
    {
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => RunningAuthority.StartAsync(o => o.Authority.IssuingUntil = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero)));
        Assert.Contains("Authority:Issuers: none of the issuers signs at this time", refused.Message, StringComparison.Ordinal);
    }

    private static Uri CrlOf(X509Certificate2 leaf)
    {
        var text = System.Text.Encoding.ASCII.GetString(leaf.Extensions.First(e => e.Oid!.Value == "2.5.29.31").RawData);
        return new Uri(text[text.IndexOf("http", StringComparison.Ordinal)..]);
    }

    private static async Task<byte[]> WaitForAsync(HttpClient http, Uri list)
    {
        for (var left = 100; ; left--)
        {
            using var answer = await http.GetAsync(list);
            if (answer.IsSuccessStatusCode)
            {
                return await answer.Content.ReadAsByteArrayAsync();
            }

            Assert.True(left > 0, $"{list} is not there");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }
}

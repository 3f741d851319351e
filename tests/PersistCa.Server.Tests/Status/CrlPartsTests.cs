using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.Linting;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Status;

/// <summary>Lists in parts over HTTP and across restarts.</summary>
public sealed class CrlPartsTests(StatusBed bed) : IClassFixture<StatusBed>
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_revocation_stands_in_the_list_that_the_certificate_points_at_and_in_no_other()
    {
        using var client = await bed.Authority.RegisteredAsync();
        var (leaf, _) = await bed.IssueAsync(client);
        var url = StatusBed.CrlUrl(leaf);
        Assert.Matches($"/crl/{bed.IssuerId}/[1-4]\\.crl$", url);
        await StatusBed.RevokeAsync(client, leaf, 4);
        await bed.UntilListedAsync(url, leaf);

        var serial = StatusBed.Serial(leaf);
        foreach (var part in new[] { "", "/1", "/2", "/3", "/4" })
        {
            var other = $"{bed.Authority.Options.Server.PublicationUrl}/crl/{bed.IssuerId}{part}.crl";
            var list = CrlFacts.Read(await bed.Http.GetByteArrayAsync(new Uri(other))).Value!;
            Assert.Equal(other == url, (list.Entries ?? []).Any(e => e.Serial == serial));
            Assert.Empty(CrlLint.Check(list, new CrlLintContext { DistributionUris = [other] }));
            Assert.True(list.Find("2.5.29.28")!.Critical);
        }
    }

    [Fact]
    public async Task Caches_may_keep_a_list_for_half_a_minute_and_ask_again_by_its_tag()
    {
        var url = new Uri($"{bed.Authority.Options.Server.PublicationUrl}/crl/{bed.IssuerId}/1.crl");
        using var first = await bed.Http.GetAsync(url);
        Assert.Equal("application/pkix-crl", first.Content.Headers.ContentType!.MediaType);
        Assert.Equal(TimeSpan.FromSeconds(30), first.Headers.CacheControl!.MaxAge);
        using var again = new HttpRequestMessage(HttpMethod.Get, url);
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        Assert.Equal(HttpStatusCode.NotModified, (await bed.Http.SendAsync(again)).StatusCode);
        foreach (var wrong in new[] { "5.crl", "0.crl", "01x.crl", "1.pem" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await bed.Http.GetAsync(new Uri(url, wrong))).StatusCode);
        }
    }

    [Fact]
    public async Task A_certificate_keeps_its_list_when_parts_come_and_go_and_numbers_rise_across_restarts()
    {
        await using var authority = await RunningAuthority.StartAsync();
        using var http = new HttpClient();
        var leaves = new List<X509Certificate2>();
        var seen = new Dictionary<string, long>();
        foreach (var shards in new[] { 1, 3, 1 })
        {
            authority.Options.Issuance.CrlShards = shards;
            await authority.RestartAsync();
            using var client = await authority.RegisteredAsync();
            var name = $"p{leaves.Count}.example.test";
            authority.Publish(client, name, Protocol.Records.PersistDialect.Draft02);
            leaves.Add(X509Certificate2.CreateFromPem(await client.IssueAsync("dns-persist-01", name)));
            foreach (var leaf in leaves)
            {
                await StatusBed.RevokeAsync(client, leaf); // only the newest is this account's
            }

            foreach (var leaf in leaves)
            {
                var (_, number) = await UntilAsync(http, StatusBed.CrlUrl(leaf), leaf);
                Assert.InRange(number, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - 600, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 10);
                Assert.True(number >= seen.GetValueOrDefault(StatusBed.CrlUrl(leaf)), "a number fell");
                seen[StatusBed.CrlUrl(leaf)] = number;
            }
        }

        Assert.DoesNotMatch("/[0-9a-f]+/[1-3]\\.crl", StatusBed.CrlUrl(leaves[0]));
        Assert.Matches("/[0-9a-f]+/[1-3]\\.crl", StatusBed.CrlUrl(leaves[1]));
        Assert.Equal(StatusBed.CrlUrl(leaves[0]), StatusBed.CrlUrl(leaves[2]));
    }

    [Fact]
    public async Task A_store_put_back_from_a_copy_goes_on_with_higher_numbers()
    {
        await using var authority = await RunningAuthority.StartAsync();
        var (before, id) = await NumberAsync(authority, 0);

        // What the copy does not know: lists of later numbers. It knows of a low one only.
        await authority.Store.WriteAsync<string>(
            Storage.Actor.Operator,
            async t =>
            {
                await t.Db.Crls.ExecuteDeleteAsync(None);
                t.Db.Crls.Add(new Storage.CrlRow { IssuerId = id, Number = 3, Der = [1], ThisUpdate = t.Now.AddDays(-2), NextUpdate = t.Now });
                t.Audit("crl.published", "test");
                return "put back";
            },
            None);
        authority.Clock.Ahead = TimeSpan.FromSeconds(3);
        await authority.RestartAsync();
        Assert.True((await NumberAsync(authority, 3)).Number > before);
    }

    private static async Task<(long Number, string IssuerId)> NumberAsync(RunningAuthority authority, long above)
    {
        var row = await Patience.UntilAsync(() => authority.Store.ReadAsync(db => db.Crls.OrderByDescending(c => c.Number).FirstOrDefaultAsync(c => c.Number > above, None), None), "no list was made");
        return (row.Number, row.IssuerId);
    }

    private static async Task<(byte[] Der, long Number)> UntilAsync(HttpClient http, string url, X509Certificate2 leaf)
    {
        var number = System.Numerics.BigInteger.Zero;
        var der = await Patience.UntilAsync(
            async () =>
            {
                using var response = await http.GetAsync(new Uri(url));
                var list = response.IsSuccessStatusCode ? await response.Content.ReadAsByteArrayAsync() : null;
                return list is not null && CertificateRevocationListBuilder.Load(list, out number).RemoveEntry(leaf.SerialNumberBytes.Span.ToArray()) ? list : null;
            },
            $"{url} does not name the certificate");
        return (der, (long)number);
    }
}

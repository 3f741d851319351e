using System.Diagnostics;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Ocsp;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Registration;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Status;

/// <summary>What two nodes over one database say of certificates.</summary>
public sealed class NodesTests : IAsyncLifetime
{
    private HttpClient Http { get; } = new();
    private RunningAuthority authority = null!;
    private RunningNode second = null!;

    private static CancellationToken None => CancellationToken.None;

    private string[] Doors => [$"http://{authority.Options.Server.ListenPublication}", second.Publication];

    public async Task InitializeAsync()
    {
        authority = await RunningAuthority.StartAsync(
            o =>
            {
                o.Server.NodeName = "first";
                StatusBed.Configure(o);
                o.Issuance.CrlShards = 1;
            },
            await PostgresCluster.MigratedDatabaseAsync());
        second = await authority.JoinAsync("second");
    }

    public async Task DisposeAsync()
    {
        Http.Dispose();
        if (authority is not null)
        {
            await second.DisposeAsync();
            await authority.DisposeAsync();
        }
    }

    [SkippableFact]
    public async Task A_revocation_at_either_node_is_told_by_both_and_no_list_has_a_lower_number_than_one_before()
    {
        using var client = await authority.RegisteredAsync();
        using var other = second.Client(client);
        var issuer = authority.Services.GetRequiredService<StatusIssuers>().All[0];
        using var stop = new CancellationTokenSource();
        var watched = WatchNumbersAsync(issuer.IssuerId, stop.Token);
        var cached = authority.Options.Issuance.StatusMaxAge;
        foreach (var (revoker, turn) in new[] { (client, 0), (other, 1), (client, 2), (other, 3) })
        {
            using var leaf = await IssueAsync(client, $"n{turn}.example.test");
            var serial = StatusBed.Serial(leaf);
            foreach (var hash in Enum.GetValues<OcspHash>())
            {
                foreach (var door in Doors)
                {
                    Assert.Equal(0, await AskAsync(door, OcspCertId.Of(issuer, hash, serial)));
                }
            }

            var since = Stopwatch.StartNew();
            Assert.Equal(200, (await StatusBed.RevokeAsync(revoker, leaf, 4)).Status);

            // OCSP: at once, whoever is asked and by whatever hash; answers are in the store.
            foreach (var door in Doors)
            {
                Assert.Equal(1, await AskAsync(door, OcspCertId.Of(issuer, OcspHash.Sha1, serial)));
                Assert.Equal(1, await AskAsync(door, OcspCertId.Of(issuer, OcspHash.Sha256, serial)));
            }

            foreach (var door in Doors)
            {
                while (!(await ListAsync(door, issuer.IssuerId)).Entries.GetValueOrDefault([]).Any(e => e.Serial == serial))
                {
                    Assert.InRange(since.Elapsed + cached, TimeSpan.Zero, TimeSpan.FromSeconds(90)); // within the minute on a machine of its own
                    await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
                }
            }
        }

        await stop.CancelAsync();
        var numbers = await watched;
        Assert.Equal(numbers.Order(), numbers);
        Assert.True(numbers.Distinct().Count() >= 4, $"numbers seen: {string.Join(", ", numbers.Distinct())}");

        // Both signed with one signer, and no number was given twice.
        Assert.Single(await authority.Store.ReadAsync(db => db.OcspSigners.ToListAsync(None), None));
        var published = await authority.Store.ReadAsync(db => db.AuditEntries.Where(e => e.Kind == "crl.published").Select(e => e.Facts).ToListAsync(None), None);
        Assert.Equal(published.Count, published.Distinct().Count());
    }

    [SkippableFact]
    public async Task First_questions_about_one_certificate_at_both_nodes_at_once_get_one_answer_that_is_kept()
    {
        using var client = await authority.RegisteredAsync();
        var issuer = authority.Services.GetRequiredService<StatusIssuers>().All[0];
        for (var round = 0; round < 5; round++)
        {
            using var leaf = await IssueAsync(client, $"r{round}.example.test");
            var id = OcspCertId.Of(issuer, OcspHash.Sha256, StatusBed.Serial(leaf));
            var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => AskAsync(Doors[i % 2], id)));
            Assert.All(answers, status => Assert.Equal(0, status));
            var rows = await authority.Store.ReadAsync(db => db.OcspAnswers.Where(a => a.Serial == id.Serial && a.Hash == (int)OcspHash.Sha256).ToListAsync(None), None);
            Assert.NotEmpty(Assert.Single(rows).Der);
        }
    }

    private async Task<X509Certificate2> IssueAsync(AcmeClient client, string name)
    {
        authority.Publish(client, name, PersistDialect.Draft02);
        return X509Certificate2.CreateFromPem(await client.IssueAsync("dns-persist-01", name));
    }

    private async Task<int> AskAsync(string door, OcspCertId id)
    {
        var issuer = authority.Services.GetRequiredService<StatusIssuers>().All[0].IssuerId;
        using var content = new ByteArrayContent(Question.Of([id]));
        content.Headers.ContentType = new MediaTypeHeaderValue(OcspAnswer.QuestionMediaType);
        using var response = await Http.PostAsync(new Uri($"{door}/ocsp/{issuer}"), content);
        var read = OcspFacts.Read(await response.Content.ReadAsByteArrayAsync());
        Assert.True(read.IsValid, $"{response.StatusCode} {read.Reason}");
        return Assert.Single(read.Value.Singles).Status;
    }

    private async Task<CrlFacts> ListAsync(string door, string issuer) => CrlFacts.Read(await Http.GetByteArrayAsync(new Uri($"{door}/crl/{issuer}.crl"))).Value!;

    /// <summary>The numbers of the lists that a client gets who asks one node after the other.</summary>
    private async Task<List<System.Numerics.BigInteger>> WatchNumbersAsync(string issuer, CancellationToken stop)
    {
        var seen = new List<System.Numerics.BigInteger>();
        for (var turn = 0; !stop.IsCancellationRequested; turn++)
        {
            using var response = await Http.GetAsync(new Uri($"{Doors[turn % 2]}/crl/{issuer}.crl"), None);
            if (response.IsSuccessStatusCode)
            {
                var list = CrlFacts.Read(await response.Content.ReadAsByteArrayAsync(None)).Value!;
                seen.Add(new System.Formats.Asn1.AsnReader(list.Find("2.5.29.20")!.Value, System.Formats.Asn1.AsnEncodingRules.DER).ReadInteger());
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, None);
        }

        return seen;
    }
}

using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Ocsp;
using PersistCa.Protocol.Records;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Status;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Status;

/// <summary>A revocation is seen within a minute while orders are being issued.</summary>
public sealed class VisibilityTests(StatusBed bed) : IClassFixture<StatusBed>
{
    private const int Revocations = 8;

    [Fact]
    public async Task Revocations_show_in_list_and_ocsp_within_a_minute_while_orders_are_issued()
    {
        using var stop = new CancellationTokenSource();
        var issued = 0;
        var load = Enumerable.Range(0, 4).Select(async worker =>
        {
            using var client = await bed.Authority.RegisteredAsync();
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                var name = $"w{worker}-{i}.load.test";
                bed.Authority.Publish(client, name, PersistDialect.Draft02);
                await client.IssueAsync("dns-persist-01", name);
                Interlocked.Increment(ref issued);
            }
        }).ToArray();

        using var owner = await bed.Authority.RegisteredAsync();
        var issuer = bed.Authority.Services.GetRequiredService<StatusIssuers>().All[0];
        var (worstList, worstOcsp) = (TimeSpan.Zero, TimeSpan.Zero);
        var whole = Stopwatch.StartNew();
        for (var i = 0; i < Revocations; i++)
        {
            var (leaf, _) = await bed.IssueAsync(owner);
            Assert.Equal(200, (await StatusBed.RevokeAsync(owner, leaf, 4)).Status);
            var since = Stopwatch.StartNew();
            var question = Uri.EscapeDataString(Convert.ToBase64String(Question.Of([OcspCertId.Of(issuer, OcspHash.Sha1, StatusBed.Serial(leaf))])));
            while (OcspFacts.Read(await bed.Http.GetByteArrayAsync(new Uri(bed.OcspUrl + "/" + question))).Value!.Singles[0].Status != 1)
            {
                Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(60));
            }

            worstOcsp = Max(worstOcsp, since.Elapsed);
            await bed.UntilListedAsync(StatusBed.CrlUrl(leaf), leaf);
            worstList = Max(worstList, since.Elapsed);
        }

        await stop.CancelAsync();
        await Task.WhenAll(load);
        Console.WriteLine($"{issued} certificates issued in {whole.Elapsed.TotalSeconds:0.0} s; slowest of {Revocations} revocations: OCSP {worstOcsp.TotalMilliseconds:0} ms, list {worstList.TotalMilliseconds:0} ms");
        var cached = bed.Authority.Options.Issuance.StatusMaxAge;
        Assert.InRange(worstList + cached, TimeSpan.Zero, TimeSpan.FromSeconds(60));
        Assert.InRange(worstOcsp + cached, TimeSpan.Zero, TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_revocation_whose_commit_was_held_up_while_lists_were_made_is_on_the_next_one()
    {
        using var owner = await bed.Authority.RegisteredAsync();
        var (leaf, _) = await bed.IssueAsync(owner);
        var serial = StatusBed.Serial(leaf);
        var issuer = bed.Authority.Services.GetRequiredService<StatusIssuers>().All[0].IssuerId;
        var signal = bed.Authority.Services.GetRequiredService<CrlSignal>();
        await bed.Authority.Store.WriteAsync<string>(
            Actor.Server,
            async t =>
            {
                // As if it had begun a minute before the newest list, and a standby had only now agreed.
                var certificate = await t.Db.Certificates.FirstAsync(c => c.Serial == serial);
                var newest = (await t.Db.NewestCrlsAsync(issuer, CancellationToken.None))[certificate.CrlShard];
                certificate.Revoke(4, newest.ThisUpdate - TimeSpan.FromMinutes(1));
                t.Audit(AuditKinds.CertificateRevoked, "certificate:" + certificate.PublicId);
                t.AfterCommit(signal.Raise);
                return "revoked";
            },
            CancellationToken.None);
        await bed.UntilListedAsync(StatusBed.CrlUrl(leaf), leaf);
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}

using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Testing;
using PersistCa.Validation.Evidence;

namespace PersistCa.Server.Tests.Perspectives;

/// <summary>A whole authority that asks perspectives, from order to certificate.</summary>
public sealed class AuthorityWithPerspectivesTests(PerspectiveBed bed) : IClassFixture<PerspectiveBed>
{
    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData(PersistDialect.AcmePersist)]
    [InlineData(PersistDialect.Draft01)]
    [InlineData(PersistDialect.Draft02)]
    public async Task An_order_is_served_when_the_perspectives_see_the_record_and_the_quorum_stands_in_evidence_and_audit(PersistDialect dialect)
    {
        await using var authority = await RunningAuthority.StartAsync(o => bed.Ask(o, 4, PerspectiveRules.Private));
        using var client = await authority.RegisteredAsync();
        var name = bed.Fresh();
        var record = authority.Publish(client, name, dialect);
        bed.Zones.Take(3).ToList().ForEach(z => z.SetTxt(record.Owner, record.Value));

        var chain = await client.IssueAsync("dns-persist-01", name);

        Assert.Null(RootTrust.Verify(chain, authority.RootPem, name));
        var evidence = EvidenceJson.Read(await LastEvidenceAsync(authority));
        Assert.Equal(("3/4", true, "private"), (evidence.Quorum?.Text, evidence.Quorum?.Satisfied, evidence.Quorum?.Regime));
        Assert.Equal(["p0 Corroborates", "p1 Corroborates", "p2 Corroborates", "p3 Differs"], evidence.Perspectives!.Select(p => $"{p.Id} {p.Finding}"));
        Assert.Equal(record.Value, evidence.Perspectives![0].Lookups!.Single(l => l.Records is not null).Records![0].Text);
        var audited = await authority.Store.ReadAsync(db => db.AuditEntries.OrderByDescending(a => a.Id).Select(a => a.Facts).ToListAsync(), None);
        Assert.Contains(audited, f => f.Contains("\"perspectives\":\"3/4\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_order_fails_when_two_of_four_perspectives_see_another_account()
    {
        await using var authority = await RunningAuthority.StartAsync(o => bed.Ask(o, 4, PerspectiveRules.Private));
        using var client = await authority.RegisteredAsync();
        using var other = await authority.RegisteredAsync();
        var name = bed.Fresh();
        var record = authority.Publish(client, name, PersistDialect.Draft01);
        var foreign = authority.Record(other, name, PersistDialect.Draft01);
        bed.Zones.Take(2).ToList().ForEach(z => z.SetTxt(record.Owner, record.Value));
        bed.Zones.Skip(2).ToList().ForEach(z => z.SetTxt(foreign.Owner, foreign.Value));

        var order = await client.ReadyOrderAsync("dns-persist-01", name);

        Assert.Equal("invalid", order.Json["status"]!.GetValue<string>());
        Assert.Contains("2 of 4 remote perspectives", order.Body, StringComparison.Ordinal);
        Assert.Equal("2/4", EvidenceJson.Read(await LastEvidenceAsync(authority)).Quorum?.Text);
    }

    [Fact]
    public async Task Sites_with_resolvers_of_their_own_are_perspectives_in_one_process()
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Validation.Perspectives =
        [
            new RemotePerspectiveOptions { Id = "north", Region = "site-north", Resolvers = [bed.Zones[0].EndPoint.ToString()] },
            new RemotePerspectiveOptions { Id = "south", Region = "site-south", Resolvers = [bed.Zones[1].EndPoint.ToString()] },
            new RemotePerspectiveOptions { Id = "east", Resolvers = [bed.Zones[2].EndPoint.ToString()] },
        ]);
        using var client = await authority.RegisteredAsync();
        var (seen, unseen) = (bed.Fresh(), bed.Fresh());
        foreach (var (name, sites) in new[] { (seen, 2), (unseen, 1) })
        {
            var record = authority.Publish(client, name, PersistDialect.Draft02);
            bed.Zones.Take(sites).ToList().ForEach(z => z.SetTxt(record.Owner, record.Value));
        }

        Assert.Null(RootTrust.Verify(await client.IssueAsync("dns-persist-01", seen), authority.RootPem, seen));
        var first = EvidenceJson.Read(await LastEvidenceAsync(authority));
        Assert.Equal(("2/3", "site-south"), (first.Quorum?.Text, first.Perspectives![1].Region));

        Assert.Equal("invalid", (await client.ReadyOrderAsync("dns-persist-01", unseen)).Json["status"]!.GetValue<string>());
        Assert.Equal("1/3", EvidenceJson.Read(await LastEvidenceAsync(authority)).Quorum?.Text);
    }

    [Fact]
    public async Task A_look_in_advance_that_the_perspectives_do_not_bear_out_is_kept_and_leaves_the_order_pending()
    {
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            o.Validation.Persist.JustInTimeForAll = true;
            o.Validation.Perspectives = [new RemotePerspectiveOptions { Id = "north", Resolvers = [bed.Zones[0].EndPoint.ToString()] }];
        });
        using var client = await authority.RegisteredAsync();
        var name = bed.Fresh();
        authority.Publish(client, name, PersistDialect.Draft02);

        var order = await client.OrderAsync([name], CancellationToken.None);

        Assert.Equal((201, "pending"), (order.Status, order.Json["status"]!.GetValue<string>()));
        var kept = await authority.Store.ReadAsync(db => db.ValidationRecords.SingleAsync(), CancellationToken.None);
        Assert.Equal((true, false, "0/1"), (kept.JustInTime, kept.Succeeded, EvidenceJson.Read(kept.Evidence).Quorum?.Text));
        Assert.True(await authority.Store.ReadAsync(db => db.AuditEntries.AnyAsync(e => e.Facts.Contains("north Differs")), CancellationToken.None));
    }

    [Fact]
    public async Task Caa_of_a_name_under_a_validated_one_is_seen_by_the_perspectives_before_issuance()
    {
        await using var authority = await RunningAuthority.StartAsync(o => bed.Ask(o, 3, PerspectiveRules.Private));
        using var client = await authority.RegisteredAsync();
        var domain = bed.Fresh();
        var record = authority.Publish(client, domain, PersistDialect.Draft02, wildcard: true);
        bed.Zones.ForEach(z => z.SetTxt(record.Owner, record.Value));
        bed.Zones.Take(2).ToList().ForEach(z => z.SetCaa("denied." + domain, new CaaRecord(0, "issue", "other.example").ToRdata()));

        var allowed = await OrderBelowAsync("allowed");
        var denied = await OrderBelowAsync("denied");

        Assert.Equal("valid", allowed.Json["status"]!.GetValue<string>());
        Assert.Equal("3/3", (await CaaAsync("allowed." + domain)).Quorum?.Text);
        Assert.Equal("invalid", denied.Json["status"]!.GetValue<string>());
        Assert.Contains("allow denied.", denied.Body, StringComparison.Ordinal);
        var evidence = await CaaAsync("denied." + domain);
        Assert.Equal(("NotCorroborated", "1/3", false), (evidence.Reason, evidence.Quorum?.Text, evidence.MayIssue));
        Assert.Equal(["Differs", "Differs", "Corroborates"], evidence.Perspectives!.Select(p => p.Finding));

        async Task<AcmeAnswer> OrderBelowAsync(string label)
        {
            var name = $"{label}.{domain}";
            var payload = new JsonObject { ["identifiers"] = new JsonArray(new JsonObject { ["type"] = "dns", ["value"] = name, ["ancestorDomain"] = domain }) };
            var order = await client.PostAsync(await client.UrlAsync("newOrder", None), payload.ToJsonString(), None);
            await client.ProveAsync(order.Json["authorizations"]![0]!.GetValue<string>(), "dns-persist-01");
            var (csr, key) = RunningAuthority.Csr(name);
            key.Dispose();
            return await client.FinalizeAsync(order, csr);
        }

        async Task<CaaEvidence> CaaAsync(string name) => EvidenceJson.ReadCaa(
            await authority.Store.ReadAsync(db => db.CaaChecks.Where(c => c.Name == name).Select(c => c.Evidence).SingleAsync(), None));
    }

    [Fact]
    public async Task An_authority_can_be_a_perspective_for_others_in_the_same_process()
    {
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            o.Server.Roles = [.. OptionRules.AllRoles];
            o.Perspective = bed.Options(bed.Zones[0]).Perspective;
        });
        using var http = bed.Http(bed.ClientFile);

        Assert.Equal("""{"status":"OK"}""", await http.GetStringAsync(new Uri($"https://{authority.Options.Perspective.Listen}/healthz"), None));
    }

    [Theory]
    [InlineData(3, "demands 4 remote perspectives")]
    [InlineData(4, null)]
    public void The_baseline_requirements_refuse_the_start_below_the_number_of_the_date(int count, string? refusal)
    {
        var options = bed.Options(bed.Zones[0]);
        bed.Ask(options, count);
        (options.Validation.Persist.Dialects, options.Validation.Persist.Ancestors) = (["draft-01", "draft-02"], false);
        var policy = AuthorityRegistration.Policy(options);

        if (refusal is null)
        {
            using var panel = PerspectiveSetup.Create(options, policy, bed.Clock);
            Assert.Equal(count, panel!.Perspectives.Length);
            return;
        }

        var refused = Assert.Throws<StartRefusedException>(() => PerspectiveSetup.Create(options, policy, bed.Clock));
        Assert.StartsWith("Validation:Perspectives: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(refusal, refused.Message, StringComparison.Ordinal);
    }

    private static Task<string> LastEvidenceAsync(RunningAuthority authority) =>
        authority.Store.ReadAsync(db => db.ValidationRecords.OrderByDescending(v => v.Id).Select(v => v.Evidence).FirstAsync(), None);
}

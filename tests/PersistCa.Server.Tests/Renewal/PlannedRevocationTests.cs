using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Records;
using PersistCa.Server.Registration;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Operators;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Renewal;

/// <summary>A mass revocation that is announced: windows move, clients renew early, and then it is carried out.</summary>
public sealed class PlannedRevocationTests
{
    private const string Page = "https://status.example/2030-incident";

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_drill_in_which_clients_renew_before_what_they_had_is_revoked()
    {
        await using var authority = await RenewalBed.StartAsync();
        using var client = await authority.RegisteredAsync();
        var fleet = new Dictionary<string, string>();
        foreach (var name in new[] { "a.fleet.test", "b.fleet.test", "c.fleet.test" })
        {
            fleet[name] = await authority.IssueAsync(client, name);
        }

        var other = await authority.IssueAsync(client, "a.other.test");
        Assert.Empty(await DueAsync(authority, fleet));

        // An officer announces it; nobody has approved it yet.
        var (anna, berta) = (await authority.OperatorAsync(OperatorRole.RevocationOfficer, "anna"), await authority.OperatorAsync(OperatorRole.RevocationOfficer, "berta"));
        var desk = authority.Services.GetRequiredService<ProposalDesk>();
        var proposed = (await desk.ProposeAsync(anna, Wish("*.fleet.test", authority.Store.Now.AddDays(2), Page), None)).Value;
        Assert.Equal((ProposalStatus.Pending, 3), (proposed.Status, proposed.Matched));

        var due = await DueAsync(authority, fleet);
        Assert.Equal(fleet.Keys.Order(), due.Order());
        foreach (var chain in fleet.Values)
        {
            Assert.Equal(Page, (await authority.AdviceAsync(RenewalBed.IdOf(chain))).ExplanationUrl);
        }

        Assert.Null((await authority.AdviceAsync(RenewalBed.IdOf(other))).ExplanationUrl);
        Assert.True((await authority.AdviceAsync(RenewalBed.IdOf(other))).Start > authority.Store.Now);

        // The clients that look renew; one does not look.
        var old = fleet.ToDictionary();
        foreach (var name in due.Where(n => n != "c.fleet.test"))
        {
            authority.Publish(client, name, PersistDialect.Draft02);
            fleet[name] = await client.CompleteAsync(await client.ReplaceAsync(RenewalBed.IdOf(fleet[name]), name), name);
        }

        Assert.Equal(["c.fleet.test"], await DueAsync(authority, fleet));

        // Approved, and not before its time.
        var id = proposed.Proposal!.PublicId;
        var approved = (await desk.ApproveAsync(berta, id, None)).Value;
        Assert.Equal(ProposalStatus.Scheduled, approved.Status);
        Assert.Equal(409, (await desk.ApproveAsync(berta, id, None)).Problem!.Status);
        Assert.Equal(0, await authority.Services.GetRequiredService<RevocationRunner>().BeginDueAsync(None));
        Assert.Empty(await RevokedAsync(authority, old.Values));

        authority.Clock.Ahead = TimeSpan.FromDays(2) + TimeSpan.FromMinutes(1);
        await authority.Services.GetRequiredService<RevocationRunner>().BeginDueAsync(None);
        await UntilAsync(async () => (await desk.FindAsync(anna, id, None)).Value.Status == ProposalStatus.Finished);

        // What was announced is revoked, and what was renewed for that is not.
        Assert.Equal(old.Values.Select(RenewalBed.IdOf).Order(), await RevokedAsync(authority, old.Values.Concat(fleet.Values).Append(other).Distinct()));
        Assert.Equal(Page, (await authority.AdviceAsync(RenewalBed.IdOf(old["c.fleet.test"]))).ExplanationUrl); // the client that looks late sees why, too
        var entries = await authority.Store.ReadAsync(db => db.AuditEntries.Where(e => e.Subject == "proposal:" + id).OrderBy(e => e.Id).Select(e => e.Kind).ToListAsync(None), None);
        Assert.Equal([AuditKinds.RevocationProposed, AuditKinds.RevocationApproved, AuditKinds.RevocationBegun], entries.Take(3));
        Assert.Equal(AuditKinds.RevocationFinished, entries[^1]);
    }

    [Fact]
    public async Task An_announcement_that_nobody_approves_lapses_and_windows_are_as_before()
    {
        await using var authority = await RenewalBed.StartAsync(o => o.Policy.Revocation.ProposalLifetime = TimeSpan.FromHours(1));
        using var client = await authority.RegisteredAsync();
        var (one, two) = (await authority.IssueAsync(client, "a.fleet.test"), await authority.IssueAsync(client, "b.fleet.test"));
        var before = await authority.AdviceAsync(RenewalBed.IdOf(one));
        var desk = authority.Services.GetRequiredService<ProposalDesk>();
        var anna = await authority.OperatorAsync(OperatorRole.RevocationOfficer, "anna");
        var proposed = (await desk.ProposeAsync(anna, Wish("*.fleet.test", authority.Store.Now.AddHours(4), null), None)).Value;
        Assert.Null((await authority.AdviceAsync(RenewalBed.IdOf(one))).ExplanationUrl);
        Assert.True((await authority.AdviceAsync(RenewalBed.IdOf(one))).End < authority.Store.Now);

        authority.Clock.Ahead = TimeSpan.FromHours(5) + TimeSpan.FromMinutes(1);

        Assert.Equal(ProposalStatus.Expired, (await desk.FindAsync(anna, proposed.Proposal!.PublicId, None)).Value.Status);
        Assert.Equal(before.Json!.ToJsonString(), (await authority.AdviceAsync(RenewalBed.IdOf(one))).Json!.ToJsonString());
        Assert.Empty(await RevokedAsync(authority, [one, two]));
    }

    [Fact]
    public async Task What_one_officer_may_revoke_alone_can_be_planned_alone_and_begins_by_itself()
    {
        await using var authority = await RenewalBed.StartAsync();
        using var client = await authority.RegisteredAsync();
        var chain = await authority.IssueAsync(client, "a.fleet.test");
        var desk = authority.Services.GetRequiredService<ProposalDesk>();
        var anna = await authority.OperatorAsync(OperatorRole.RevocationOfficer, "anna");
        var proposed = (await desk.ProposeAsync(anna, Wish("a.fleet.test", authority.Store.Now.AddHours(1), null), None)).Value;
        Assert.Equal(ProposalStatus.Scheduled, proposed.Status);
        Assert.Empty(await RevokedAsync(authority, [chain]));
        authority.Clock.Ahead = TimeSpan.FromHours(1) + TimeSpan.FromMinutes(1);
        await UntilAsync(async () => (await RevokedAsync(authority, [chain])).Count == 1); // the worker's doing
    }

    [Fact]
    public async Task An_approval_after_the_planned_time_begins_at_once()
    {
        await using var authority = await RenewalBed.StartAsync();
        using var client = await authority.RegisteredAsync();
        var chains = new[] { await authority.IssueAsync(client, "a.fleet.test"), await authority.IssueAsync(client, "b.fleet.test") };
        var (anna, berta) = (await authority.OperatorAsync(OperatorRole.RevocationOfficer, "anna"), await authority.OperatorAsync(OperatorRole.RevocationOfficer, "berta"));
        var desk = authority.Services.GetRequiredService<ProposalDesk>();
        var proposed = (await desk.ProposeAsync(anna, Wish("*.fleet.test", authority.Store.Now.AddHours(1), null), None)).Value;
        authority.Clock.Ahead = TimeSpan.FromHours(2);
        Assert.Equal(ProposalStatus.Finished, (await desk.ApproveAsync(berta, proposed.Proposal!.PublicId, None)).Value.Status);
        Assert.Equal(2, (await RevokedAsync(authority, chains)).Count);
    }

    [Fact]
    public async Task A_plan_that_cannot_be_is_refused()
    {
        await using var authority = await RenewalBed.StartAsync(o => o.Policy.Revocation.LongestPlan = TimeSpan.FromDays(7));
        using var client = await authority.RegisteredAsync();
        await authority.IssueAsync(client, "a.fleet.test");
        var desk = authority.Services.GetRequiredService<ProposalDesk>();
        var anna = await authority.OperatorAsync(OperatorRole.RevocationOfficer, "anna");
        var now = authority.Store.Now;
        foreach (var (wish, reason) in new[]
        {
            (Wish("a.fleet.test", now, null), "a time after"),
            (Wish("a.fleet.test", now.AddDays(7).AddMinutes(1), null), "within 7.00:00:00"),
            (Wish("a.fleet.test", null, Page), "no time for which the revocation is planned"),
            (Wish("a.fleet.test", now.AddDays(1), "ftp://status.example/"), "no http or https URL"),
            (Wish("a.fleet.test", now.AddDays(1), "https://status.example/" + new string('x', 1024)), "at most 1024 characters"),
            (Wish("a.fleet.test", now.AddDays(1), "https://status.example/a b"), "no http or https URL"),
        })
        {
            foreach (var refused in new[] { await desk.ProposeAsync(anna, wish, None), await desk.TryAsync(anna, wish, None) })
            {
                Assert.Contains(reason, refused.Problem!.Detail, StringComparison.Ordinal);
            }
        }
    }

    private static RevocationWish Wish(string name, DateTimeOffset? plannedFor, string? explanation) =>
        new(RevocationCriterion.Read(CriterionKind.Name, name).Value!, 4, "drill", plannedFor, explanation);

    /// <summary>As a client decides (RFC 9773 section 4.2): those whose window has begun are renewed.</summary>
    private static async Task<List<string>> DueAsync(RunningAuthority authority, Dictionary<string, string> fleet)
    {
        var due = new List<string>();
        foreach (var (name, chain) in fleet)
        {
            if ((await authority.AdviceAsync(RenewalBed.IdOf(chain))).Start <= authority.Store.Now)
            {
                due.Add(name);
            }
        }

        return due;
    }

    /// <summary>The ids of those that are revoked.</summary>
    private static async Task<List<string>> RevokedAsync(RunningAuthority authority, IEnumerable<string> chains)
    {
        var ids = chains.Select(RenewalBed.IdOf).ToList();
        var revoked = await authority.Store.ReadAsync(db => db.Certificates.Where(c => c.Status == CertificateStatus.Revoked).Select(c => c.Serial).ToListAsync(None), None);
        return [.. ids.Where(i => revoked.Contains(CertificateId.Parse(i).Value!.Serial)).Order()];
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromMinutes(2), "it does not come about");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }
}

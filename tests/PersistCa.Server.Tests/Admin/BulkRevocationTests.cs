using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Protocol.Certificates;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Tests.Admin;

/// <summary>Bulk revocation through the doors: one proposes, another approves.</summary>
public sealed class BulkRevocationTests(OperatorBed bed) : IClassFixture<OperatorBed>
{
    private static CancellationToken None => CancellationToken.None;

    private static string Key() => Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));

    private static string Under(string domain) => $$"""{"name":"*.{{domain}}"}""";

    private static int Number(JsonNode body, string member) => body[member]!.GetValue<int>();

    private static string Text(JsonNode body, string member) => body[member]!.GetValue<string>();

    private Task<int[]> CountsAsync() => bed.Authority.Store.ReadAsync(
        async db => new[]
        {
            await db.Certificates.CountAsync(c => c.RevokedAt != null), await db.RevocationProposals.CountAsync(), await db.RevocationItems.CountAsync(), await db.BlockedKeys.CountAsync(),
        },
        None);

    [Theory]
    [InlineData("key")]
    [InlineData("account")]
    [InlineData("issuer")]
    [InlineData("name")]
    [InlineData("serials")]
    public async Task A_dry_run_counts_and_names_and_changes_nothing(string by)
    {
        var (domain, key) = (bed.Fresh() + ".test", Key());
        var serials = await bed.FillAsync(3, domain, key);
        var first = serials[0];
        var ids = await bed.Authority.Store.ReadAsync(db => db.Certificates.Where(c => c.Serial == first).Select(c => new { c.IssuerId, Account = db.Accounts.Single(a => a.Id == c.AccountId).PublicId }).SingleAsync(None), None);
        var value = by switch { "key" => key.ToUpperInvariant(), "account" => ids.Account, "issuer" => ids.IssuerId, _ => "*." + domain };
        var criterion = by == "serials" ? new JsonObject { [by] = new JsonArray([.. serials.Select(s => (JsonNode)s.ToUpperInvariant())]) } : new JsonObject { [by] = value };
        var before = await CountsAsync();

        var (status, body) = await bed.ProposeAsync(bed.Anna, criterion.ToJsonString(), dryRun: true, reason: 1);

        Assert.Equal((200, null), (status, body["id"]?.GetValue<string>()));
        var named = body["certificates"]!.AsArray().Select(c => (Serial: Text(c!, "serial"), Name: c!["names"]![0]!.GetValue<string>())).ToList();
        if (by == "issuer")
        {
            Assert.True(Number(body, "matched") >= 3); // other tests' too
        }
        else
        {
            Assert.Equal(3, Number(body, "matched"));
            Assert.Equal(serials.Select(s => (s, $"s{s}.{domain}")), named);
        }

        Assert.Equal(before, await CountsAsync());
    }

    [Fact]
    public async Task A_report_names_a_hundred_and_counts_all()
    {
        var domain = bed.Fresh() + ".test";
        await bed.FillAsync(120, domain);
        var (_, body) = await bed.ProposeAsync(bed.Anna, Under(domain), dryRun: true);
        Assert.Equal((120, 100), (Number(body, "matched"), body["certificates"]!.AsArray().Count));
    }

    [Fact]
    public async Task One_officer_alone_revokes_as_many_as_the_threshold_and_not_one_more()
    {
        var (one, two) = (bed.Fresh() + ".test", bed.Fresh() + ".test");
        var alone = await bed.FillAsync(1, one);
        var more = await bed.FillAsync(2, two);

        var (status, body) = await bed.ProposeAsync(bed.Anna, Under(one), reason: 4);
        Assert.Equal((200, "finished", 1), (status, Text(body, "status"), Number(body, "revoked")));
        Assert.Equal(alone, await bed.RevokedAsync(alone));

        (status, body) = await bed.ProposeAsync(bed.Anna, Under(two), reason: 4);
        Assert.Equal((202, "pending", 2), (status, Text(body, "status"), Number(body, "matched")));
        Assert.Empty(await bed.RevokedAsync(more));
    }

    [Fact]
    public async Task A_single_certificate_is_revoked_by_its_serial_number_once()
    {
        var serial = Assert.Single(await bed.FillAsync(1, bed.Fresh() + ".test"));
        var (status, body) = await bed.CallAsync("POST", $"/admin/v1/certificates/{serial}/revoke", bed.Anna, """{"reason":5,"comment":"closed"}""");
        Assert.Equal((200, "finished", 5), (status, Text(body, "status"), Number(body, "reason")));
        Assert.Contains(await bed.AuditAsync(AuditKinds.CertificateRevoked), e => e.Actor == "operator:anna" && e.Facts.Contains(serial, StringComparison.Ordinal));
        (status, body) = await bed.CallAsync("POST", $"/admin/v1/certificates/{serial}/revoke", bed.Anna, "{}");
        Assert.Equal((400, "urn:ietf:params:acme:error:alreadyRevoked"), (status, Text(body, "type")));
        Assert.Equal(404, (await bed.CallAsync("POST", "/admin/v1/certificates/0123/revoke", bed.Anna, "{}")).Status);
    }

    [Fact]
    public async Task Where_nobody_revokes_alone_a_single_certificate_needs_two_as_well()
    {
        var strict = await OperatorBed.StartAsync(o => o.Policy.Revocation.AloneUpTo = 0);
        var serial = Assert.Single(await strict.FillAsync(1, "a.test"));
        var (status, body) = await strict.CallAsync("POST", $"/admin/v1/certificates/{serial}/revoke", strict.Anna, "{}");
        Assert.Equal((202, "pending"), (status, Text(body, "status")));
        Assert.Equal(200, (await strict.ApproveAsync(strict.Berta, body)).Status);
        Assert.Equal([serial], await strict.RevokedAsync([serial]));
        await strict.DisposeAsync();
    }

    [Fact]
    public async Task What_one_decides_alone_is_limited_and_a_proposal_is_not()
    {
        var limited = await OperatorBed.StartAsync(o => o.Limits.LoneRevocationsPerOperator = "1/1.00:00:00");
        var serials = await limited.FillAsync(4, "a.test");
        Assert.Equal(200, (await limited.CallAsync("POST", $"/admin/v1/certificates/{serials[0]}/revoke", limited.Anna, "{}")).Status);
        Assert.Equal(429, (await limited.CallAsync("POST", $"/admin/v1/certificates/{serials[1]}/revoke", limited.Anna, "{}")).Status);
        Assert.Equal(202, (await limited.ProposeAsync(limited.Anna, Under("a.test"))).Status);
        Assert.Equal([serials[0]], await limited.RevokedAsync(serials));
        await limited.DisposeAsync();
    }

    [Fact]
    public async Task Nobody_approves_their_own_proposal_by_whichever_token()
    {
        var domain = bed.Fresh() + ".test";
        var serials = await bed.FillAsync(2, domain);
        var (_, proposal) = await bed.ProposeAsync(bed.Anna, Under(domain));
        foreach (var secret in new[] { bed.Anna, await bed.TokenAsync("anna", OperatorRole.RevocationOfficer) })
        {
            var (status, body) = await bed.ApproveAsync(secret, proposal);
            Assert.Equal((403, "Nobody approves a proposal of their own: another operator is needed."), (status, Text(body, "detail")));
        }

        Assert.Empty(await bed.RevokedAsync(serials));
    }

    [Fact]
    public async Task An_approval_revokes_what_was_proposed_and_what_matches_since_and_says_how_many_of_each()
    {
        var domain = bed.Fresh() + ".test";
        var serials = await bed.FillAsync(3, domain);
        var (_, proposal) = await bed.ProposeAsync(bed.Anna, Under(domain), reason: 4);
        await bed.CallAsync("POST", $"/admin/v1/certificates/{serials[0]}/revoke", bed.Berta, """{"reason":9}""");
        var since = await bed.FillAsync(2, domain);

        var (_, seen) = await bed.CallAsync("GET", "/admin/v1/revocations/" + Text(proposal, "id"), bed.Berta, null);
        Assert.Equal(("pending", 2), (Text(seen, "status"), Number(seen, "matchedSince")));
        var (status, done) = await bed.ApproveAsync(bed.Berta, proposal);

        Assert.Equal((200, "finished", "berta"), (status, Text(done, "status"), Text(done, "approver")));
        Assert.Equal((2, 1, 2), (Number(done, "revoked"), Number(done, "gone"), Number(done, "revokedSince")));
        List<string> all = [.. serials.Concat(since).Order(StringComparer.Ordinal)];
        Assert.Equal(all, await bed.RevokedAsync(all));
        Assert.Equal(4, (await bed.AuditAsync(AuditKinds.CertificateRevoked)).Count(e => e.Facts.Contains(Text(proposal, "id"), StringComparison.Ordinal) && e.Actor == "operator:berta"));
        Assert.Contains((await bed.CallAsync("GET", "/admin/v1/revocations", bed.Anna, null)).Body["items"]!.AsArray(), r => Text(r!, "id") == Text(proposal, "id"));
    }

    [Fact]
    public async Task A_proposal_that_is_finished_expired_or_unknown_is_not_approved()
    {
        var (one, two) = (bed.Fresh() + ".test", bed.Fresh() + ".test");
        await bed.FillAsync(2, one);
        var left = await bed.FillAsync(2, two);
        var (_, first) = await bed.ProposeAsync(bed.Anna, Under(one));
        Assert.Equal(200, (await bed.ApproveAsync(bed.Berta, first)).Status);
        var (status, body) = await bed.ApproveAsync(bed.Berta, first);
        Assert.Equal(409, status);
        Assert.Contains("was carried out at", Text(body, "detail"), StringComparison.Ordinal);

        var (_, second) = await bed.ProposeAsync(bed.Anna, Under(two));
        await ChangeAsync("UPDATE revocation_proposals SET created_at = created_at - 90000000, expires_at = expires_at - 90000000 WHERE finished_at IS NULL");
        (status, body) = await bed.ApproveAsync(bed.Berta, second);
        Assert.Equal(409, status);
        Assert.Contains("expired at", Text(body, "detail"), StringComparison.Ordinal);
        Assert.Empty(await bed.RevokedAsync(left));

        Assert.Equal(404, (await bed.ApproveAsync(bed.Berta, new JsonObject { ["id"] = "AAAAAAAAAAAAAAAA" })).Status);
    }

    [Fact]
    public async Task A_proposal_whose_certificates_were_changed_in_the_database_is_not_approved()
    {
        var domain = bed.Fresh() + ".test";
        await bed.FillAsync(2, domain);
        var other = Assert.Single(await bed.FillAsync(1, bed.Fresh() + ".test"));
        var (_, proposal) = await bed.ProposeAsync(bed.Anna, Under(domain));
        var serial = Text(proposal["certificates"]![0]!, "serial");
        await ChangeAsync($"UPDATE revocation_items SET serial = '{other}' WHERE serial = '{serial}'");

        var (status, body) = await bed.ApproveAsync(bed.Berta, proposal);

        Assert.Equal(409, status);
        Assert.Contains("not those that were proposed", Text(body, "detail"), StringComparison.Ordinal);
        Assert.Empty(await bed.RevokedAsync([other]));
    }

    [Theory]
    [InlineData("UPDATE revocation_proposals SET criterion = '*.{other}' WHERE public_id = '{id}'")]
    [InlineData("UPDATE revocation_proposals SET kind = 2, criterion = 'x' WHERE public_id = '{id}'")]
    [InlineData("UPDATE revocation_proposals SET reason = 1 WHERE public_id = '{id}'")]
    [InlineData("UPDATE revocation_proposals SET comment = 'all is well' WHERE public_id = '{id}'")]
    [InlineData("UPDATE revocation_proposals SET proposer = 'nobody' WHERE public_id = '{id}'")]
    [InlineData("UPDATE audit_entries SET actor = 'operator:nobody' WHERE subject = 'proposal:{id}'")]
    [InlineData("DELETE FROM audit_entries WHERE subject = 'proposal:{id}'")]
    public async Task A_proposal_that_was_changed_in_the_database_is_not_approved(string change)
    {
        var (domain, other) = (bed.Fresh() + ".test", bed.Fresh() + ".test");
        string[] all = [.. await bed.FillAsync(2, domain), .. await bed.FillAsync(3, other)];
        var (_, proposal) = await bed.ProposeAsync(bed.Anna, Under(domain), reason: 4);
        await ChangeAsync(change.Replace("{other}", other, StringComparison.Ordinal).Replace("{id}", Text(proposal, "id"), StringComparison.Ordinal));

        // Neither by another officer nor by who proposed it.
        foreach (var officer in new[] { bed.Berta, bed.Anna })
        {
            Assert.InRange((await bed.ApproveAsync(officer, proposal)).Status, 400, 499);
        }

        var (status, body) = await bed.ApproveAsync(bed.Berta, proposal);
        Assert.Equal(409, status);
        Assert.Contains("not what its audit entry says", Text(body, "detail"), StringComparison.Ordinal);
        Assert.Empty(await bed.RevokedAsync(all));
    }

    [Theory]
    [InlineData(true, "approver = 'berta', approved_at = created_at + 1")]
    [InlineData(true, "alone_up_to = 1000")]
    [InlineData(false, "approver = 'berta', approved_at = created_at + 1, started_at = created_at + 1, progress_at = created_at - 1")]
    [InlineData(false, "alone_up_to = 1000, started_at = created_at + 1, progress_at = created_at - 1")]
    public async Task A_decision_that_was_written_into_the_database_is_none(bool planned, string change)
    {
        var own = await OperatorBed.StartAsync(null);
        var serials = await own.FillAsync(2, "a.test");
        var at = own.Authority.Clock.GetUtcNow().AddHours(2).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        var (status, proposal) = await own.PostAsync("revocations", own.Anna, $$"""{"criterion":{"name":"*.a.test"},"dryRun":false{{(planned ? $",\"plannedFor\":\"{at}\"" : "")}}}""");
        Assert.Equal((202, "pending"), (status, Text(proposal, "status")));
        var sql = System.Runtime.CompilerServices.FormattableStringFactory.Create("UPDATE revocation_proposals SET " + change);
        Assert.Equal(1, await own.Authority.Store.ReadAsync(db => db.Database.ExecuteSqlAsync(sql, None), None));
        own.Authority.Clock.Ahead += TimeSpan.FromHours(3);

        var runner = own.Authority.Services.GetRequiredService<RevocationRunner>();
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => planned ? runner.BeginDueAsync(None) : runner.ResumeAsync(TimeSpan.Zero, None));

        Assert.Contains(Text(proposal, "id"), refused.Message, StringComparison.Ordinal);
        Assert.Contains("somebody changed the database", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => runner.StepAsync(Text(proposal, "id"), None));
        Assert.Empty(await own.RevokedAsync(serials));
        await own.DisposeAsync();
    }

    [Fact]
    public async Task Officers_whose_tokens_one_custodian_made_are_not_two()
    {
        var domain = bed.Fresh() + ".test";
        var serials = await bed.FillAsync(2, domain);
        var karl = await bed.TokenAsync("karl", OperatorRole.Custodian);
        async Task<string> MadeAsync(string name) => Text((await bed.PostAsync("tokens", karl, $$"""{"name":"{{name}}","role":"revocation-officer","days":1}""")).Body, "secret");
        var (one, two) = (await MadeAsync("first"), await MadeAsync("second"));
        var (_, proposal) = await bed.ProposeAsync(one, Under(domain));

        var (status, body) = await bed.ApproveAsync(two, proposal);

        Assert.Equal((403, "The tokens of both were made by karl, who could be either: another operator is needed."), (status, Text(body, "detail")));
        Assert.Empty(await bed.RevokedAsync(serials));
        Assert.Equal(200, (await bed.ApproveAsync(bed.Berta, proposal)).Status);
    }

    [Fact]
    public async Task A_key_that_officers_call_compromised_is_blocked_and_takes_what_was_revoked_for_less_along()
    {
        var key = Key();
        var serials = await bed.FillAsync(3, bed.Fresh() + ".test", key);
        await bed.CallAsync("POST", $"/admin/v1/certificates/{serials[1]}/revoke", bed.Anna, """{"reason":4}""");
        var (status, proposal) = await bed.ProposeAsync(bed.Anna, $$"""{"key":"{{key}}"}""", reason: 1);
        Assert.Equal((202, 3), (status, Number(proposal, "matched")));
        Assert.False(await bed.Authority.Store.ReadAsync(db => db.BlockedKeys.AnyAsync(b => b.Fingerprint == key, None), None));

        await bed.ApproveAsync(bed.Berta, proposal);

        Assert.True((await bed.Authority.Store.ReadAsync(db => db.BlockedKeys.SingleAsync(b => b.Fingerprint == key, None), None)).Proven);
        var rows = await bed.Authority.Store.ReadAsync(db => db.Certificates.Where(c => c.KeyFingerprint == key).ToListAsync(None), None);
        Assert.All(rows, r => Assert.Equal((CertificateStatus.Revoked, 1), (r.Status, r.RevocationReason)));

        var unused = Key();
        Assert.Equal(200, (await bed.ProposeAsync(bed.Anna, $$"""{"key":"{{unused}}"}""", reason: 1)).Status);
        Assert.True(await bed.Authority.Store.ReadAsync(db => db.BlockedKeys.AnyAsync(b => b.Fingerprint == unused, None), None));
    }

    [Fact]
    public async Task More_than_the_most_of_a_proposal_are_refused()
    {
        var small = await OperatorBed.StartAsync(o => o.Policy.Revocation.MaxMatched = 2);
        await small.FillAsync(3, "a.test");
        var (status, body) = await small.ProposeAsync(small.Anna, Under("a.test"), dryRun: true);
        Assert.Equal(409, status);
        Assert.Contains("More than 2 certificates match", Text(body, "detail"), StringComparison.Ordinal);
        await small.DisposeAsync();
    }

    [Theory]
    [InlineData("""{"criterion":{"name":"a.test"}}""", "'dryRun' is missing")]
    [InlineData("""{"criterion":{"name":"a.test"},"dryrun":true}""", "no member 'dryrun'")]
    [InlineData("""{"dryRun":true}""", "'criterion' is missing")]
    [InlineData("""{"criterion":{},"dryRun":true}""", "exactly one of")]
    [InlineData("""{"criterion":{"name":"a.test","key":"00"},"dryRun":true}""", "exactly one of")]
    [InlineData("""{"criterion":{"names":"a.test"},"dryRun":true}""", "no member 'names'")]
    [InlineData("""{"criterion":{"name":"*.*.test"},"dryRun":true}""", "not '*.' and a name")]
    [InlineData("""{"criterion":{"name":"*"},"dryRun":true}""", "is not a name")]
    [InlineData("""{"criterion":{"key":"0123"},"dryRun":true}""", "64 hexadecimal digits")]
    [InlineData("""{"criterion":{"account":"x"},"dryRun":true}""", "last segment of its URL")]
    [InlineData("""{"criterion":{"account":"AAAAAAAAAAAAAAAA"},"dryRun":true}""", "no such account")]
    [InlineData("""{"criterion":{"issuer":"0123456789abcdef"},"dryRun":true}""", "no such issuer")]
    [InlineData("""{"criterion":{"serials":[]},"dryRun":true}""", "is empty")]
    [InlineData("""{"criterion":{"serials":["xyz"]},"dryRun":true}""", "is not a serial number")]
    [InlineData("""{"criterion":{"serials":["0123"]},"dryRun":true}""", "not issued here")]
    [InlineData("""{"criterion":{"name":"a.test"},"reason":6,"dryRun":true}""", "The revocation reason 6 is not accepted")]
    [InlineData("""{"criterion":{"name":"nowhere.test"},"dryRun":false}""", "No certificate matches")]
    public async Task A_wish_is_refused_because(string body, string reason)
    {
        var (status, answer) = await bed.CallAsync("POST", "/admin/v1/revocations", bed.Anna, body);
        Assert.True(status is 400 or 404, $"{status}");
        Assert.Contains(reason, Text(answer, "detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_revocation_is_planned_through_the_door_and_begins_at_its_time()
    {
        var domain = bed.Fresh() + ".test";
        var serials = await bed.FillAsync(1, domain);
        var at = bed.Authority.Clock.GetUtcNow().AddHours(2).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        var (status, planned) = await bed.CallAsync(
            "POST", "/admin/v1/revocations", bed.Anna, $$"""{"criterion":{"name":"*.{{domain}}"},"dryRun":false,"reason":4,"plannedFor":"{{at}}","explanationUrl":"https://status.example/incident"}""");
        Assert.Equal((202, "scheduled", at, "https://status.example/incident"), (status, Text(planned, "status"), Text(planned, "plannedFor"), Text(planned, "explanationUrl")));
        Assert.Empty(await bed.RevokedAsync(serials));
        Assert.Equal(400, (await bed.CallAsync("POST", "/admin/v1/revocations", bed.Anna, $$"""{"criterion":{"name":"*.{{domain}}"},"dryRun":false,"plannedFor":"tomorrow"}""")).Status);
    }

    [Fact]
    public async Task A_token_that_is_revoked_between_the_door_and_the_change_changes_nothing()
    {
        var domain = bed.Fresh() + ".test";
        await bed.FillAsync(1, domain);
        var made = (await bed.MakeAsync(bed.Fresh(), OperatorRole.RevocationOfficer, TimeSpan.FromDays(1))).Value;
        var who = (await bed.Authority.Services.GetRequiredService<OperatorDesk>().AuthenticateAsync(new ShownCredentials("Bearer " + made.Secret), new DoorDemand("test", [OperatorRole.RevocationOfficer], "revocations:write"), "test", None)).Value;
        await bed.Tokens.RevokeAsync(null, made.Token!.PublicId, None);
        var wish = new RevocationWish(RevocationCriterion.Read(CriterionKind.Name, "*." + domain).Value!, null, "");
        Assert.Equal(401, (await bed.Authority.Services.GetRequiredService<ProposalDesk>().ProposeAsync(who, wish, None)).Problem!.Status);
    }

    [Fact]
    public async Task An_approved_proposal_that_stands_still_goes_on_by_the_next_approve_call()
    {
        var slow = await OperatorBed.StartAsync(o => o.Policy.Revocation.BatchSize = 2);
        var serials = await slow.FillAsync(5, "a.test");
        var (_, proposal) = await slow.ProposeAsync(slow.Anna, Under("a.test"));
        var id = Text(proposal, "id");
        await slow.Authority.Store.WriteAsync<RevocationProposal>(
            Actor.OperatorNamed("berta"),
            async t =>
            {
                var held = (await t.HoldProposalAsync(id, None))!;
                held.Approve("berta", t.Now);
                t.Audit(AuditKinds.RevocationApproved, "proposal:" + id);
                return held;
            },
            None);
        await slow.Authority.Services.GetRequiredService<RevocationRunner>().StepAsync(id, None);
        Assert.Equal(2, (await slow.RevokedAsync(serials)).Count);

        var third = await slow.TokenAsync("clara", OperatorRole.RevocationOfficer);
        var (status, done) = await slow.ApproveAsync(third, proposal);

        Assert.Equal((200, "finished", "berta", 5), (status, Text(done, "status"), Text(done, "approver"), Number(done, "revoked")));
        Assert.Equal(serials, await slow.RevokedAsync(serials));
        await slow.DisposeAsync();
    }

    private async Task ChangeAsync(string sql)
    {
        await using var db = await bed.Authority.Services.GetRequiredService<IDbContextFactory<CaDb>>().CreateDbContextAsync(None);
        Assert.True(await db.Database.ExecuteSqlRawAsync(sql) > 0);
    }
}

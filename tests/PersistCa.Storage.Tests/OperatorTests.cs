using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using PersistCa.Protocol.Certificates;
using PersistCa.Storage.Operators;
using PersistCa.Testing;
using static PersistCa.Storage.Tests.Sample;

namespace PersistCa.Storage.Tests;

/// <summary>Tokens of operators and proposals of revocations, as the store holds and guards them.</summary>
public abstract class OperatorTests(StoreKind kind)
{
    private const string Secret = "pca_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    private static OperatorToken Token(StoreTransaction t, string secret = Secret) => new()
    {
        PublicId = Protocol.PublicId.Next(),
        Name = "anna",
        Role = OperatorRole.RevocationOfficer,
        SecretHash = OperatorTokens.HashOf(secret),
        CreatedAt = t.Now,
        ExpiresAt = t.Now.AddDays(1),
    };

    private static RevocationProposal Proposal(StoreTransaction t, int aloneUpTo = 1, params string[] serials) => Planned(t, null, aloneUpTo, serials);

    private static RevocationProposal Planned(StoreTransaction t, TimeSpan? ahead, int aloneUpTo, params string[] serials)
    {
        var made = new RevocationProposal
        {
            PublicId = Protocol.PublicId.Next(),
            Kind = CriterionKind.Name,
            Criterion = "*.corp.test",
            Comment = "",
            Proposer = "anna",
            CreatedAt = t.Now,
            ExpiresAt = t.Now.AddHours(1) + (ahead ?? TimeSpan.Zero),
            PlannedFor = t.Now + ahead,
            ExplanationUrl = ahead is null ? null : "https://status.test/",
            Matched = serials.Length,
            MatchedSha256 = RevocationProposals.DigestOf(serials),
            AloneUpTo = aloneUpTo,
        };
        made.Items.AddRange(serials.Select(s => new RevocationItem { Serial = s }));
        return made;
    }

    private static async Task IssueAsync(TestStore s, string serial, char key, params string[] names)
    {
        if (!await s.Store.ReadAsync(db => db.Issuers.AnyAsync(None), None))
        {
            await s.AddAsync(t => NewIssuer(t.Now));
        }

        var account = await s.AddAccountAsync();
        var order = await s.AddAsync(t =>
        {
            var opened = NewOrder(account, t.Now, names);
            opened.Finalize([1], t.Now, Proven(opened, t.Now));
            return opened;
        });
        await s.AddAsync(t =>
        {
            var made = new IssuedCertificate(Protocol.PublicId.Next(), serial, IssuerId, order.Id, account.Id, new string(key, 64), [1], t.Now, t.Now.AddDays(1), t.Now);
            made.Record([1, 2], t.Now);
            return made;
        });
    }

    private static Task<List<string>> MatchedAsync(TestStore s, CriterionKind by, string criterion, int? reason = null) =>
        s.Store.ReadAsync(db => db.Matching(by, criterion, reason, s.Store.Now).OrderBy(c => c.Serial).Select(c => c.Serial).ToListAsync(None), None);

    private static async Task<string> ViolatedAsync(TestStore s, string sql)
    {
        await using var db = await s.Factory.CreateDbContextAsync(None);
        var e = await Assert.ThrowsAnyAsync<Exception>(() => db.Database.ExecuteSqlRawAsync(sql));
        return e switch
        {
            SqliteException q => q.Message,
            PostgresException p => p.ConstraintName ?? "",
            _ => e.ToString(),
        };
    }

    [SkippableFact]
    public async Task Of_a_planned_revocation_its_certificates_know_until_it_lapses_or_is_carried_out_for_them()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var plan = await s.AddAsync(t => Planned(t, TimeSpan.FromDays(2), 1, "0a", "0b"));
        await s.AddAsync(t => Proposal(t, 1, "0c", "0d"));
        var start = s.Store.Now;

        Assert.Equal(new PlannedRevocation(start, "https://status.test/"), await PlannedAsync(s, "0a", start));
        Assert.NotNull(await PlannedAsync(s, "0b", plan.ExpiresAt.AddMilliseconds(-1)));
        Assert.Null(await PlannedAsync(s, "0a", plan.ExpiresAt));
        Assert.Null(await PlannedAsync(s, "0c", start));
        await s.WriteAsync(async t =>
        {
            var current = (await t.HoldProposalAsync(plan.PublicId, None))!;
            current.Approve("berta", t.Now);
            return current;
        });
        Assert.NotNull(await PlannedAsync(s, "0a", plan.ExpiresAt));
        await s.WriteAsync(async t =>
        {
            var item = await t.Db.RevocationItems.SingleAsync(i => i.Serial == "0a");
            item.DoneAt = t.Now;
            return item;
        });
        Assert.Null(await PlannedAsync(s, "0a", start));
        Assert.NotNull(await PlannedAsync(s, "0b", start));
    }

    [SkippableFact]
    public async Task A_planned_revocation_is_due_when_it_is_decided_and_its_time_has_come_and_not_before()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var many = await s.AddAsync(t => Planned(t, TimeSpan.FromHours(2), 1, "0a", "0b"));
        var one = await s.AddAsync(t => Planned(t, TimeSpan.FromHours(1), 1, "0c"));
        var time = s.Store.Now;
        Assert.Equal((ProposalStatus.Pending, ProposalStatus.Scheduled), (many.StatusAt(time), one.StatusAt(time)));
        Assert.Empty(await DueAsync(s, time.AddMinutes(59)));
        Assert.Equal([one.PublicId], await DueAsync(s, time.AddHours(3)));
        var approved = await s.WriteAsync(async t =>
        {
            var current = (await t.HoldProposalAsync(many.PublicId, None))!;
            current.Approve("berta", t.Now);
            Assert.Throws<InvalidOperationException>(() => current.Begin(t.Now));
            return current;
        });
        Assert.Equal((ProposalStatus.Scheduled, null), (approved.StatusAt(time), approved.StartedAt));
        Assert.Equal([many.PublicId, one.PublicId], await DueAsync(s, time.AddHours(3)));

        Assert.Contains("ck_revocation_proposals_planned", await ViolatedAsync(s, "UPDATE revocation_proposals SET started_at = created_at WHERE approver IS NOT NULL"), StringComparison.Ordinal);
        s.Time.Advance(TimeSpan.FromHours(2));
        var begun = await s.WriteAsync(async t =>
        {
            var current = (await t.HoldProposalAsync(many.PublicId, None))!;
            current.Begin(t.Now);
            return current;
        });
        Assert.Equal((ProposalStatus.Running, s.Store.Now), (begun.StatusAt(s.Store.Now), begun.StartedAt));
    }

    private static Task<PlannedRevocation?> PlannedAsync(TestStore s, string serial, DateTimeOffset at) => s.Store.ReadAsync(db => db.PlannedRevocationAsync(serial, at, None), None);

    private static Task<List<string>> DueAsync(TestStore s, DateTimeOffset at) => s.Store.ReadAsync(db => db.DueProposalsAsync(at, None), None);

    [SkippableFact]
    public async Task A_token_is_found_by_its_secret_and_only_its_hash_is_kept()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var made = await s.AddAsync(t => Token(t));

        var found = await s.Store.ReadAsync(db => db.OperatorTokenAsync(Secret, None), None);
        Assert.Equal((made.PublicId, OperatorRole.RevocationOfficer), (found!.PublicId, found.Role));
        Assert.Equal(64, found.SecretHash.Length);
        Assert.DoesNotContain("pca_", found.SecretHash, StringComparison.Ordinal);
        Assert.Null(await s.Store.ReadAsync(db => db.OperatorTokenAsync(Secret[..^1] + "B", None), None));
        Assert.Null(await s.Store.ReadAsync(db => db.OperatorTokenAsync(found.SecretHash, None), None));
    }

    [SkippableFact]
    public async Task A_token_is_live_until_it_is_revoked_or_ends()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var made = await s.AddAsync(t => Token(t));
        Assert.True(await s.WriteAsync(async t => (object)await t.StillLiveAsync(made.PublicId, None)) is true);
        Assert.False(await s.Store.ReadAsync(db => db.AnyLiveAsync(OperatorRole.Custodian, s.Store.Now, None), None));
        Assert.True(await s.Store.ReadAsync(db => db.AnyLiveAsync(OperatorRole.RevocationOfficer, s.Store.Now, None), None));

        s.Time.Advance(TimeSpan.FromDays(1));
        Assert.True(await s.WriteAsync(async t => (object)await t.StillLiveAsync(made.PublicId, None)) is false);
        Assert.False(await s.Store.ReadAsync(db => db.AnyLiveAsync(OperatorRole.RevocationOfficer, s.Store.Now, None), None));

        var other = await s.AddAsync(t => Token(t, Secret[..^1] + "B"));
        await s.WriteAsync(async t =>
        {
            (await t.Db.OperatorTokens.SingleAsync(o => o.Id == other.Id)).RevokedAt = t.Now;
            return "revoked";
        });
        Assert.True(await s.WriteAsync(async t => (object)await t.StillLiveAsync(other.PublicId, None)) is false);
    }

    [SkippableTheory]
    [InlineData("approver = 'anna', approved_at = created_at, started_at = created_at", "approver")]
    [InlineData("approver = 'Anna', approved_at = created_at, started_at = created_at", "approver")]
    [InlineData("approver = 'berta'", "approved")]
    [InlineData("approver = 'berta', approved_at = expires_at, started_at = created_at", "in_time")]
    [InlineData("started_at = created_at", "started")]
    [InlineData("finished_at = created_at", "finished")]
    public async Task The_database_refuses_a_proposal_that_four_eyes_did_not_see(string change, string constraint)
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.AddAsync(t => Proposal(t, 1, "01", "02"));

        Assert.Contains("ck_revocation_proposals_" + constraint, await ViolatedAsync(s, "UPDATE revocation_proposals SET " + change), StringComparison.Ordinal);

        await using var db = await s.Factory.CreateDbContextAsync(None);
        Assert.Equal(1, await db.Database.ExecuteSqlRawAsync("UPDATE revocation_proposals SET approver = 'berta', approved_at = created_at, started_at = created_at"));
    }

    [SkippableTheory]
    [InlineData("approver = 'anna', approved_at = created_at, done_at = created_at", "approver")]
    [InlineData("approver = 'Anna', approved_at = created_at, done_at = created_at", "approver")]
    [InlineData("approver = 'berta'", "approved")]
    [InlineData("approver = 'berta', approved_at = expires_at, done_at = created_at", "in_time")]
    [InlineData("done_at = created_at", "done")]
    [InlineData("approver = 'berta', approved_at = created_at, done_at = created_at, withdrawn_at = created_at", "withdrawn")]
    public async Task The_database_refuses_a_decision_that_four_eyes_did_not_see(string change, string constraint)
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.AddAsync(t => new OperatorProposal
        {
            PublicId = Protocol.PublicId.Next(),
            Kind = "profile.withdraw",
            Subject = "profile:client",
            Payload = "{}",
            Sha256 = OperatorProposal.DigestOf("profile.withdraw", "profile:client", "{}"),
            Comment = "",
            Proposer = "anna",
            CreatedAt = t.Now,
            ExpiresAt = t.Now.AddHours(1),
        });

        Assert.Contains("ck_operator_proposals_" + constraint, await ViolatedAsync(s, "UPDATE operator_proposals SET " + change), StringComparison.Ordinal);

        await using var db = await s.Factory.CreateDbContextAsync(None);
        Assert.Equal(1, await db.Database.ExecuteSqlRawAsync("UPDATE operator_proposals SET approver = 'berta', approved_at = created_at, done_at = created_at"));
    }

    [Fact]
    public void A_decision_is_made_by_another_and_once()
    {
        var now = DateTimeOffset.UnixEpoch;
        OperatorProposal Made(bool alone = false) => new() { PublicId = "p", Kind = "k", Subject = "s", Payload = "{}", Sha256 = "", Comment = "", Proposer = "anna", CreatedAt = now, ExpiresAt = now.AddHours(1), Alone = alone };
        Assert.Throws<InvalidOperationException>(() => Made().Approve("Anna", now));
        Assert.Throws<InvalidOperationException>(() => Made().Approve("berta", now.AddHours(1)));
        Assert.Throws<InvalidOperationException>(() => Made().CarryOutAlone(now));
        var withdrawn = Made();
        withdrawn.Withdraw(now);
        Assert.Throws<InvalidOperationException>(() => withdrawn.Approve("berta", now));
        var done = Made();
        done.Approve("berta", now);
        Assert.Equal(DecisionStatus.Done, done.StatusAt(now));
        Assert.Throws<InvalidOperationException>(() => done.Approve("carla", now));
        Assert.Throws<InvalidOperationException>(() => done.Withdraw(now));
        var alone = Made(alone: true);
        alone.CarryOutAlone(now);
        Assert.Equal(DecisionStatus.Done, alone.StatusAt(now));
    }

    [SkippableFact]
    public async Task A_switch_is_seen_once_it_is_off_and_gone_once_it_is_on()
    {
        await using var s = await TestStore.OpenAsync(kind);
        async Task<bool> SwitchAsync(bool on) => (bool)await s.WriteAsync(async t => (object)await t.SwitchAsync(SwitchKind.Profile, "client", on, None));
        Assert.False(await SwitchAsync(true));
        Assert.True(await SwitchAsync(false));
        Assert.False(await SwitchAsync(false));
        Assert.Equal("client", (await s.Store.ReadAsync(db => db.RuntimeSwitches.SingleAsync(None), None)).Name);
        Assert.True(await SwitchAsync(true));
        Assert.False(await s.Store.ReadAsync(db => db.RuntimeSwitches.AnyAsync(None), None));
    }

    [SkippableFact]
    public async Task A_proposal_goes_from_pending_by_another_ones_approval_to_its_end_and_lapses_without()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.AddAsync(t => Proposal(t, 1, "01", "02"));
        async Task ChangeAsync(Action<RevocationProposal, StoreTransaction> change) => await s.WriteAsync(async t =>
        {
            var held = await t.HoldProposalAsync((await t.Db.RevocationProposals.AsNoTracking().SingleAsync()).PublicId, None);
            change(held!, t);
            return held!;
        });
        Task<RevocationProposal> ReadAsync() => s.Store.ReadAsync(db => db.RevocationProposals.SingleAsync(None), None);

        Assert.Equal(ProposalStatus.Pending, (await ReadAsync()).StatusAt(s.Store.Now));
        Assert.Equal(ProposalStatus.Expired, (await ReadAsync()).StatusAt(s.Store.Now.AddHours(1)));
        await Assert.ThrowsAsync<InvalidOperationException>(() => ChangeAsync((p, t) => p.Approve("ANNA", t.Now)));
        await Assert.ThrowsAsync<InvalidOperationException>(() => ChangeAsync((p, t) => p.StartAlone(t.Now)));
        await Assert.ThrowsAsync<InvalidOperationException>(() => ChangeAsync((p, t) => p.Approve("berta", t.Now.AddHours(1))));
        await Assert.ThrowsAsync<InvalidOperationException>(() => ChangeAsync((p, t) => p.Finish(t.Now)));
        await ChangeAsync((p, t) => p.Approve("berta", t.Now));
        Assert.Equal(ProposalStatus.Running, (await ReadAsync()).StatusAt(s.Store.Now.AddHours(2)));
        await ChangeAsync((p, t) =>
        {
            p.Advance(1, 1, 0, t.Now);
            p.Finish(t.Now);
        });
        var done = await ReadAsync();
        Assert.Equal((ProposalStatus.Finished, 1, 1, 0), (done.StatusAt(s.Store.Now), done.Revoked, done.Gone, done.RevokedSince));
    }

    [SkippableFact]
    public async Task What_was_decided_and_stands_still_is_found_with_the_items_that_had_no_turn()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var made = await s.AddAsync(t => Proposal(t, 4, "04", "01", "03", "02"));
        Assert.Empty(await s.Store.ReadAsync(db => db.StandingStillAsync(s.Store.Now.AddDays(1), None), None));
        await s.WriteAsync(async t =>
        {
            var held = (await t.HoldProposalAsync(made.PublicId, None))!;
            held.StartAlone(t.Now);
            foreach (var item in await t.Db.RevocationItems.Where(i => i.DoneAt == null).OrderBy(i => i.Serial).Take(2).ToListAsync(None))
            {
                item.DoneAt = t.Now;
            }

            held.Advance(2, 0, 0, t.Now);
            return held;
        });
        Assert.Equal([made.PublicId], await s.Store.ReadAsync(db => db.StandingStillAsync(s.Store.Now, None), None));
        Assert.Empty(await s.Store.ReadAsync(db => db.StandingStillAsync(s.Store.Now.AddSeconds(-1), None), None));
        Assert.Equal(["03", "04"], await s.Store.ReadAsync(db => db.RevocationItems.Where(i => i.DoneAt == null).OrderBy(i => i.Serial).Select(i => i.Serial).ToListAsync(None), None));
        Assert.Equal(made.MatchedSha256, RevocationProposals.DigestOf(await s.Store.ReadAsync(db => db.SerialsOfAsync(made.Id, None), None)));
    }

    [SkippableFact]
    public async Task Two_that_carry_out_one_proposal_do_so_one_after_the_other()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var made = await s.AddAsync(t => Proposal(t, 9, "01", "02", "03", "04", "05", "06"));
        await s.WriteAsync(async t =>
        {
            (await t.HoldProposalAsync(made.PublicId, None))!.StartAlone(t.Now);
            return "started";
        });
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => s.WriteAsync(async t =>
        {
            var held = (await t.HoldProposalAsync(made.PublicId, None))!;
            var item = await t.Db.RevocationItems.Where(i => i.ProposalId == held.Id && i.DoneAt == null).OrderBy(i => i.Serial).FirstAsync(None);
            item.DoneAt = t.Now;
            held.Advance(1, 0, 0, t.Now);
            return "done";
        }))));
        Assert.Equal(6, (await s.Store.ReadAsync(db => db.RevocationProposals.SingleAsync(None), None)).Revoked);
        Assert.False(await s.Store.ReadAsync(db => db.RevocationItems.AnyAsync(i => i.DoneAt == null, None), None));
    }

    [SkippableFact]
    public async Task Certificates_are_chosen_by_key_account_issuer_and_name()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await IssueAsync(s, "01", 'a', "corp.test");
        await IssueAsync(s, "02", 'a', "x.corp.test", "other.test");
        await IssueAsync(s, "03", 'b', "*.corp.test");
        await IssueAsync(s, "04", 'b', "y.x.corp.test");
        await IssueAsync(s, "05", 'c', "xcorp.test", "corp.test.example");
        var account = await s.Store.ReadAsync(db => db.Accounts.Where(a => db.Certificates.Any(c => c.AccountId == a.Id && c.Serial == "02")).Select(a => a.PublicId).SingleAsync(None), None);

        Assert.Equal(["01", "02"], await MatchedAsync(s, CriterionKind.Key, new string('a', 64)));
        Assert.Equal(["02"], await MatchedAsync(s, CriterionKind.Account, account));
        Assert.Equal(5, (await MatchedAsync(s, CriterionKind.Issuer, IssuerId)).Count);
        Assert.Empty(await MatchedAsync(s, CriterionKind.Issuer, "none"));
        Assert.Equal(["01"], await MatchedAsync(s, CriterionKind.Name, "corp.test"));
        Assert.Equal(["02", "03", "04"], await MatchedAsync(s, CriterionKind.Name, "*.corp.test"));
        Assert.Equal(["04"], await MatchedAsync(s, CriterionKind.Name, "*.x.corp.test"));
        Assert.Empty(await MatchedAsync(s, CriterionKind.Name, "*.%.test"));
    }

    [SkippableFact]
    public async Task What_is_revoked_or_ended_does_not_match_unless_it_can_become_compromised()
    {
        await using var s = await TestStore.OpenAsync(kind);
        foreach (var serial in new[] { "01", "02", "03" })
        {
            await IssueAsync(s, serial, 'a', serial + ".corp.test");
        }

        foreach (var (serial, reason) in new[] { ("01", 4), ("02", 1) })
        {
            await s.WriteAsync(async t =>
            {
                (await t.Db.Certificates.SingleAsync(c => c.Serial == serial, None)).Revoke(reason, t.Now);
                return "revoked";
            });
        }

        Assert.Equal(["03"], await MatchedAsync(s, CriterionKind.Name, "*.corp.test", 4));
        Assert.Equal(["01", "03"], await MatchedAsync(s, CriterionKind.Name, "*.corp.test", 1));
        Assert.Equal(["03"], (await s.Store.ReadAsync(db => db.MatchingSerialsAsync(["01", "02", "03", "04"], null, s.Store.Now, None), None)).Select(c => c.Serial));
        Assert.Equal(["04"], await s.Store.ReadAsync(db => db.UnknownSerialsAsync(["01", "02", "03", "04"], None), None));
        Assert.Equal("01.corp.test", Assert.Single((await s.Store.ReadAsync(db => db.NamedAsync(["03", "01"], 1, None), None))[0].Names));
        s.Time.Advance(TimeSpan.FromDays(2));
        Assert.Empty(await MatchedAsync(s, CriterionKind.Name, "*.corp.test", 1));
    }

    [Fact]
    public void The_digest_is_of_the_sorted_serial_numbers_whatever_their_order()
    {
        var expected = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("01\n0a\n"u8));
        Assert.Equal(expected, RevocationProposals.DigestOf(["0a", "01"]));
        Assert.NotEqual(expected, RevocationProposals.DigestOf(["0a01"]));
    }

    [Theory]
    [InlineData("viewer", OperatorRole.Viewer)]
    [InlineData("revocation-officer", OperatorRole.RevocationOfficer)]
    [InlineData("Viewer", null)]
    [InlineData("1", null)]
    public void A_role_has_one_word(string word, OperatorRole? role) => Assert.Equal(role, OperatorRoles.Read(word));
}

public sealed class SqliteOperatorTests() : OperatorTests(StoreKind.Sqlite);

public sealed class PostgreSqlOperatorTests() : OperatorTests(StoreKind.PostgreSql);

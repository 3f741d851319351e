using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Orders;
using PersistCa.Storage.Status;
using PersistCa.Testing;
using static PersistCa.Storage.Tests.Sample;

namespace PersistCa.Storage.Tests;

/// <summary>What the store keeps of the status of certificates: lists, answers, signers, blocked keys.</summary>
public abstract class StatusTests(StoreKind kind)
{
    private static readonly string Key = new('f', 64);

    private static IssuedCertificate Certificate(Order order, string serial, StoreTransaction t, int shard = 0, int days = 1) =>
        new(Protocol.PublicId.Next(), serial, IssuerId, order.Id, order.AccountId, Key, [1, 2], t.Now, t.Now.AddDays(days), t.Now) { CrlShard = shard, HasOcsp = true };

    private static async Task<IssuedCertificate> IssueAsync(TestStore s, string serial, int shard = 0, int days = 1)
    {
        if (!await s.Store.ReadAsync(db => db.Issuers.AnyAsync(None), None))
        {
            await s.AddAsync(t => NewIssuer(t.Now));
        }

        var account = await s.AddAccountAsync();
        var order = await s.AddAsync(t =>
        {
            var opened = NewOrder(account, t.Now);
            opened.Finalize([1], t.Now, Proven(opened, t.Now));
            return opened;
        });
        return await s.AddAsync(t =>
        {
            var made = Certificate(order, serial, t, shard, days);
            made.Record([1, 2, 3], t.Now);
            return made;
        });
    }

    private static Task<IssuedCertificate> ChangeAsync(TestStore s, string serial, Func<StoreTransaction, IssuedCertificate, Task> change) => s.WriteAsync(async t =>
    {
        var found = await t.Db.Certificates.FirstAsync(c => c.Serial == serial, None);
        await change(t, found);
        return found;
    });

    private static Task<IssuedCertificate> RevokeAsync(TestStore s, string serial, int? reason = null) => ChangeAsync(s, serial, (t, c) =>
    {
        c.Revoke(reason, t.Now);
        return Task.CompletedTask;
    });

    private static OcspAnswerRow Answer(string serial, StoreTransaction t, int hours, int hash = 1) => new()
    {
        IssuerId = IssuerId,
        Serial = serial,
        Hash = hash,
        Der = [9, 9],
        ThisUpdate = t.Now,
        NextUpdate = t.Now.AddHours(2 * hours),
        RefreshAt = t.Now.AddHours(hours),
    };

    [SkippableFact]
    public async Task An_entry_stands_in_the_list_of_its_part_until_a_list_later_than_its_end()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await IssueAsync(s, "01", shard: 2);
        await IssueAsync(s, "02", shard: 3);
        await RevokeAsync(s, "01", 4);
        var end = s.Store.Now.AddDays(1);
        var entries = await s.Store.ReadAsync(db => db.CrlEntriesAsync(IssuerId, 2, null, None), None);
        Assert.Equal(new CrlEntryRow("01", s.Store.Now, 4), Assert.Single(entries));
        Assert.Empty(await s.Store.ReadAsync(db => db.CrlEntriesAsync(IssuerId, 3, null, None), None));
        Assert.Single(await s.Store.ReadAsync(db => db.CrlEntriesAsync(IssuerId, 2, end, None), None));
        Assert.Empty(await s.Store.ReadAsync(db => db.CrlEntriesAsync(IssuerId, 2, end.AddSeconds(1), None), None));
    }

    [SkippableFact]
    public async Task A_part_is_never_given_up_and_keeps_every_url_it_had()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.AddAsync(t => NewIssuer(t.Now));
        foreach (var url in new[] { "http://old/2.crl", "http://new/2.crl", "http://new/2.crl" })
        {
            await s.WriteAsync(async t => (object)await t.RememberCrlPointAsync(IssuerId, 2, url, None));
            s.Time.Advance(TimeSpan.FromSeconds(1));
        }

        await s.AddAsync(t => new CrlRow { IssuerId = IssuerId, Shard = 5, Number = 7, Der = [1], ThisUpdate = t.Now, NextUpdate = t.Now });
        Assert.Equal([2, 5], await s.Store.ReadAsync(db => db.CrlShardsAsync(IssuerId, None), None));
        Assert.Equal(["http://new/2.crl", "http://old/2.crl"], await s.Store.ReadAsync(db => db.CrlUrlsAsync(IssuerId, 2, None), None));
    }

    [SkippableFact]
    public async Task Numbers_are_of_a_part_and_old_lists_are_forgotten()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.AddAsync(t => NewIssuer(t.Now));
        foreach (var (shard, number) in new[] { (0, 7L), (1, 7L), (1, 8L), (1, 10L), (1, 12L) })
        {
            await s.AddAsync(t => new CrlRow { IssuerId = IssuerId, Shard = shard, Number = number, Der = [1], ThisUpdate = t.Now, NextUpdate = t.Now });
        }

        await s.WriteAsync(async t =>
        {
            await t.ForgetOldCrlsAsync(IssuerId, 1, 2, None);
            return "done";
        });
        Assert.Equal([7L, 10L, 12L], await s.Store.ReadAsync(db => db.Crls.OrderBy(c => c.Shard).ThenBy(c => c.Number).Select(c => c.Number).ToListAsync(None), None));
        var newest = await s.Store.ReadAsync(db => db.NewestCrlsAsync(IssuerId, None), None);
        Assert.Equal((7L, 12L), (newest[0].Number, newest[1].Number));
    }

    [SkippableFact]
    public async Task An_upgrade_keeps_the_time_of_the_revocation_and_is_a_change_for_the_lists()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await IssueAsync(s, "01");
        await RevokeAsync(s, "01", 4);
        var revoked = s.Store.Now;
        s.Time.Advance(TimeSpan.FromHours(1));
        await ChangeAsync(s, "01", (t, c) =>
        {
            c.UpgradeToKeyCompromise(t.Now);
            return Task.CompletedTask;
        });
        var read = await s.Store.ReadAsync(db => db.Certificates.SingleAsync(None), None);
        Assert.Equal((revoked, 1, revoked.AddHours(1)), (read.RevokedAt, read.RevocationReason, read.StatusChangedAt));
        Assert.Equal(revoked.AddHours(1), await s.Store.ReadAsync(db => db.LastStatusChangeAsync(IssuerId, 0, None), None));
    }

    [SkippableFact]
    public async Task Upkeep_deletes_nothing_of_what_is_revoked_and_not_expired()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await IssueAsync(s, "01", days: 4000);
        await RevokeAsync(s, "01");
        s.Time.Advance(TimeSpan.FromDays(3650));
        await s.Upkeep.ForgetStaleNoncesAsync(None);
        await s.Upkeep.ForgetFullBucketsAsync(None);
        await s.Upkeep.ForgetLapsedAsync(s.Store.Now, 1000, None);
        Assert.Equal("01", Assert.Single(await s.Store.ReadAsync(db => db.CrlEntriesAsync(IssuerId, 0, s.Store.Now, None), None)).Serial);
    }

    [SkippableFact]
    public async Task The_answer_about_a_new_certificate_is_due_and_what_is_kept_is_so_until_its_time()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var certificate = await IssueAsync(s, "01");
        await s.WriteAsync(t =>
        {
            t.AwaitOcspAnswer(certificate);
            return Task.FromResult("due");
        });
        Assert.Null(await s.Store.ReadAsync(db => db.OcspAnswerAsync("01", 1, s.Store.Now, None), None));
        Assert.Equal("01", Assert.Single(await s.Store.ReadAsync(db => db.DueOcspAnswersAsync([IssuerId], s.Store.Now, 10, None), None)).Serial);
        Assert.Empty(await s.Store.ReadAsync(db => db.DueOcspAnswersAsync(["other"], s.Store.Now, 10, None), None));

        await s.WriteAsync(async t =>
        {
            await t.KeepOcspAnswerAsync(Answer("01", t, 1), None);
            await t.KeepOcspAnswerAsync(Answer("01", t, 1, hash: 2), None);
            return "kept";
        });
        Assert.Empty(await s.Store.ReadAsync(db => db.DueOcspAnswersAsync([IssuerId], s.Store.Now, 10, None), None));
        Assert.Equal([9, 9], (await s.Store.ReadAsync(db => db.OcspAnswerAsync("01", 1, s.Store.Now, None), None))!.Der);
        Assert.Null(await s.Store.ReadAsync(db => db.OcspAnswerAsync("01", 1, s.Store.Now.AddHours(1), None), None));
        Assert.Equal(2, (await s.Store.ReadAsync(db => db.DueOcspAnswersAsync([IssuerId], s.Store.Now.AddHours(1), 10, None), None)).Count);
    }

    [SkippableFact]
    public async Task A_revocation_takes_the_answers_in_its_own_transaction()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await IssueAsync(s, "01");
        await s.WriteAsync(async t =>
        {
            await t.KeepOcspAnswerAsync(Answer("01", t, 1), None);
            return "kept";
        });
        await ChangeAsync(s, "01", async (t, c) =>
        {
            c.Revoke(1, t.Now);
            await t.WithdrawOcspAnswersAsync(["01"], None);
        });
        Assert.Null(await s.Store.ReadAsync(db => db.OcspAnswerAsync("01", 1, s.Store.Now, None), None));
        Assert.Empty(Assert.Single(await s.Store.ReadAsync(db => db.DueOcspAnswersAsync([IssuerId], s.Store.Now, 10, None), None)).Der);
    }

    [SkippableFact]
    public async Task An_answer_that_was_true_a_moment_ago_does_not_survive_a_revocation_beside_it()
    {
        await using var s = await TestStore.OpenAsync(kind);
        for (var i = 0; i < 20; i++)
        {
            var serial = $"a{i:00}";
            await IssueAsync(s, serial);
            var sign = s.WriteAsync(async t =>
            {
                var held = (await t.HoldCertificatesAsync([serial], None))[serial];
                await Task.Yield();
                var answer = Answer(serial, t, 1);
                answer.Der = [(byte)held.Status];
                await t.KeepOcspAnswerAsync(answer, None);
                return "kept";
            });
            var revoke = ChangeAsync(s, serial, async (t, c) =>
            {
                c.Revoke(1, t.Now);
                await t.WithdrawOcspAnswersAsync([serial], None);
            });
            await Task.WhenAll(sign, revoke);
            var left = await s.Store.ReadAsync(db => db.OcspAnswerAsync(serial, 1, s.Store.Now, None), None);
            Assert.True(left is null || left.Der is [(byte)CertificateStatus.Revoked], "a good answer about a revoked certificate stayed");
        }
    }

    [SkippableFact]
    public async Task A_signer_is_found_by_its_newest_generation()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await s.AddAsync(t => NewIssuer(t.Now));
        foreach (var generation in new[] { 1, 2 })
        {
            await s.AddAsync(t => new OcspSignerRow
            {
                IssuerId = IssuerId,
                Generation = generation,
                CertificateDer = [1],
                KeyFingerprint = new string((char)('0' + generation), 64),
                SealedKey = [1, 2],
                NotAfter = t.Now,
            });
        }

        Assert.Equal(2, (await s.Store.ReadAsync(db => db.OcspSignerAsync(IssuerId, None), None))!.Generation);
    }

    [SkippableFact]
    public async Task A_blocked_key_stays_blocked_and_what_was_proven_stays_proven()
    {
        await using var s = await TestStore.OpenAsync(kind);
        foreach (var proven in new[] { false, true, false })
        {
            await s.WriteAsync(async t =>
            {
                await t.BlockKeyAsync(Key, "01", proven, None);
                return "blocked";
            });
        }

        Assert.True(await s.Store.ReadAsync(db => db.IsBlockedAsync(Key, None), None));
        Assert.False(await s.Store.ReadAsync(db => db.IsBlockedAsync(new string('0', 64), None), None));
        Assert.True((await s.Store.ReadAsync(db => db.BlockedKeys.SingleAsync(None), None)).Proven);
    }

    [SkippableFact]
    public async Task Certificates_with_a_key_proven_to_be_compromised_are_found_until_they_are_revoked_or_end()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await IssueAsync(s, "01");
        await IssueAsync(s, "02", days: 3);
        await s.WriteAsync(async t =>
        {
            await t.BlockKeyAsync(Key, "01", proven: false, None);
            return "blocked";
        });
        Assert.Empty(await s.Store.ReadAsync(db => db.CompromisedCertificatesAsync(s.Store.Now, 10, None), None));
        await s.WriteAsync(async t =>
        {
            await t.BlockKeyAsync(Key, "01", proven: true, None);
            return "blocked";
        });
        Assert.Equal(["01", "02"], (await s.Store.ReadAsync(db => db.CompromisedCertificatesAsync(s.Store.Now, 10, None), None)).Select(c => c.Serial));
        Assert.Equal("02", Assert.Single(await s.Store.ReadAsync(db => db.CompromisedCertificatesAsync(s.Store.Now.AddDays(2), 10, None), None)).Serial);
        await RevokeAsync(s, "02", 1);
        Assert.Equal("01", Assert.Single(await s.Store.ReadAsync(db => db.CompromisedCertificatesAsync(s.Store.Now, 10, None), None)).Serial);
    }

    [Theory]
    [InlineData(0, 1000)]
    [InlineData(999, 1000)]
    [InlineData(1000, 1001)]
    [InlineData(5000, 5001)]
    public void A_list_number_rises_and_is_never_below_the_seconds_of_the_clock(long last, long next) =>
        Assert.Equal(next, CrlLists.NextCrlNumber(last, DateTimeOffset.FromUnixTimeSeconds(1000)));
}

public sealed class SqliteStatusTests() : StatusTests(StoreKind.Sqlite);

public sealed class PostgreSqlStatusTests() : StatusTests(StoreKind.PostgreSql);

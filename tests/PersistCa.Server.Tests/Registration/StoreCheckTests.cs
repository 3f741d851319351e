using System.Security.Cryptography.X509Certificates;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Records;
using PersistCa.Server.Registration;
using PersistCa.Server.Tests.Status;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Integrity;
using PersistCa.Storage.WorkQueue;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Registration;

/// <summary>An authority with something of everything in its store.</summary>
public abstract class StoreCheckBed(bool onPostgres) : IAsyncLifetime
{
    private Task<RunningAuthority>? started;

    private static CancellationToken None => CancellationToken.None;

    /// <summary>The authority, started by the first test that asks; where there is no database, each of them is skipped.</summary>
    public Task<RunningAuthority> AuthorityAsync() => started ??= StartAsync();

    private async Task<RunningAuthority> StartAsync()
    {
        var authority = await RunningAuthority.StartAsync(o => o.Issuance.Ocsp.Enabled = true, onPostgres ? await PostgresCluster.MigratedDatabaseAsync() : null);
        using var client = await authority.RegisteredAsync();
        foreach (var name in new[] { "kept.example.test", "compromised.example.test" })
        {
            authority.Publish(client, name, PersistDialect.Draft02);
            using var leaf = X509Certificate2.CreateFromPem(await client.IssueAsync("dns-persist-01", name));
            if (name[0] == 'c')
            {
                Assert.Equal((200, null), await StatusBed.RevokeAsync(client, leaf, 1));
            }
        }

        await client.OrderAsync(["pending.example.test"], None);
        await Patience.UntilAsync(
            () => authority.Store.ReadAsync(
                async db => (await db.OcspAnswers.ToListAsync(None)).Count(a => a.Der.Length > 0) == 2 && (await db.Crls.ToListAsync(None)) is { Count: > 1 } lists
                    && Issuance.Linting.CrlFacts.Read(lists.MaxBy(l => l.Number)!.Der).Value!.Entries is { Length: 1 },
                None),
            "no answers were signed ahead of questions, or no list names the revoked certificate");
        return authority;
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (started is not { IsCompletedSuccessfully: true })
        {
            return;
        }

        var authority = await started;
        var database = authority.Options.Store.ConnectionString;
        await authority.DisposeAsync();
        if (onPostgres)
        {
            await PostgresCluster.DropDatabaseAsync(database);
        }
    }
}

/// <summary>On SQLite.</summary>
public sealed class SqliteStoreCheckBed() : StoreCheckBed(onPostgres: false);

/// <summary>On PostgreSQL.</summary>
public sealed class PostgreSqlStoreCheckBed() : StoreCheckBed(onPostgres: true);

/// <summary>Each rule of the store is broken in turn.</summary>
public abstract class StoreCheckTests(StoreCheckBed bed)
{
    private static CancellationToken None => CancellationToken.None;

    /// <summary>What is done to a good store, the rule that is then broken, and words of the finding.</summary>
    public static TheoryData<string, string, string> Breaks => new()
    {
        { "order without its certificate", "S02", "nobody works at it" },
        { "order with another's certificate", "S02", "not there, not issued, or another order's" },
        { "order without its entry", "S02", "0 entries of its creation" },
        { "certificate whose order forgot it", "S03", "names none" },
        { "certificate without intent", "S03", "0 entries of the intent" },
        { "certificate without issuance", "S03", "0 entries of its issuance" },
        { "revocation without entry", "S03", "0 entries of its revocation" },
        { "revocation undone", "S03", "with a time of revocation" },
        { "authorization without evidence", "S04", "no evidence" },
        { "authorization without valid challenge", "S04", "none of its challenges is" },
        { "challenge without work", "S04", "no validation is queued" },
        { "work for nothing", "S05", "does not wait for that" },
        { "compromised key not blocked", "S06", "is not blocked" },
        { "account with an older key", "S07", "is not the newest" },
        { "account closed and open", "S07", "was closed at" },
        { "list number that fell", "S08", "before the one with the number below it" },
        { "entry that is no object", "S09", "no JSON object" },
        { "certificate with a flipped bit", "S20", "does not hold for the key of its issuer" },
        { "certificate of another serial", "S20", "its serial number is" },
        { "certificate of another life", "S20", "it is valid from" },
        { "certificate of another key", "S20", "its key is another" },
        { "list with a flipped bit", "S21", "does not hold for the key of its issuer" },
        { "list of another time", "S21", "it has the number" },
        { "revoked and not listed", "S22", "does not name" },
        { "answer that says good", "S23", "it says not revoked" },
        { "answer about another", "S23", "another certificate" },
    };

    [SkippableFact]
    public async Task What_a_server_wrote_breaks_no_rule()
    {
        var found = new List<StoreFinding>();
        await foreach (var finding in (await bed.AuthorityAsync()).Services.GetRequiredService<StoreInspection>().CheckAsync(StoreRules.All.Concat(SignedRules.All), None))
        {
            found.Add(finding);
        }

        Assert.Empty(found);
    }

    [SkippableTheory]
    [MemberData(nameof(Breaks))]
    public async Task A_store_that_is_broken_in_one_thing_is_told_by_its_rule(string what, string rule, string words)
    {
        await using var db = await (await bed.AuthorityAsync()).Services.GetRequiredService<IDbContextFactory<CaDb>>().CreateDbContextAsync();
        await using var undone = await db.Database.BeginTransactionAsync();
        await BreakAsync(db, what);
        db.ChangeTracker.Clear();
        var found = new List<StoreFinding>();
        foreach (var one in StoreRules.All.Concat(SignedRules.All))
        {
            await foreach (var finding in one.CheckAsync(db, None))
            {
                found.Add(finding);
            }
        }

        Assert.Contains(found, f => f.Rule == rule && f.Message.Contains(words, StringComparison.Ordinal));
    }

    private static async Task BreakAsync(CaDb db, string what)
    {
        var kept = db.Certificates.Where(c => c.Status == CertificateStatus.Issued);
        var revoked = db.Certificates.Where(c => c.Status == CertificateStatus.Revoked);
        var changed = what switch
        {
            "order without its certificate" or "certificate whose order forgot it" => await db.Orders.Where(o => o.CertificateId != null).ExecuteUpdateAsync(s => s.SetProperty(o => o.CertificateId, (string?)null)),
            "order with another's certificate" => await db.Orders.Where(o => o.CertificateId != null).ExecuteUpdateAsync(s => s.SetProperty(o => o.CertificateId, "elsewhere")),
            "order without its entry" => await ForgetAsync(db, AuditKinds.OrderCreated),
            "certificate without intent" => await ForgetAsync(db, AuditKinds.IssuanceIntended),
            "certificate without issuance" => await ForgetAsync(db, AuditKinds.CertificateIssued),
            "revocation without entry" => await ForgetAsync(db, AuditKinds.CertificateRevoked),
            "revocation undone" => await revoked.ExecuteUpdateAsync(s => s.SetProperty(c => c.Status, CertificateStatus.Issued)),
            "authorization without evidence" => await db.ValidationRecords.ExecuteDeleteAsync(),
            "authorization without valid challenge" => await db.Challenges.Where(c => c.Status == ChallengeStatus.Valid).ExecuteUpdateAsync(s => s.SetProperty(c => c.Status, ChallengeStatus.Invalid)),
            "challenge without work" => await db.Challenges.Where(c => c.Status == ChallengeStatus.Pending).ExecuteUpdateAsync(s => s.SetProperty(c => c.Status, ChallengeStatus.Processing)),
            "work for nothing" => await WorkForNothingAsync(db),
            "compromised key not blocked" => await db.BlockedKeys.ExecuteDeleteAsync(),
            "account with an older key" => await db.Accounts.ExecuteUpdateAsync(s => s.SetProperty(a => a.CurrentThumbprint, "older")),
            "account closed and open" => await db.Accounts.ExecuteUpdateAsync(s => s.SetProperty(a => a.ClosedAt, DateTimeOffset.UnixEpoch)),
            "list number that fell" => await db.Crls.Where(c => c.Number == db.Crls.Max(x => x.Number)).ExecuteUpdateAsync(s => s.SetProperty(c => c.ThisUpdate, DateTimeOffset.UnixEpoch)),
            "entry that is no object" => await db.AuditEntries.Where(e => e.Kind == AuditKinds.ServerStarted).ExecuteUpdateAsync(s => s.SetProperty(e => e.Facts, "[]")),
            "certificate with a flipped bit" => await FlipAsync(kept.Select(c => c.Der!), der => kept.ExecuteUpdateAsync(s => s.SetProperty(c => c.Der, der))),
            "certificate of another serial" => await kept.ExecuteUpdateAsync(s => s.SetProperty(c => c.Serial, "0badcafe")),
            "certificate of another life" => await kept.ExecuteUpdateAsync(s => s.SetProperty(c => c.NotAfter, DateTimeOffset.UnixEpoch.AddYears(80))),
            "certificate of another key" => await kept.ExecuteUpdateAsync(s => s.SetProperty(c => c.KeyFingerprint, new string('0', 64))),
            "list with a flipped bit" => await FlipAsync(db.Crls.Take(1).Select(c => c.Der), der => db.Crls.ExecuteUpdateAsync(s => s.SetProperty(c => c.Der, der))),
            "list of another time" => await db.Crls.ExecuteUpdateAsync(s => s.SetProperty(c => c.ThisUpdate, DateTimeOffset.UnixEpoch)),
            "revoked and not listed" => await kept.ExecuteUpdateAsync(s => s
                .SetProperty(c => c.Status, CertificateStatus.Revoked).SetProperty(c => c.RevokedAt, DateTimeOffset.UnixEpoch).SetProperty(c => c.StatusChangedAt, DateTimeOffset.UnixEpoch)),
            "answer that says good" => await kept.ExecuteUpdateAsync(s => s.SetProperty(c => c.RevokedAt, DateTimeOffset.UnixEpoch)),
            "answer about another" => await SwapAsync(db),
            _ => throw new ArgumentException(what, nameof(what)),
        };
        Assert.NotEqual(0, changed);
    }

    private static Task<int> ForgetAsync(CaDb db, string kind) => db.AuditEntries.Where(e => e.Kind == kind).ExecuteDeleteAsync();

    private static Task<int> WorkForNothingAsync(CaDb db)
    {
        db.WorkItems.Add(new WorkItem { Kind = WorkKind.Issue, SubjectId = 1, CreatedAt = DateTimeOffset.UnixEpoch, DueAt = DateTimeOffset.UnixEpoch.AddYears(200) });
        return db.SaveChangesAsync(None);
    }

    private static async Task<int> FlipAsync(IQueryable<byte[]> read, Func<byte[], Task<int>> write)
    {
        var der = await read.SingleAsync();
        der[^1] ^= 1;
        return await write(der);
    }

    private static async Task<int> SwapAsync(CaDb db)
    {
        var answers = (await db.OcspAnswers.ToListAsync()).Where(a => a.Der.Length > 0).ToList();
        (answers[0].Der, answers[1].Der) = (answers[1].Der, answers[0].Der);
        return await db.SaveChangesAsync(None);
    }
}

/// <summary>On SQLite.</summary>
public sealed class SqliteStoreCheckTests(SqliteStoreCheckBed bed) : StoreCheckTests(bed), IClassFixture<SqliteStoreCheckBed>;

/// <summary>On PostgreSQL.</summary>
public sealed class PostgreSqlStoreCheckTests(PostgreSqlStoreCheckBed bed) : StoreCheckTests(bed), IClassFixture<PostgreSqlStoreCheckBed>;

using System.Collections;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Orders;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.ExternalAccounts;
using PersistCa.Storage.WorkQueue;
using PersistCa.Testing;
using static PersistCa.Storage.Tests.Sample;

namespace PersistCa.Storage.Tests;

/// <summary>
/// What is written comes back with every member. Each test also says which members of its sample are unset, so that a member added later cannot pass by
/// being empty on both sides.
/// </summary>
public abstract class RoundTripTests(StoreKind kind)
{
    private static readonly JsonSerializerOptions Lines = new() { WriteIndented = true };

    private static readonly AcmeProblem Error = new(ProblemCatalog.BadSignatureAlgorithm, "détail \"quoted\"")
    {
        Status = 401,
        Identifier = AcmeIdentifier.Dns("a.test"),
        Algorithms = ["ES256", "EdDSA"],
        Subproblems =
        [
            new AcmeProblem(ProblemCatalog.Caa, "first") { Identifier = AcmeIdentifier.Dns("b.test") },
            new AcmeProblem(ProblemCatalog.Dns, "second") { Identifier = AcmeIdentifier.Dns("c.test") },
        ],
    };

    [SkippableFact]
    public async Task The_time_of_a_change_is_cut_to_the_milliseconds_that_are_kept()
    {
        await using var s = await OpenAsync();
        var account = await s.AddAccountAsync();
        Assert.Equal(new DateTimeOffset(2030, 1, 1, 0, 0, 0, 123, TimeSpan.Zero), account.CreatedAt);
        Assert.Equal(account.CreatedAt, (await s.Store.ReadAsync(db => db.AccountAsync(account.Id, None), None))!.CreatedAt);
    }

    [SkippableFact]
    public async Task An_account_comes_back_with_its_keys()
    {
        await using var s = await OpenAsync();
        var key = await s.AddAsync(t => NewExternalKey(t.Now));
        var opened = await s.AddAsync(t => new Account(PublicId.Next(), "first", Jwk, ["mailto:ä@x.test", "mailto:b@x.test"], true, t.Now, key.Id, """{"protected":"é"}"""));
        var written = await s.ChangeAccountAsync(opened, (a, t) =>
        {
            a.ReplaceKey("second", """{"kty":"other"}""", t.Now.AddMilliseconds(1));
            a.ProvedByRecord(t.Now.AddMilliseconds(3));
            a.Restrict(new AccountRestrictions { Names = ["*.x.test"], Profiles = ["server"] });
            a.Suspend(t.Now.AddMilliseconds(4));
            a.Deactivate(t.Now.AddMilliseconds(2));
        });

        await SameAsync(s, written, db => db.AccountAsync(written.PublicId, None)!, nameof(Account.IsValid));
        Assert.Equal(["first", "second"], written.Keys.Select(k => k.Thumbprint));
        Assert.All(written.Keys, key => Assert.Empty(Unset(key)));
    }

    [SkippableFact]
    public async Task An_external_account_key_comes_back_with_each_list_in_its_place()
    {
        await using var s = await OpenAsync();
        var made = await s.AddAsync(t => NewExternalKey(t.Now, singleUse: true));
        var written = await s.WriteAsync(async t =>
        {
            var current = (await t.HoldExternalKeyAsync(made.PublicId, None))!;
            current.Bind(t.Now.AddMilliseconds(1));
            current.Remove(EndStops.Renewals, t.Now.AddMilliseconds(2));
            return current;
        });

        await SameAsync(s, written, db => db.ExternalKeyAsync(made.PublicId, None));
        var found = (await s.Store.ReadAsync(db => db.ExternalKeyAsync(made.PublicId, None), None))!;
        Assert.Equal([".corp.test", "10.0.0.0/8"], found.Names);
        Assert.Equal(["server", "client"], found.Profiles);
        Assert.Equal(["dns-01"], found.Challenges);
    }

    [SkippableFact]
    public async Task A_decision_comes_back_with_its_certificate()
    {
        await using var s = await OpenAsync();
        var account = await s.AddAccountAsync();
        await s.AddAsync(t => NewIssuer(t.Now));
        var order = await s.AddAsync(t => NewOrder(account, t.Now));
        var written = await s.AddAsync(t => new PolicyDecisionRow { Certificate = NewCertificate(order, "0b", t.Now), Version = 1, DecidedAt = t.Now, Json = """{"é":1}""" });

        var found = await s.Store.ReadAsync(db => db.PolicyDecisions.SingleAsync(), None);
        Assert.Equal((written.Certificate!.Id, 1, s.Store.Now, """{"é":1}"""), (found.CertificateId, found.Version, found.DecidedAt, found.Json));
    }

    [SkippableFact]
    public async Task A_completed_order_comes_back() => await OrderComesBackAsync(order => order.Complete(PublicId.Next()), nameof(Order.Error));

    [SkippableFact]
    public async Task A_failed_order_comes_back_with_its_error_and_subproblems() =>
        await OrderComesBackAsync(order => order.Fail(Error), nameof(Order.CertificateId));

    [SkippableFact]
    public async Task An_authorization_comes_back_with_its_challenges_and_their_errors()
    {
        await using var s = await OpenAsync();
        var account = await s.AddAccountAsync();
        (ChallengeType, string)[] offered = [(ChallengeType.Dns01, "t0"), (ChallengeType.DnsPersist01, "t1")];
        var opened = await s.AddAsync(t => new Authorization(
            PublicId.Next(), account.Id, "a.test", true, offered, t.Now, t.Now.AddMilliseconds(1500), "00-trace", AuthorizationReach.AnyOrder | AuthorizationReach.Subdomains));
        var written = await s.ChangeAuthorizationAsync(opened, (a, t) =>
        {
            a.Accept(a.Challenges[0], t.Now);
            a.Accept(a.Challenges[1], t.Now, "above.test");
            a.Conclude(a.Challenges[1], t.Now.AddMilliseconds(1), t.Now.AddMilliseconds(2001), isReusable: true, "rules");
            a.Fail(a.Challenges[0], Error);
        });

        await SameAsync(s, written, db => db.AuthorizationAsync(written.PublicId, None)!);
        Assert.Equal([nameof(Challenge.Ordinal), nameof(Challenge.RecordAt), nameof(Challenge.ValidatedAt)], Unset(written.Challenges[0]));
        Assert.Equal([nameof(Challenge.Error)], Unset(written.Challenges[1]));
    }

    [SkippableTheory]
    [InlineData(false, "Der", "IssuedAt", "Names", "RevocationReason", "RevokedAt", "ReplacedBy", "Sha256", "StatusChangedAt", "Version")]
    [InlineData(true, "Names", "TbsDer")]
    public async Task A_certificate_comes_back_as_an_intent_and_at_its_end(bool revoked, params string[] unset)
    {
        await using var s = await OpenAsync();
        var account = await s.AddAccountAsync();
        await s.AddAsync(t => NewIssuer(t.Now));
        var order = await s.AddAsync(t => NewOrder(account, t.Now));
        var written = await s.AddAsync(t => NewCertificate(order, "0a", t.Now));
        if (revoked)
        {
            written = await s.WriteAsync(async t =>
            {
                var current = await t.Db.Certificates.SingleAsync();
                current.Record([0, 255, 1], t.Now.AddMilliseconds(1));
                current.Revoke(4, t.Now.AddMilliseconds(2));
                current.Replace("order");
                return current;
            });
        }

        await SameAsync(s, written, async db => await db.Certificates.SingleAsync(), unset);
    }

    [SkippableFact]
    public async Task An_issuer_comes_back_with_its_chain_nearest_first_and_its_crl()
    {
        await using var s = await OpenAsync();
        var issuer = await s.AddAsync(t => NewIssuer(t.Now));
        var crl = await s.AddAsync(t => new CrlRow { IssuerId = IssuerId, Shard = 3, Number = 1L << 40, Der = [0, 9], ThisUpdate = t.Now, NextUpdate = t.Now.AddDays(7) });

        await SameAsync(s, issuer, async db => await db.Issuers.SingleAsync(), nameof(IssuerRow.CrlNumberFloor));
        await SameAsync(s, crl, async db => await db.Crls.SingleAsync());
        Assert.Equal([[2, 3], [4]], (await s.Store.ReadAsync(db => db.Issuers.SingleAsync(), None)).ChainDer);
    }

    [SkippableFact]
    public async Task The_evidence_of_a_validation_comes_back()
    {
        await using var s = await OpenAsync();
        var account = await s.AddAccountAsync();
        var authorization = await s.AddAsync(t => NewAuthorization(account, "a.test", false, t.Now));
        var written = await s.AddAsync(t => new ValidationRecord
        {
            AuthorizationId = authorization.Id,
            ChallengeType = ChallengeType.DnsPersist01.Wire(),
            At = t.Now,
            Succeeded = true,
            JustInTime = true,
            Dialect = "acme-persist",
            Evidence = """{"txt":"quoted \"é\" "}""",
        });
        await SameAsync(s, written, async db => await db.ValidationRecords.SingleAsync());
    }

    [SkippableFact]
    public async Task An_audit_entry_comes_back_with_its_facts_in_order_and_its_trace()
    {
        await using var s = await OpenAsync();
        using var activity = new Activity("test").SetIdFormat(ActivityIdFormat.W3C).Start();
        await s.Store.WriteAsync<string>(
            Actor.Operator,
            t =>
            {
                t.Audit(AuditKinds.IssuerAdded, "issuer:x", ("z", "last"), ("missing", null), ("a", "é"));
                return Task.FromResult<Outcome<string>>("done");
            },
            None);

        var entry = await s.Store.ReadAsync(db => db.AuditEntries.SingleAsync(), None);
        Assert.Equal((AuditKinds.IssuerAdded, "operator", "issuer:x", """{"a":"é","z":"last"}"""), (entry.Kind, entry.Actor, entry.Subject, entry.Facts));
        Assert.Equal((s.Store.Now, activity.TraceId.ToHexString()), (entry.At, entry.TraceId));
        Assert.Empty(Unset(entry));
    }

    [SkippableFact]
    public async Task A_sealed_secret_and_a_work_item_come_back()
    {
        await using var s = await OpenAsync();
        var secret = await s.AddAsync(_ => new SealedSecret { Name = "n", Salt = [0, 1], Iterations = 2, Iv = [3], Ciphertext = [4, 0] });
        await s.WriteAsync(t =>
        {
            t.Enqueue(WorkKind.Issue, 1L << 40, 3, "00-trace", 7, "x.test");
            return Task.FromResult("done");
        });
        var leased = Assert.Single(await s.Leases.LeaseAsync(WorkKind.Issue, "node", 1, TimeSpan.FromMilliseconds(1), WorkShares.Of(1000), None));

        await SameAsync(s, secret, async db => await db.SealedSecrets.SingleAsync());
        await SameAsync(s, leased, async db => await db.WorkItems.SingleAsync(), nameof(WorkItem.ParkedAt), nameof(WorkItem.Reason));
        Assert.Equal((1L << 40, 3, s.Store.Now, "00-trace"), (leased.SubjectId, leased.Ordinal, leased.DueAt, leased.TraceParent));
    }

    private async Task OrderComesBackAsync(Action<Order> end, string unset)
    {
        await using var s = await OpenAsync();
        var account = await s.AddAccountAsync();
        var opened = await s.AddAsync(t => new Order(
            PublicId.Next(), account.Id, ["z.test", "*.a.test"], t.Now, t.Now.AddMilliseconds(1), "00-trace", t.Now, t.Now.AddMilliseconds(1500), "client", "AQ.AQ"));
        var written = await s.WriteAsync(async t =>
        {
            var order = await t.Db.Orders.SingleAsync(o => o.Id == opened.Id);
            order.Finalize([0, 255], t.Now, Proven(order, t.Now));
            end(order);
            return order;
        });
        await SameAsync(s, written, async db => await db.Orders.SingleAsync(), unset);
    }

    /// <summary>A store whose time is no whole number of milliseconds.</summary>
    private async Task<TestStore> OpenAsync()
    {
        var s = await TestStore.OpenAsync(kind);
        s.Time.Advance(TimeSpan.FromTicks(1_234_567));
        return s;
    }

    private static async Task SameAsync<T>(TestStore s, T written, Func<CaDb, Task<T?>> read, params string[] unset)
        where T : class
    {
        Assert.Equal(unset.Order(), Unset(written));
        var found = await s.Store.ReadAsync<T?>(read, None);
        Assert.Equal(JsonSerializer.Serialize(written, Lines), JsonSerializer.Serialize(found, Lines));
    }

    /// <summary>Names of the members that are null, zero, false or empty.</summary>
    private static IEnumerable<string> Unset(object row) => row.GetType().GetProperties()
        .Where(p => p.GetValue(row) switch
        {
            null => true,
            string text => text.Length == 0,
            IEnumerable list => !list.Cast<object>().Any(),
            { } value => value.GetType().IsValueType && value.Equals(Activator.CreateInstance(value.GetType())),
        })
        .Select(p => p.Name).Order();
}

public sealed class SqliteRoundTripTests() : RoundTripTests(StoreKind.Sqlite);

public sealed class PostgreSqlRoundTripTests() : RoundTripTests(StoreKind.PostgreSql);

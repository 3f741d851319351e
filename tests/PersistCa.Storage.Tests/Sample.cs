using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Limits;
using PersistCa.Protocol.Orders;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.WorkQueue;
using PersistCa.Testing;

namespace PersistCa.Storage.Tests;

/// <summary>Good rows, and the shortest way to write them.</summary>
internal static class Sample
{
    public const string Jwk = """{"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}""";

    public const string IssuerId = "issuer";

    private static readonly (ChallengeType, string)[] Offered = [(ChallengeType.Http01, "t0"), (ChallengeType.Dns01, "t1"), (ChallengeType.DnsPersist01, "t2")];

    public static CancellationToken None => CancellationToken.None;

    public static Account NewAccount(DateTimeOffset now, string? thumbprint = null) => new(PublicId.Next(), thumbprint ?? PublicId.Next(), Jwk, [], true, now);

    public static ExternalAccountKey NewExternalKey(DateTimeOffset now, bool singleUse = false, int maxAccounts = 7) => new(
        PublicId.Next(),
        [1, 0, 255],
        singleUse,
        new ExternalAccountTerms
        {
            Names = [".corp.test", "10.0.0.0/8"],
            Profiles = ["server", "client"],
            Challenges = ["dns-01"],
            MaxAccounts = maxAccounts,
            MaxNames = 5,
            Certificates = new RateLimit(9, TimeSpan.FromDays(1)),
            Owner = "ännä",
            Team = "team",
            System = "system",
            Criticality = "high",
            ExpiresAt = now.AddDays(1),
        },
        "operator:anna",
        now);

    public static Order NewOrder(Account account, DateTimeOffset now, params string[] names) =>
        new(PublicId.Next(), account.Id, names.Length == 0 ? ["a.test"] : names, null, null, null, now, now.AddHours(1), "server");

    public static Authorization NewAuthorization(Account account, string name, bool wildcard, DateTimeOffset now) =>
        new(PublicId.Next(), account.Id, name, wildcard, Offered, now, now.AddHours(1));

    /// <summary>For each name of an order an authorization that is valid, not written: what makes the order ready.</summary>
    public static IReadOnlyList<Authorization> Proven(Order order, DateTimeOffset now) => [.. order.Names.Select(name =>
    {
        var wildcard = name.StartsWith("*.", StringComparison.Ordinal);
        var proven = new Authorization(PublicId.Next(), order.AccountId, wildcard ? name[2..] : name, wildcard, Offered, now, now.AddHours(1));
        proven.Accept(proven.Challenges[1], now);
        proven.Conclude(proven.Challenges[1], now, now.AddHours(1), isReusable: false);
        return proven;
    })];

    public static IssuerRow NewIssuer(DateTimeOffset now) => new() { Id = IssuerId, CertificateDer = [1, 0, 255], ChainDer = [[2, 3], [4]], AddedAt = now };

    public static IssuedCertificate NewCertificate(Order order, string serial, DateTimeOffset now) =>
        new(PublicId.Next(), serial, IssuerId, order.Id, order.AccountId, new string('f', 64), [1, 2], now, now.AddDays(1), now, "server") { CrlShard = 3, HasOcsp = true };

    /// <summary>One change with its audit entry, on the server's behalf, which must succeed.</summary>
    /// <returns>What the change yielded.</returns>
    public static async Task<T> WriteAsync<T>(this TestStore s, Func<StoreTransaction, Task<T>> change)
        where T : notnull =>
        (await s.TryAsync<T>(Actor.Server, async t => await change(t))).Value;

    /// <summary>One change with its audit entry.</summary>
    public static Task<Outcome<T>> TryAsync<T>(this TestStore s, Actor actor, Func<StoreTransaction, Task<Outcome<T>>> change)
        where T : notnull =>
        s.Store.WriteAsync<T>(
            actor,
            async t =>
            {
                var outcome = await change(t);
                t.Audit(AuditKinds.AccountUpdated, "test");
                return outcome;
            },
            None);

    /// <summary>Adds one row.</summary>
    public static Task<T> AddAsync<T>(this TestStore s, Func<StoreTransaction, T> make)
        where T : class =>
        s.WriteAsync(t =>
        {
            var row = make(t);
            t.Db.Add(row);
            return Task.FromResult(row);
        });

    public static Task<Account> AddAccountAsync(this TestStore s, string? thumbprint = null) => s.AddAsync(t => NewAccount(t.Now, thumbprint));

    /// <summary>An account added on somebody's behalf, with its audit entry.</summary>
    public static Task<Outcome<Account>> TryAddAccountAsync(this TestStore s, Actor actor) => s.TryAsync<Account>(actor, t =>
    {
        var account = NewAccount(t.Now);
        t.Db.Accounts.Add(account);
        return Task.FromResult<Outcome<Account>>(account);
    });

    public static Task<Account> ChangeAccountAsync(this TestStore s, Account account, Action<Account, StoreTransaction> change) => s.WriteAsync(async t =>
    {
        var current = (await t.Db.AccountAsync(account.Id, None))!;
        change(current, t);
        return current;
    });

    public static Task<Authorization> ChangeAuthorizationAsync(this TestStore s, Authorization authorization, Action<Authorization, StoreTransaction> change) =>
        s.WriteAsync(async t =>
        {
            var current = (await t.Db.AuthorizationAsync(authorization.Id, None))!;
            change(current, t);
            return current;
        });

    /// <summary>Queues validations of the subjects.</summary>
    public static Task EnqueueAsync(this TestStore s, params IEnumerable<long> subjects) => s.WriteAsync(t =>
    {
        foreach (var subject in subjects)
        {
            t.Enqueue(WorkKind.Validate, subject, 0, null, subject);
        }

        return Task.FromResult("done");
    });
}

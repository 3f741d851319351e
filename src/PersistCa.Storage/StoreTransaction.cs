using System.Diagnostics;
using System.Text.Json;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Orders;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Direct;
using PersistCa.Storage.Status;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Storage;

/// <summary>A nonce that a request spends.</summary>
/// <param name="Value">The nonce.</param>
/// <param name="ExpiresAt">When it would be stale anyway.</param>
public sealed record NonceUse(string Value, DateTimeOffset ExpiresAt);

/// <summary>On whose behalf the store is written.</summary>
/// <param name="Name">"account:ID", "server", "operator" or "operator:NAME".</param>
/// <param name="Nonce">The nonce of the request, null where no request stands behind the change.</param>
public sealed record Actor(string Name, NonceUse? Nonce = null)
{
    /// <summary>The account that must still be valid, and still have the key that signed, when the change happens; null where no account acts.</summary>
    public SigningAccount? Signer { get; private init; }

    /// <summary>Whether the change is one of the account's own row: then it is asked for alone, since two that shared it first would be in each other's way.</summary>
    public bool ChangesAccount { get; private init; }

    /// <summary>The same actor, about to change its account.</summary>
    public Actor AsOwner() => this with { ChangesAccount = true };

    /// <summary>The server itself.</summary>
    public static readonly Actor Server = new("server");

    /// <summary>A person at the host.</summary>
    public static readonly Actor Operator = new("operator");

    /// <summary>An operator with a token.</summary>
    public static Actor OperatorNamed(string name) => new("operator:" + name);

    /// <summary>An account, acting through a signed request.</summary>
    /// <param name="publicId">Public id of the account.</param>
    /// <param name="thumbprint">Thumbprint of the key that signed.</param>
    /// <param name="nonce">The nonce of the request.</param>
    public static Actor Account(string publicId, string thumbprint, NonceUse? nonce) =>
        new("account:" + publicId, nonce) { Signer = new SigningAccount(publicId, thumbprint) };
}

/// <summary>An account and the key it signed with.</summary>
/// <param name="PublicId">Public id of the account.</param>
/// <param name="Thumbprint">Thumbprint of the key.</param>
public sealed record SigningAccount(string PublicId, string Thumbprint);

/// <summary>
/// One change of state: what to read and to write in it, the time, and the ways to audit and to queue in the same transaction. What is written here goes to the
/// database together, at the end; what is changed through <see cref="Db"/> goes before it.
/// </summary>
public sealed class StoreTransaction
{
    private readonly Actor actor;
    private readonly DirectConnection connection;
    private readonly Func<CaDb> join;
    private readonly SqlBatch first;
    private readonly SqlBatch writes = new();
    private readonly List<Action> afterCommit = [];
    private CaDb? db;

    internal StoreTransaction(DirectConnection connection, Func<CaDb> join, SqlBatch first, Actor actor, DateTimeOffset now)
    {
        this.connection = connection;
        this.join = join;
        this.first = first;
        this.actor = actor;
        Now = now;
    }

    /// <summary>The model, in this transaction. It costs more than statements do; what every request needs goes without it.</summary>
    public CaDb Db => db ??= join();

    /// <summary>Which database this is.</summary>
    public StoreKind Kind => connection.Kind;

    /// <summary>The time of the change, whole milliseconds.</summary>
    public DateTimeOffset Now { get; }

    internal IReadOnlyList<Action> CommitActions => afterCommit;

    internal int AuditEntries { get; private set; }

    /// <summary>The model, if it was used.</summary>
    internal CaDb? Used => db;

    /// <summary>Whether something waits to be written.</summary>
    internal bool Writes => writes.Count > 0;

    /// <summary>Public ids of accounts that were changed without the model.</summary>
    internal List<string> ChangedAccounts { get; } = [];

    /// <summary>Questions to be put in this transaction, without the model.</summary>
    public StoreReads Read() => new(RunAsync);

    /// <summary>Adds the audit entry of this change.</summary>
    /// <param name="kind">One of <see cref="AuditKinds"/>.</param>
    /// <param name="subject">What it happened to, such as "order:ID".</param>
    /// <param name="facts">Further facts; values that are null are left out.</param>
    public void Audit(string kind, string subject, params (string Name, string? Value)[] facts)
    {
        AuditEntries++;
        WorkSql.Add(writes, new AuditEntry
        {
            At = Now,
            Kind = kind,
            Actor = actor.Name,
            Subject = subject,
            Facts = FactsJson(facts),
            TraceId = Activity.Current?.TraceId.ToHexString(),
        });
    }

    /// <summary>Facts as an entry has them: those that have a value, sorted by their names.</summary>
    public static string FactsJson(params (string Name, string? Value)[] facts)
    {
        var present = new Dictionary<string, string>(facts.Length);
        foreach (var (name, value) in facts.OrderBy(f => f.Name, StringComparer.Ordinal))
        {
            if (value is not null)
            {
                present[name] = value;
            }
        }

        return JsonSerializer.Serialize(present, AcmeJson.Wire.DictionaryStringString);
    }

    /// <summary>Queues work, to be done once this change is committed.</summary>
    /// <returns>The work as it was queued.</returns>
    public WorkItem Enqueue(WorkKind kind, long subjectId, int ordinal, string? traceParent, long accountId, string domain = "", QueueLease? lease = null)
    {
        var item = new WorkItem
        {
            Kind = kind,
            SubjectId = subjectId,
            Ordinal = ordinal,
            AccountId = accountId,
            Domain = domain,
            CreatedAt = Now,
            DueAt = Now,
            TraceParent = traceParent,
        };
        if (lease is not null)
        {
            item.LeaseAtOnce(lease.Node, Now + lease.Time);
        }

        WorkSql.Add(writes, item);
        return item;
    }

    /// <summary>Adds an authorization with its challenges.</summary>
    public void Add(Authorization authorization) => AuthorizationSql.Add(writes, authorization);

    /// <summary>Adds an order that rests on authorizations, in the order of its identifiers, which are in the store or were added before.</summary>
    public void Add(Order order, IReadOnlyList<Authorization> authorizations) => OrderSql.Add(writes, order, authorizations);

    /// <summary>Adds a certificate that is intended, with its names.</summary>
    public void Add(IssuedCertificate certificate) => CertificateSql.Add(writes, certificate);

    /// <summary>Adds the evidence of a validation.</summary>
    public void Add(ValidationRecord record) => WorkSql.Add(writes, record);

    /// <summary>Adds what CAA said.</summary>
    public void Add(CaaCheckRow check) => WorkSql.Add(writes, check);

    /// <summary>Keeps what policy said of a certificate; what it said before gives way.</summary>
    public void Keep(IssuedCertificate certificate, int version, DateTimeOffset decidedAt, string json) =>
        CertificateSql.Keep(writes, certificate.PublicId, version, decidedAt, json);

    /// <summary>Keeps what changed in an order that was read here.</summary>
    public void Save(Order order) => OrderSql.Save(writes, order, changed => order.Kept(order.Id, Next(changed, order.Version, "order")));

    /// <summary>Keeps what changed in a certificate that was read here: that it was signed.</summary>
    public void Save(IssuedCertificate certificate) =>
        CertificateSql.Save(writes, certificate, changed => certificate.Kept(certificate.Id, Next(changed, certificate.Version, "certificate")));

    /// <summary>Keeps what changed in an authorization that was read here, and in one of its challenges.</summary>
    public void Save(Authorization authorization, Challenge? challenge = null)
    {
        AuthorizationSql.Save(writes, authorization, changed => authorization.Kept(authorization.Id, Next(changed, authorization.Version, "authorization")));
        if (challenge is not null)
        {
            AuthorizationSql.Save(writes, authorization, challenge);
        }
    }

    /// <summary>Keeps that an account, read here, proved a name by a record for the first time.</summary>
    public void SaveProved(Account account)
    {
        AccountSql.SaveProved(writes, account, changed => account.Kept(Next(changed, account.Version, "account")));
        ChangedAccounts.Add(account.PublicId);
    }

    /// <summary>The OCSP answer about a new certificate is due.</summary>
    public void AwaitOcspAnswer(IssuedCertificate certificate) => CertificateSql.Await(writes, certificate, OcspShelf.AheadOfQuestions, Now);

    /// <summary>Remembers the URL that a certificate has as its CRL pointer.</summary>
    public void RememberCrlPoint(string issuerId, int shard, string url) => CertificateSql.Remember(writes, issuerId, shard, url, Now);

    /// <summary>Gives a token of a limit back: what it was taken for did not come about.</summary>
    public void GiveBack(string key, long intervalMicroseconds) => WorkSql.Return(writes, key, intervalMicroseconds);

    /// <summary>Runs something once the change is durable, and not at all if it is not.</summary>
    public void AfterCommit(Action action) => afterCommit.Add(action);

    internal void ConsumeNonce()
    {
        if (actor.Nonce is { } nonce)
        {
            WorkSql.Add(writes, nonce);
        }
    }

    /// <summary>Writes what waits.</summary>
    internal Task FlushAsync(CancellationToken cancel) => RunAsync(writes, cancel);

    /// <summary>Asks what has to be asked before anything else, if nothing was asked yet.</summary>
    internal Task BeginAsync(CancellationToken cancel) => RunAsync(new SqlBatch(), cancel);

    private async Task RunAsync(SqlBatch batch, CancellationToken cancel)
    {
        if (first.Count > 0)
        {
            batch.Prepend(first);
            first.Clear();
        }

        await connection.RunAsync(batch, cancel);
    }

    private static int Next(int changed, int version, string what) => changed == 1 ? version + 1 : throw new StaleRowException(what);
}

/// <summary>Work that is leased to a node the moment it is queued, so that nobody has to look for it.</summary>
/// <param name="Node">Name of the node.</param>
/// <param name="Time">For how long.</param>
public sealed record QueueLease(string Node, TimeSpan Time);

/// <summary>Another change of a row came first.</summary>
internal sealed class StaleRowException(string what) : Exception($"the {what} was changed meanwhile");

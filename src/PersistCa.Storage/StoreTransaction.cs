using System.Diagnostics;
using System.Text.Json;
using PersistCa.Protocol.Acme;
using PersistCa.Storage.AuditLog;
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

/// <summary>One change of state: the context to change, the time, and the ways to audit and to queue in the same transaction.</summary>
public sealed class StoreTransaction
{
    private readonly Actor actor;
    private readonly List<Action> afterCommit = [];

    internal StoreTransaction(CaDb db, Actor actor, DateTimeOffset now)
    {
        Db = db;
        this.actor = actor;
        Now = now;
    }

    /// <summary>The model.</summary>
    public CaDb Db { get; }

    /// <summary>The time of the change, whole milliseconds.</summary>
    public DateTimeOffset Now { get; }

    internal IReadOnlyList<Action> CommitActions => afterCommit;

    internal int AuditEntries { get; private set; }

    /// <summary>Adds the audit entry of this change.</summary>
    /// <param name="kind">One of <see cref="AuditKinds"/>.</param>
    /// <param name="subject">What it happened to, such as "order:ID".</param>
    /// <param name="facts">Further facts; values that are null are left out.</param>
    public void Audit(string kind, string subject, params (string Name, string? Value)[] facts)
    {
        AuditEntries++;
        Db.AuditEntries.Add(new AuditEntry
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
        var present = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in facts)
        {
            if (value is not null)
            {
                present[name] = value;
            }
        }

        return JsonSerializer.Serialize(new Dictionary<string, string>(present), AcmeJson.Wire.DictionaryStringString);
    }

    /// <summary>Queues work, to be done once this change is committed.</summary>
    public void Enqueue(WorkKind kind, long subjectId, int ordinal, string? traceParent, long accountId, string domain = "")
    {
        Db.WorkItems.Add(new WorkItem
        {
            Kind = kind,
            SubjectId = subjectId,
            Ordinal = ordinal,
            AccountId = accountId,
            Domain = domain,
            CreatedAt = Now,
            DueAt = Now,
            TraceParent = traceParent,
        });
    }

    /// <summary>Runs something once the change is durable, and not at all if it is not.</summary>
    public void AfterCommit(Action action) => afterCommit.Add(action);

    internal void ConsumeNonce()
    {
        if (actor.Nonce is { } nonce)
        {
            Db.ConsumedNonces.Add(new ConsumedNonce { Nonce = nonce.Value, ExpiresAt = nonce.ExpiresAt });
        }
    }
}

using PersistCa.Storage.AuditLog;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Storage.Direct;

/// <summary>What is written with nearly every change: work, evidence, audit entries, spent nonces; and what limits and switches say.</summary>
internal static class WorkSql
{
    private const string Enqueue =
        "INSERT INTO work_items (kind, subject_id, ordinal, account_id, domain, created_at, due_at, attempts, leased_by, leased_until, trace_parent) "
        + "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id";

    private const string Delete = "DELETE FROM work_items WHERE id = $1 AND leased_by = $2 AND attempts = $3";
    private const string Holds = "SELECT 1 FROM work_items w WHERE w.id = $1 AND w.leased_by = $2 AND w.attempts = $3";
    private const string Audit = "INSERT INTO audit_entries (at, kind, actor, subject, facts, trace_id) VALUES ($1, $2, $3, $4, $5, $6)";
    private const string Spend = "INSERT INTO consumed_nonces (nonce, expires_at) VALUES ($1, $2)";

    private const string Record =
        "INSERT INTO validation_records (authorization_id, challenge_type, at, succeeded, just_in_time, dialect, evidence) VALUES ($1, $2, $3, $4, $5, $6, $7)";

    private const string Caa =
        "INSERT INTO caa_checks (authorization_id, name, checked_at, fresh_until, outcome, evidence) VALUES ($1, $2, $3, $4, $5, $6)";

    private const string FreshCaa =
        "SELECT c.name, c.outcome, c.checked_at, c.fresh_until FROM caa_checks c WHERE c.authorization_id = $1 AND c.fresh_until >= $2 AND c.checked_at <= $2 ORDER BY c.id DESC";

    private const string TakeToken =
        "INSERT INTO limit_buckets (key, full_at) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET full_at = "
        + "CASE WHEN limit_buckets.full_at > $3 THEN limit_buckets.full_at ELSE $3 END + $4 "
        + "WHERE limit_buckets.full_at <= $5 RETURNING full_at";

    private const string GiveBack = "UPDATE limit_buckets SET full_at = full_at - $2 WHERE key = $1";
    private const string Switches = "SELECT s.kind, s.name FROM runtime_switches s";

    public static void Add(SqlBatch batch, WorkItem item) => batch.Read(
        Enqueue,
        row => item.Kept(row.Long(0)),
        (int)item.Kind,
        item.SubjectId,
        item.Ordinal,
        item.AccountId,
        item.Domain,
        item.CreatedAt,
        item.DueAt,
        item.Attempts,
        item.LeasedBy,
        item.LeasedUntil,
        item.TraceParent);

    /// <summary>Deletes an item, if its lease still holds.</summary>
    public static void Take(SqlBatch batch, WorkItem item, Action<int> deleted) => batch.Change(Delete, deleted, item.Id, item.LeasedBy, item.Attempts);

    /// <summary>Tells that a lease still holds.</summary>
    public static void ReadHolds(SqlBatch batch, WorkItem item, Action held) => batch.Read(Holds, _ => held(), item.Id, item.LeasedBy, item.Attempts);

    public static void Add(SqlBatch batch, AuditEntry e) => batch.Do(Audit, e.At, e.Kind, e.Actor, e.Subject, e.Facts, e.TraceId);

    public static void Add(SqlBatch batch, NonceUse nonce) => batch.Do(Spend, nonce.Value, nonce.ExpiresAt);

    public static void Add(SqlBatch batch, ValidationRecord r) =>
        batch.Do(Record, r.AuthorizationId, r.ChallengeType, r.At, r.Succeeded, r.JustInTime, r.Dialect, r.Evidence);

    public static void Add(SqlBatch batch, CaaCheckRow c) => batch.Do(Caa, c.AuthorizationId, c.Name, c.CheckedAt, c.FreshUntil, c.Outcome, c.Evidence);

    /// <summary>Reads what CAA said of an authorization's names and is still fresh, the newest first.</summary>
    public static void ReadFreshCaa(SqlBatch batch, long authorizationId, DateTimeOffset now, Action<CaaCheckRow> found) => batch.Read(
        FreshCaa,
        row => found(new CaaCheckRow
        {
            AuthorizationId = authorizationId,
            Name = row.Text(0),
            Outcome = row.Text(1),
            CheckedAt = row.Time(2),
            FreshUntil = row.TimeOrNull(3),
            Evidence = "",
        }),
        authorizationId,
        now);

    /// <summary>Takes a token of a limit: one statement, so that two nodes cannot take the same.</summary>
    public static void Take(SqlBatch batch, string key, long ifNew, long now, long interval, long latest, Action taken) =>
        batch.Read(TakeToken, _ => taken(), key, ifNew, now, interval, latest);

    /// <summary>Gives a token back.</summary>
    public static void Return(SqlBatch batch, string key, long interval) => batch.Do(GiveBack, key, interval);

    /// <summary>Reads what operators switched off.</summary>
    public static void ReadSwitches(SqlBatch batch, Action<int, string> found) => batch.Read(Switches, row => found(row.Int(0), row.Text(1)));
}

using System.Globalization;
using System.Text;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;

namespace PersistCa.Storage.Direct;

/// <summary>Authorizations with their challenges, as rows.</summary>
internal static class AuthorizationSql
{
    internal const string Columns =
        "a.id, a.public_id, a.account_id, a.name, a.is_wildcard, a.is_pre_authorization, a.subdomains_allowed, a.status, a.created_at, a.expires_at, "
        + "a.validated_at, a.regime, a.rules, a.is_reusable, a.trace_parent, a.version";

    internal const string ChallengeColumns = "c.authorization_id, c.ordinal, c.type, c.token, c.record_at, c.status, c.validated_at, c.error";

    private const string ByPublicId = "SELECT " + Columns + " FROM authorizations a WHERE a.public_id = $1";
    private const string ById = "SELECT " + Columns + " FROM authorizations a WHERE a.id = $1";
    private const string ChallengesByPublicId =
        "SELECT " + ChallengeColumns + " FROM authorizations a JOIN challenges c ON c.authorization_id = a.id WHERE a.public_id = $1 ORDER BY c.ordinal";

    private const string ChallengesById = "SELECT " + ChallengeColumns + " FROM challenges c WHERE c.authorization_id = $1 ORDER BY c.ordinal";

    private const string Insert =
        "INSERT INTO authorizations (public_id, account_id, name, is_wildcard, is_pre_authorization, subdomains_allowed, status, created_at, expires_at, regime, "
        + "is_reusable, trace_parent, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0) RETURNING id";

    private const string Update =
        "UPDATE authorizations SET status = $1, expires_at = $2, validated_at = $3, rules = $4, is_reusable = $5, is_pre_authorization = $6, version = version + 1 "
        + "WHERE id = $7 AND version = $8";

    private const string UpdateChallenge =
        "UPDATE challenges SET status = $1, record_at = $2, validated_at = $3, error = $4 WHERE authorization_id = $5 AND ordinal = $6";

    // Which of them an order may rest on is judged on what was read.
    private const string Valid =
        "SELECT " + Columns + " FROM authorizations a WHERE a.account_id = $1 AND a.name = $2 AND a.is_wildcard = $3 AND a.status = 2 AND a.expires_at > $4 "
        + "AND a.rules = $5 AND (a.is_reusable = $6 OR a.is_pre_authorization = $6) ORDER BY a.expires_at DESC, a.id DESC";

    private const string ValidChallenges =
        "SELECT " + ChallengeColumns + " FROM authorizations a JOIN challenges c ON c.authorization_id = a.id "
        + "WHERE a.account_id = $1 AND a.name = $2 AND a.is_wildcard = $3 AND a.status = 2 AND a.expires_at > $4 "
        + "AND a.rules = $5 AND (a.is_reusable = $6 OR a.is_pre_authorization = $6) ORDER BY c.authorization_id, c.ordinal";

    private const string Pending = "SELECT count(*) FROM authorizations a WHERE a.account_id = $1 AND a.status = 1 AND a.expires_at > $2";

    private static readonly string[] InsertChallenges = [.. Enumerable.Range(0, 9).Select(ChallengesText)];

    /// <summary>Reads one with its challenges.</summary>
    public static void Read(SqlBatch batch, long id, List<Authorization> found) => ReadAll(batch, found, ById, ChallengesById, id);

    /// <summary>Reads one with its challenges.</summary>
    public static void Read(SqlBatch batch, string publicId, List<Authorization> found) => ReadAll(batch, found, ByPublicId, ChallengesByPublicId, publicId);

    /// <summary>Reads an account's valid ones for a name, the one that lasts longest first.</summary>
    public static void ReadValid(SqlBatch batch, long accountId, string name, bool wildcard, DateTimeOffset until, string? rules, List<Authorization> found) =>
        ReadAll(batch, found, Valid, ValidChallenges, accountId, name, wildcard, until, rules, true);

    /// <summary>Counts an account's pending ones.</summary>
    public static void CountPending(SqlBatch batch, long accountId, DateTimeOffset now, Action<long> found) => batch.Read(Pending, row => found(row.Long(0)), accountId, now);

    /// <summary>Reads authorizations, and then their challenges into them.</summary>
    public static void ReadAll(SqlBatch batch, List<Authorization> found, string authorizations, string challenges, params SqlArg[] args)
    {
        batch.Read(
            authorizations,
            row => found.Add(Authorization.Restore(
                id: row.Long(0),
                publicId: row.Text(1),
                accountId: row.Long(2),
                name: row.Text(3),
                isWildcard: row.Bool(4),
                isPreAuthorization: row.Bool(5),
                subdomainsAllowed: row.Bool(6),
                status: (AuthorizationStatus)row.Int(7),
                createdAt: row.Time(8),
                expiresAt: row.Time(9),
                validatedAt: row.TimeOrNull(10),
                regime: row.Text(11),
                rules: row.TextOrNull(12),
                isReusable: row.Bool(13),
                traceParent: row.TextOrNull(14),
                version: row.Int(15))),
            args);
        batch.Read(
            challenges,
            row =>
            {
                var challenge = Challenge.Restore(
                    authorizationId: row.Long(0),
                    ordinal: row.Int(1),
                    type: (ChallengeType)row.Int(2),
                    token: row.Text(3),
                    recordAt: row.TextOrNull(4),
                    status: (ChallengeStatus)row.Int(5),
                    validatedAt: row.TimeOrNull(6),
                    error: row.TextOrNull(7) is { } error ? ProblemDocument.Read(error) : null);
                found.Find(a => a.Id == challenge.AuthorizationId)?.Restore(challenge);
            },
            args);
    }

    /// <summary>Adds one with its challenges.</summary>
    public static void Add(SqlBatch batch, Authorization a)
    {
        batch.Read(
            Insert,
            row => a.Kept(row.Long(0), 0),
            a.PublicId,
            a.AccountId,
            a.Name,
            a.IsWildcard,
            a.IsPreAuthorization,
            a.SubdomainsAllowed,
            (int)a.Status,
            a.CreatedAt,
            a.ExpiresAt,
            a.Regime,
            a.IsReusable,
            a.TraceParent);
        if (a.Challenges.Count >= InsertChallenges.Length)
        {
            throw new InvalidOperationException($"an authorization with {a.Challenges.Count} challenges");
        }

        if (a.Challenges.Count > 0)
        {
            batch.Do(InsertChallenges[a.Challenges.Count], [a.PublicId, .. a.Challenges.SelectMany(c => new SqlArg[] { c.Ordinal, (int)c.Type, c.Token, (int)c.Status })]);
        }
    }

    /// <summary>Keeps what changed in one.</summary>
    public static void Save(SqlBatch batch, Authorization a, Action<int> changed) => batch.Change(
        Update,
        changed,
        (int)a.Status,
        a.ExpiresAt,
        a.ValidatedAt,
        a.Rules,
        a.IsReusable,
        a.IsPreAuthorization,
        a.Id,
        a.Version);

    /// <summary>Keeps what changed in a challenge; its authorization is kept with it, whose version guards both.</summary>
    public static void Save(SqlBatch batch, Authorization a, Challenge c) => batch.Do(
        UpdateChallenge, (int)c.Status, c.RecordAt, c.ValidatedAt, c.Error is { } error ? ProblemDocument.Write(error) : null, a.Id, c.Ordinal);

    private static string ChallengesText(int count)
    {
        var text = new StringBuilder("INSERT INTO challenges (authorization_id, ordinal, type, token, status) ");
        for (var i = 0; i < count; i++)
        {
            var p = 2 + (4 * i);
            text.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? "" : " UNION ALL ")}SELECT a.id, ${p}, ${p + 1}, ${p + 2}, ${p + 3} FROM authorizations a WHERE a.public_id = $1");
        }

        return text.ToString();
    }
}

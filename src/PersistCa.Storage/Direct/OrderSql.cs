using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Orders;

namespace PersistCa.Storage.Direct;

/// <summary>Orders with what they rest on, as rows.</summary>
internal static class OrderSql
{
    private const string Columns =
        "o.id, o.public_id, o.account_id, o.names, o.not_before, o.not_after, o.profile, o.replaces, o.trace_parent, o.created_at, o.expires_at, o.finalized_at, "
        + "o.csr, o.certificate_id, o.error, o.version";

    private const string ByPublicId = "SELECT " + Columns + " FROM orders o WHERE o.public_id = $1";
    private const string ById = "SELECT " + Columns + " FROM orders o WHERE o.id = $1";
    private const string RestsOn = " FROM orders o JOIN order_authorizations l ON l.order_id = o.id JOIN authorizations a ON a.id = l.authorization_id ";
    private const string AuthorizationsByPublicId = "SELECT " + AuthorizationSql.Columns + RestsOn + "WHERE o.public_id = $1 ORDER BY l.position";
    private const string AuthorizationsById = "SELECT " + AuthorizationSql.Columns + RestsOn + "WHERE o.id = $1 ORDER BY l.position";
    private const string ChallengesByPublicId =
        "SELECT " + AuthorizationSql.ChallengeColumns + RestsOn + "JOIN challenges c ON c.authorization_id = a.id WHERE o.public_id = $1 ORDER BY c.authorization_id, c.ordinal";

    private const string ChallengesById =
        "SELECT " + AuthorizationSql.ChallengeColumns + RestsOn + "JOIN challenges c ON c.authorization_id = a.id WHERE o.id = $1 ORDER BY c.authorization_id, c.ordinal";

    private const string Insert =
        "INSERT INTO orders (public_id, account_id, names, not_before, not_after, profile, replaces, trace_parent, created_at, expires_at, version) "
        + "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0) RETURNING id";

    private const string Link =
        "INSERT INTO order_authorizations (order_id, authorization_id, position) SELECT o.id, a.id, $3 FROM orders o, authorizations a WHERE o.public_id = $1 AND a.public_id = $2";

    private const string Update =
        "UPDATE orders SET finalized_at = $1, csr = $2, certificate_id = $3, error = $4, version = version + 1 WHERE id = $5 AND version = $6";

    /// <summary>Reads one with its authorizations.</summary>
    public static void Read(SqlBatch batch, string publicId, OrderReading into) => Read(batch, ByPublicId, AuthorizationsByPublicId, ChallengesByPublicId, publicId, into);

    /// <summary>Reads one with its authorizations.</summary>
    public static void Read(SqlBatch batch, long id, OrderReading into) => Read(batch, ById, AuthorizationsById, ChallengesById, id, into);

    /// <summary>Reads one without its authorizations.</summary>
    public static void ReadAlone(SqlBatch batch, long id, OrderReading into) => ReadOrder(batch, ById, id, into);

    /// <summary>Adds one; its authorizations are there, or added before.</summary>
    public static void Add(SqlBatch batch, Order o, IReadOnlyList<Authorization> authorizations)
    {
        batch.Read(
            Insert,
            row => o.Kept(row.Long(0), 0),
            o.PublicId,
            o.AccountId,
            o.Names,
            o.NotBefore,
            o.NotAfter,
            o.Profile,
            o.Replaces,
            o.TraceParent,
            o.CreatedAt,
            o.ExpiresAt);
        for (var i = 0; i < authorizations.Count; i++)
        {
            batch.Do(Link, o.PublicId, authorizations[i].PublicId, i);
        }
    }

    /// <summary>Keeps what changed in one.</summary>
    public static void Save(SqlBatch batch, Order o, Action<int> changed) => batch.Change(
        Update, changed, o.FinalizedAt, o.Csr, o.CertificateId, o.Error is { } error ? ProblemDocument.Write(error) : null, o.Id, o.Version);

    private static void Read(SqlBatch batch, string order, string authorizations, string challenges, SqlArg id, OrderReading into)
    {
        ReadOrder(batch, order, id, into);
        AuthorizationSql.ReadAll(batch, into.Authorizations, authorizations, challenges, id);
    }

    private static void ReadOrder(SqlBatch batch, string order, SqlArg id, OrderReading into) => batch.Read(
        order,
        row => into.Order = Order.Restore(
            id: row.Long(0),
            publicId: row.Text(1),
            accountId: row.Long(2),
            names: row.Texts(3),
            notBefore: row.TimeOrNull(4),
            notAfter: row.TimeOrNull(5),
            profile: row.TextOrNull(6),
            replaces: row.TextOrNull(7),
            traceParent: row.TextOrNull(8),
            createdAt: row.Time(9),
            expiresAt: row.Time(10),
            finalizedAt: row.TimeOrNull(11),
            csr: row.OctetsOrNull(12),
            certificateId: row.TextOrNull(13),
            error: row.TextOrNull(14) is { } error ? ProblemDocument.Read(error) : null,
            version: row.Int(15)),
        id);
}

/// <summary>An order while it is read.</summary>
internal sealed class OrderReading
{
    public Order? Order { get; set; }

    public List<Authorization> Authorizations { get; } = [];

    /// <summary>What was read; null when there is no such order.</summary>
    public LoadedOrder? Loaded => Order is null ? null : new LoadedOrder(Order, Authorizations);
}

using PersistCa.Protocol.Certificates;

namespace PersistCa.Storage.Direct;

/// <summary>Certificates, as rows.</summary>
internal static class CertificateSql
{
    private const string Columns =
        "c.id, c.public_id, c.serial, c.issuer_id, c.order_id, c.account_id, c.key_fingerprint, c.profile, c.status, c.tbs_der, c.der, c.sha256, c.not_before, c.not_after, "
        + "c.intended_at, c.issued_at, c.revoked_at, c.revocation_reason, c.status_changed_at, c.crl_shard, c.has_ocsp, c.replaced_by, c.version";

    private const string ByPublicId = "SELECT " + Columns + " FROM certificates c WHERE c.public_id = $1";
    private const string ByOrder = "SELECT " + Columns + " FROM certificates c WHERE c.order_id = $1";

    private const string Insert =
        "INSERT INTO certificates (public_id, serial, issuer_id, order_id, account_id, key_fingerprint, profile, status, tbs_der, not_before, not_after, intended_at, "
        + "crl_shard, has_ocsp, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0) RETURNING id";

    private const string InsertName = "INSERT INTO certificate_names (certificate_id, name, reversed) SELECT c.id, $2, $3 FROM certificates c WHERE c.public_id = $1";

    private const string Update =
        "UPDATE certificates SET status = $1, tbs_der = $2, der = $3, sha256 = $4, issued_at = $5, version = version + 1 WHERE id = $6 AND version = $7";

    private const string Decide =
        "INSERT INTO policy_decisions (certificate_id, version, decided_at, json) SELECT c.id, $2, $3, $4 FROM certificates c WHERE c.public_id = $1 "
        + "ON CONFLICT (certificate_id) DO UPDATE SET version = excluded.version, decided_at = excluded.decided_at, json = excluded.json";

    private const string AwaitOcsp =
        "INSERT INTO ocsp_answers (issuer_id, serial, hash, der, this_update, next_update, refresh_at) VALUES ($1, $2, $3, $4, $5, $5, $5)";

    private const string Point = "INSERT INTO crl_points (issuer_id, shard, url, added_at) VALUES ($1, $2, $3, $4) ON CONFLICT (issuer_id, shard, url) DO NOTHING";

    private const string Blocked = "SELECT 1 FROM blocked_keys b WHERE b.fingerprint = $1";

    private const string OcspSigners = "SELECT 1 FROM ocsp_signers s WHERE s.key_fingerprint = $1";

    public static void Read(SqlBatch batch, string publicId, Action<IssuedCertificate> found) => Read(batch, ByPublicId, publicId, found);

    public static void ReadOfOrder(SqlBatch batch, long orderId, Action<IssuedCertificate> found) => Read(batch, ByOrder, orderId, found);

    /// <summary>Tells that a key is blocked.</summary>
    public static void ReadBlocked(SqlBatch batch, string fingerprint, Action found) => batch.Read(Blocked, _ => found(), fingerprint);

    /// <summary>Tells that a key is one of a signer of OCSP answers.</summary>
    public static void ReadOcspSigner(SqlBatch batch, string fingerprint, Action found) => batch.Read(OcspSigners, _ => found(), fingerprint);

    public static void Add(SqlBatch batch, IssuedCertificate c)
    {
        batch.Read(
            Insert,
            row => c.Kept(row.Long(0), 0),
            c.PublicId,
            c.Serial,
            c.IssuerId,
            c.OrderId,
            c.AccountId,
            c.KeyFingerprint,
            c.Profile,
            (int)c.Status,
            c.TbsDer,
            c.NotBefore,
            c.NotAfter,
            c.IntendedAt,
            c.CrlShard,
            c.HasOcsp);
        foreach (var name in c.Names)
        {
            batch.Do(InsertName, c.PublicId, name.Name, name.Reversed);
        }
    }

    public static void Save(SqlBatch batch, IssuedCertificate c, Action<int> changed) =>
        batch.Change(Update, changed, (int)c.Status, c.TbsDer, c.Der, c.Sha256, c.IssuedAt, c.Id, c.Version);

    /// <summary>Keeps a decision; one that was made before gives way.</summary>
    public static void Keep(SqlBatch batch, string certificateId, int version, DateTimeOffset decidedAt, string json) =>
        batch.Do(Decide, certificateId, version, decidedAt, json);

    /// <summary>The answer about a new certificate is due.</summary>
    public static void Await(SqlBatch batch, IssuedCertificate c, int hash, DateTimeOffset now) => batch.Do(AwaitOcsp, c.IssuerId, c.Serial, hash, Array.Empty<byte>(), now);

    /// <summary>Remembers a URL that certificates have as their CRL pointer.</summary>
    public static void Remember(SqlBatch batch, string issuerId, int shard, string url, DateTimeOffset now) => batch.Do(Point, issuerId, shard, url, now);

    private static void Read(SqlBatch batch, string sql, SqlArg id, Action<IssuedCertificate> found) => batch.Read(
        sql,
        row => found(IssuedCertificate.Restore(
            id: row.Long(0),
            publicId: row.Text(1),
            serial: row.Text(2),
            issuerId: row.Text(3),
            orderId: row.Long(4),
            accountId: row.Long(5),
            keyFingerprint: row.Text(6),
            profile: row.TextOrNull(7),
            status: (CertificateStatus)row.Int(8),
            tbsDer: row.Octets(9),
            der: row.OctetsOrNull(10),
            sha256: row.TextOrNull(11),
            notBefore: row.Time(12),
            notAfter: row.Time(13),
            intendedAt: row.Time(14),
            issuedAt: row.TimeOrNull(15),
            revokedAt: row.TimeOrNull(16),
            revocationReason: row.IntOrNull(17),
            statusChangedAt: row.TimeOrNull(18),
            crlShard: row.Int(19),
            hasOcsp: row.Bool(20),
            replacedBy: row.TextOrNull(21),
            version: row.Int(22))),
        id);
}

using PersistCa.Protocol.Accounts;

namespace PersistCa.Storage.Direct;

/// <summary>Accounts with their keys, as rows.</summary>
internal static class AccountSql
{
    private const string Columns =
        "a.id, a.public_id, a.status, a.contacts, a.created_at, a.terms_agreed_at, a.closed_at, a.current_thumbprint, a.proved_by_record_at, a.suspended_at, "
        + "a.restrictions, a.external_key_id, a.external_binding, a.version";

    private const string KeyColumns = "k.id, k.account_id, k.thumbprint, k.jwk, k.added_at";
    private const string ByPublicId = "SELECT " + Columns + " FROM accounts a WHERE a.public_id = $1";
    private const string ById = "SELECT " + Columns + " FROM accounts a WHERE a.id = $1";
    private const string KeysByPublicId = "SELECT " + KeyColumns + " FROM accounts a JOIN account_keys k ON k.account_id = a.id WHERE a.public_id = $1 ORDER BY k.id";
    private const string KeysById = "SELECT " + KeyColumns + " FROM account_keys k WHERE k.account_id = $1 ORDER BY k.id";
    private const string HolderOfKey = "SELECT k.account_id FROM account_keys k WHERE k.thumbprint = $1 LIMIT 1";
    private const string UpdateProved = "UPDATE accounts SET proved_by_record_at = $1, version = version + 1 WHERE id = $2 AND version = $3";
    private const string StillActs = "SELECT a.status, a.suspended_at FROM accounts a WHERE a.public_id = $1 AND a.current_thumbprint = $2";

    /// <summary>Reads an account with its keys.</summary>
    public static void Read(SqlBatch batch, string publicId, Action<Account> found) => Read(batch, ByPublicId, KeysByPublicId, publicId, found);

    /// <summary>Reads an account with its keys.</summary>
    public static void Read(SqlBatch batch, long id, Action<Account> found) => Read(batch, ById, KeysById, id, found);

    /// <summary>Tells that some account has or had a key.</summary>
    public static void ReadHolder(SqlBatch batch, string thumbprint, Action found) => batch.Read(HolderOfKey, _ => found(), thumbprint);

    /// <summary>Keeps when an account first proved a name by a record.</summary>
    public static void SaveProved(SqlBatch batch, Account account, Action<int> changed) =>
        batch.Change(UpdateProved, changed, account.ProvedByRecordAt, account.Id, account.Version);

    /// <summary>Tells whether an account may act and still has the key that signed, and holds its row on PostgreSQL.</summary>
    public static void ReadStillActs(SqlBatch batch, SigningAccount signer, string hold, Action<bool> found) => batch.Read(
        hold.Length == 0 ? StillActs : StillActs + hold,
        row => found(row.Int(0) == (int)AccountStatus.Valid && row.IsNull(1)),
        signer.PublicId,
        signer.Thumbprint);

    private static void Read(SqlBatch batch, string account, string keys, SqlArg id, Action<Account> found)
    {
        Account? read = null;
        batch.Read(
            account,
            row =>
            {
                read = Account.Restore(
                    id: row.Long(0),
                    publicId: row.Text(1),
                    status: (AccountStatus)row.Int(2),
                    contacts: row.Texts(3),
                    createdAt: row.Time(4),
                    termsAgreedAt: row.TimeOrNull(5),
                    closedAt: row.TimeOrNull(6),
                    currentThumbprint: row.Text(7),
                    provedByRecordAt: row.TimeOrNull(8),
                    suspendedAt: row.TimeOrNull(9),
                    restrictions: row.TextOrNull(10) is { } text ? RestrictionsText.Read(text) : null,
                    externalKeyId: row.LongOrNull(11),
                    externalBinding: row.TextOrNull(12),
                    version: row.Int(13));
                found(read);
            },
            id);
        batch.Read(keys, row => read?.Restore(AccountKey.Restore(row.Long(0), row.Long(1), row.Text(2), row.Text(3), row.Time(4))), id);
    }
}

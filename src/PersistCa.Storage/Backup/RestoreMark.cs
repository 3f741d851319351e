using System.Data.Common;
using Microsoft.EntityFrameworkCore;

namespace PersistCa.Storage.Backup;

/// <summary>
/// A table that is there while a restore is not finished: written in the transaction that brings the rows, taken away in the one that reconciles them. A server
/// does not start over it. No migration makes it, so that it is there whatever the schema of the backup.
/// </summary>
public static class RestoreMark
{
    internal const string Table = "restore_unfinished";

    /// <summary>Whether a restore into this database was begun and not finished.</summary>
    public static async Task<bool> IsSetAsync(CaDb db, CancellationToken cancel)
    {
        var sql = db.Kind == StoreKind.PostgreSql
            ? $"SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = '{Table}'"
            : $"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '{Table}'";
        await using DbCommand command = await StoreCatalog.CommandAsync(db, sql, cancel);
        return Convert.ToInt64(await command.ExecuteScalarAsync(cancel), System.Globalization.CultureInfo.InvariantCulture) > 0;
    }

    internal static Task SetAsync(CaDb db, CancellationToken cancel) => db.Database.ExecuteSqlRawAsync($"CREATE TABLE IF NOT EXISTS {Table} (since TEXT)", cancel);

    internal static Task ClearAsync(CaDb db, CancellationToken cancel) => db.Database.ExecuteSqlRawAsync($"DROP TABLE IF EXISTS {Table}", cancel);
}

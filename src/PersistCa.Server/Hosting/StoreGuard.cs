using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using PersistCa.Storage;

namespace PersistCa.Server.Hosting;

/// <summary>Keeps a server from a database that is not its own: one in use by another process, or one that is not the one it was run with before.</summary>
internal static class StoreGuard
{
    /// <summary>File in the data folder that says which database this node was run with.</summary>
    public const string MarkFile = "store.id";

    /// <summary>
    /// Holds a SQLite database for this process: a second server over the same file would lease the same work under the same name. The lock ends with
    /// the process, however it ends.
    /// </summary>
    /// <returns>What to dispose of at the end; null for other databases, which several nodes may share.</returns>
    /// <exception cref="StartRefusedException">Another process has it.</exception>
    public static FileStream? Hold(PersistCaOptions options)
    {
        if (options.Store.Kind != StoreKind.Sqlite || SqliteFile(options) is not { } file)
        {
            return null;
        }

        var path = file + ".lock";
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StartRefusedException("Store:ConnectionString", $"{path} cannot be written ({e.Message}); give this user the folder");
        }
        catch (DirectoryNotFoundException e)
        {
            throw new StartRefusedException("Store:ConnectionString", $"the folder of the database is not there ({e.Message}); make it");
        }
        catch (IOException e)
        {
            throw new StartRefusedException("Store:ConnectionString", $"another server has {file} open ({e.Message}); stop it, or use PostgreSql for several nodes");
        }
    }

    /// <summary>
    /// Compares the database with the one this node was run with. Issuing over another, an empty one put in the place of a lost one above all, would
    /// begin CRL numbers anew and forget what is revoked.
    /// </summary>
    /// <param name="options">The configuration.</param>
    /// <param name="secret">A secret of the database, made when it was new. Only a digest of it is written down.</param>
    /// <exception cref="StartRefusedException">It is another.</exception>
    public static void RequireSame(PersistCaOptions options, byte[] secret)
    {
        var path = Path.Combine(options.Server.DataDirectory, MarkFile);
        var id = Convert.ToHexStringLower(HMACSHA256.HashData(secret, "persistca store id"u8))[..32];
        if (!File.Exists(path))
        {
            File.WriteAllText(path, id + "\n");
            return;
        }

        var known = File.ReadAllText(path).Trim();
        if (known != id)
        {
            throw new StartRefusedException(
                "Store:ConnectionString",
                $"this is database {id}, and {path} says that this node was run with {known}: CRL numbers would begin anew and revocations be forgotten; restore that database, or delete {path} if the change is meant");
        }
    }

    private static string? SqliteFile(PersistCaOptions options)
    {
        try
        {
            var source = new SqliteConnectionStringBuilder(ServerHost.ConnectionString(options));
            return source.Mode == SqliteOpenMode.Memory || source.DataSource is "" or ":memory:" ? null : Path.GetFullPath(source.DataSource);
        }
        catch (ArgumentException)
        {
            return null; // the probe that follows says what is wrong with it
        }
    }
}

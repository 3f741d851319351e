using PersistCa.Protocol;

namespace PersistCa.Storage.Backup;

/// <summary>What a backup is, once all of it was read and found whole.</summary>
/// <param name="Header">Its first line.</param>
/// <param name="Manifest">Its last line.</param>
public sealed record VerifiedBackup(BackupHeader Header, BackupManifest Manifest)
{
    /// <summary>Rows of all tables.</summary>
    public long Rows => Manifest.Tables.Sum(t => t.Rows);

    /// <summary>Reads a backup to its end and keeps nothing of it.</summary>
    public static Parsed<VerifiedBackup> Read(BackupReader reader, CancellationToken cancel)
    {
        var header = reader.ReadHeader();
        if (!header.IsValid)
        {
            return Parsed<VerifiedBackup>.Refused(header.Reason);
        }

        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            var part = reader.Read();
            if (!part.IsValid)
            {
                return Parsed<VerifiedBackup>.Refused(part.Reason);
            }

            if (part.Value is BackupPart.End end)
            {
                return Parsed<VerifiedBackup>.Ok(new VerifiedBackup(header.Value, end.Manifest));
            }
        }
    }
}

namespace PersistCa.Server.Hosting;

/// <summary>Section Backup.</summary>
public sealed class BackupOptions
{
    /// <summary>Public keys that backups are encrypted to (age1...); empty for a passphrase.</summary>
    public List<string> Recipients { get; set; } = [];

    /// <summary>File whose first line is the passphrase of backups; empty for the environment.</summary>
    public string PassphraseFile { get; set; } = "";
}

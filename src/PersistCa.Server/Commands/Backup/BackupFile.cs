using System.CommandLine;
using System.IO.Compression;
using PersistCa.Issuance.Age;
using PersistCa.Protocol;
using PersistCa.Server.Hosting;
using PersistCa.Storage.Backup;

namespace PersistCa.Server.Commands.Backup;

/// <summary>The file of a backup: lines of JSON, compressed (gzip), encrypted (age).</summary>
internal static class BackupFile
{
    /// <summary>The environment variable that may hold the passphrase.</summary>
    public const string Variable = "PERSISTCA_BACKUP_PASSPHRASE";

    /// <summary>The systemd credential that may hold it.</summary>
    public const string Credential = "persistca-backup-passphrase";

    /// <summary>Fewest characters of a passphrase of a new backup: whoever has the file may guess as long as they like.</summary>
    public const int MinPassphraseLength = 16;

    /// <summary>The option of the passphrase's file.</summary>
    public static Option<string?> PassphraseOption() => new("--passphrase-file") { Description = $"File whose first line is the passphrase of the backup, in place of Backup:PassphraseFile; or the variable {Variable}." };

    /// <summary>How a new backup is encrypted: to public keys where there are some, else by a passphrase.</summary>
    /// <exception cref="StartRefusedException">Neither is given, or one cannot be used.</exception>
    public static Func<Stream, Stream> Encryption(PersistCaOptions options, IReadOnlyList<string> recipients, string? passphraseFile)
    {
        var given = recipients.Count > 0 ? recipients : passphraseFile is null ? options.Backup.Recipients : [];
        if (given.Count > 0)
        {
            List<AgeRecipient> keys = [.. given.Select(text => AgeRecipient.Parse(text) is { IsValid: true, Value: var key } ? key : throw new StartRefusedException("--recipient", $"'{text}' is no public key of age: {AgeRecipient.Parse(text).Reason}"))];
            return stream => AgeFile.Encrypt(stream, keys);
        }

        var passphrase = Find(options, passphraseFile)
            ?? throw new StartRefusedException("Backup:Recipients", $"backups are encrypted always: give a public key here or by --recipient ('persistca backup key' makes one), or a passphrase by --passphrase-file or {Variable}");
        return passphrase.Length >= MinPassphraseLength
            ? stream => AgeFile.Encrypt(stream, new AgePassphrase(passphrase))
            : throw new StartRefusedException("--passphrase-file", $"the passphrase has {passphrase.Length} characters; {MinPassphraseLength} are the least, and random ones are meant");
    }

    /// <summary>What a backup is opened with.</summary>
    /// <exception cref="StartRefusedException">Nothing is given, or it cannot be read.</exception>
    public static IReadOnlyList<AgeOpener> Openers(PersistCaOptions options, string? identityFile, string? passphraseFile)
    {
        var openers = new List<AgeOpener>();
        if (identityFile is not null)
        {
            try
            {
                var read = AgeIdentity.ParseFile(File.ReadAllText(identityFile));
                openers.AddRange(read.IsValid ? read.Value : throw new StartRefusedException("--identity", $"{identityFile}: {read.Reason}"));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new StartRefusedException("--identity", e.Message);
            }
        }
        else if (Find(options, passphraseFile) is { } passphrase)
        {
            openers.Add(new AgePassphrase(passphrase));
        }

        return openers.Count > 0 ? openers : throw new StartRefusedException("--identity", $"say what the backup is opened with: --identity FILE for a private key, --passphrase-file FILE or {Variable} for a passphrase");
    }

    /// <summary>Opens a backup for reading from its beginning.</summary>
    /// <param name="file">The file; it is left open.</param>
    /// <param name="openers">What may open it.</param>
    public static Parsed<BackupReader> Open(Stream file, IReadOnlyList<AgeOpener> openers)
    {
        file.Position = 0;
        var plain = AgeFile.Decrypt(new LeftOpen(file), openers);
        return plain.IsValid ? Parsed<BackupReader>.Ok(new BackupReader(new GZipStream(plain.Value, CompressionMode.Decompress))) : Parsed<BackupReader>.Refused(plain.Reason);
    }

    /// <summary>Reads the whole of it.</summary>
    /// <exception cref="StartRefusedException">It is damaged, or is not opened by what is given.</exception>
    public static VerifiedBackup Verify(Stream file, string path, IReadOnlyList<AgeOpener> openers, CancellationToken cancel)
    {
        var opened = Open(file, openers);
        if (!opened.IsValid)
        {
            throw new StartRefusedException("--from", $"{path}: {opened.Reason}");
        }

        using var reader = opened.Value;
        var verified = VerifiedBackup.Read(reader, cancel);
        return verified.IsValid ? verified.Value : throw new StartRefusedException("--from", $"{path} is damaged; nothing was restored: {verified.Reason}");
    }

    /// <summary>Opens the file that --from names.</summary>
    /// <exception cref="StartRefusedException">It cannot be read.</exception>
    public static FileStream OpenFile(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 128 * 1024);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException("--from", e.Message);
        }
    }

    /// <summary>Makes a file that only its owner can read.</summary>
    public static FileStream CreateOwn(string path)
    {
        var opening = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 128 * 1024 };
        if (!OperatingSystem.IsWindows())
        {
            opening.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            return new FileStream(path, opening);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException("--to", e.Message); // it may be another backup's that is being made: it stays
        }
    }

    private static string? Find(PersistCaOptions options, string? passphraseFile) =>
        Passphrase.Given(passphraseFile ?? options.Backup.PassphraseFile, passphraseFile is null ? "Backup:PassphraseFile" : "--passphrase-file", Variable, Credential);

    /// <summary>A stream that outlives those who read it.</summary>
    private sealed class LeftOpen(Stream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override int Read(Span<byte> buffer) => inner.Read(buffer);

        public override int ReadByte() => inner.ReadByte();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}

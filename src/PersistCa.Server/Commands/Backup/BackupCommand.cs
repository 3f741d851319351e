using System.CommandLine;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using PersistCa.Issuance.Age;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Backup;

namespace PersistCa.Server.Commands.Backup;

/// <summary>persistca backup: a copy of the store in one encrypted file, made while servers run.</summary>
internal static class BackupCommand
{
    public static Command Create()
    {
        var arguments = new ConfigurationArguments();
        var to = new Option<string?>("--to") { Description = "File to make. One that exists is never overwritten." };
        var recipients = new Option<string[]>("--recipient") { Description = "Public key that the backup is encrypted to (age1...), in place of Backup:Recipients. May be given several times.", AllowMultipleArgumentsPerToken = false };
        var passphrase = BackupFile.PassphraseOption();
        var withKeys = new Option<bool>("--with-keys") { Description = "Take the files of the data folder's ca/ along: certificates, and keys encrypted as they are. Never the passphrase." };
        var command = new Command("backup", "Copy everything in the store, as it is at one moment, into one encrypted file. Servers may be running.");
        arguments.AddTo(command);
        command.Options.Add(to);
        command.Options.Add(recipients);
        command.Options.Add(passphrase);
        command.Options.Add(withKeys);
        command.SetAction(async (result, cancel) =>
        {
            var options = arguments.Read(result);
            var file = result.GetValue(to) ?? throw new StartRefusedException("--to", "say which file to make");
            var encrypt = BackupFile.Encryption(options, result.GetValue(recipients) ?? [], result.GetValue(passphrase));
            var files = result.GetValue(withKeys) ? AuthorityCopies.Read(options) : [];
            await using var provider = await OpenAsync(options, cancel);
            var (manifest, sha256) = await MakeAsync(provider, file, encrypt, files, cancel);
            var rows = manifest.Tables.Sum(t => t.Rows);
            await RecordAsync(provider, manifest, sha256, cancel);
            var output = result.InvocationConfiguration.Output;
            await output.WriteLineAsync($"{file}: {rows.ToString(CultureInfo.InvariantCulture)} rows of {manifest.Tables.Count} tables, {files.Count} files, {new FileInfo(file).Length} octets, SHA-256 {sha256}");
            await output.WriteLineAsync(manifest.Marks.Audit is { } newest
                ? string.Create(CultureInfo.InvariantCulture, $"newest audit entry {newest.Id}:{newest.Hash}")
                : "the audit log is empty");
            return 0;
        });
        command.Subcommands.Add(Marks());
        command.Subcommands.Add(KeyCommand());
        command.Subcommands.Add(BackupDrillCommand.Create());
        return command;
    }

    /// <summary>The store, once it answers and has the schema of this program.</summary>
    /// <exception cref="StartRefusedException">It does not.</exception>
    public static async Task<ServiceProvider> OpenAsync(PersistCaOptions options, CancellationToken cancel)
    {
        var provider = DatabaseCommand.Store(options);
        var upkeep = provider.GetRequiredService<StoreUpkeep>();
        if (await upkeep.ProbeAsync(cancel) is { } reason)
        {
            await provider.DisposeAsync();
            throw new StartRefusedException("Store:ConnectionString", $"the database does not answer: {reason}");
        }

        await ServerHost.RequireKnownSchemaAsync(upkeep, cancel);
        if (await upkeep.PendingMigrationsAsync(cancel) is { Count: > 0 } pending)
        {
            await provider.DisposeAsync();
            throw new StartRefusedException("Store:Migrate", $"the schema lacks {pending.Count} migrations ({pending[0]} first); run 'persistca database migrate', or the version of this program that the database is of");
        }

        return provider;
    }

    /// <summary>Makes the file: under another name until it is whole and on the disk.</summary>
    private static async Task<(BackupManifest Manifest, string Sha256)> MakeAsync(
        ServiceProvider provider, string path, Func<Stream, Stream> encrypt, IReadOnlyList<(string Name, byte[] Octets)> files, CancellationToken cancel)
    {
        if (File.Exists(path))
        {
            throw new StartRefusedException("--to", $"{path} exists; a backup is never overwritten");
        }

        var partial = path + ".partial";
        try
        {
            BackupManifest manifest;
            await using (var stream = BackupFile.CreateOwn(partial))
            {
                await using (var sealing = encrypt(stream))
                await using (var packing = new GZipStream(sealing, CompressionLevel.Fastest))
                {
                    manifest = await provider.GetRequiredService<StoreDump>().WriteAsync(packing, ProductVersion.Text, files, cancel);
                }

                stream.Flush(flushToDisk: true);
            }

            string sha256;
            await using (var made = File.OpenRead(partial))
            {
                sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(made, cancel));
            }

            File.Move(partial, path, overwrite: false);
            return (manifest, sha256);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(partial);
            throw new StartRefusedException("--to", $"{path} cannot be written: {e.Message}");
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }

    private static async Task RecordAsync(ServiceProvider provider, BackupManifest manifest, string sha256, CancellationToken cancel)
    {
        var outcome = await provider.GetRequiredService<CaStore>().WriteAsync<string>(
            Actor.Operator,
            t =>
            {
                t.Audit(
                    AuditKinds.StoreBackedUp,
                    "store",
                    ("sha256", sha256),
                    ("rows", manifest.Tables.Sum(r => r.Rows).ToString(CultureInfo.InvariantCulture)),
                    ("files", manifest.Files.Count.ToString(CultureInfo.InvariantCulture)),
                    ("newest-entry", manifest.Marks.Audit?.Id.ToString(CultureInfo.InvariantCulture)));
                return Task.FromResult<Protocol.Outcome<string>>("recorded");
            },
            cancel);
        _ = outcome.Value;
    }

    private static Command Marks()
    {
        var arguments = new ConfigurationArguments();
        var command = new Command("marks", "Print how far the store has come in what may never go back: newest audit entry, CRL numbers. Keep it elsewhere, every few minutes, for 'restore --known-marks'.");
        arguments.AddTo(command);
        command.SetAction(async (result, cancel) =>
        {
            await using var provider = await OpenAsync(arguments.Read(result), cancel);
            await result.InvocationConfiguration.Output.WriteLineAsync(StoreMarksText.Write(await provider.GetRequiredService<StoreDump>().MarksAsync(cancel)));
            return 0;
        });
        return command;
    }

    private static Command KeyCommand()
    {
        var to = new Option<string>("--to") { Description = "File to make, for the private key. Keep it away from the machine that makes the backups.", Required = true };
        var command = new Command("key", "Make a key pair for backups: the private key into a file, the public key on the screen, for Backup:Recipients. The program age reads them too.");
        command.Options.Add(to);
        command.SetAction(async (result, cancel) =>
        {
            var identity = AgeIdentity.Generate();
            try
            {
                AuthorityFiles.WriteOwn(result.GetValue(to)!, System.Text.Encoding.ASCII.GetBytes($"# public key: {identity.Recipient}\n{identity.Secret()}\n"));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new StartRefusedException("--to", e.Message);
            }

            await result.InvocationConfiguration.Output.WriteLineAsync(identity.Recipient.ToString());
            return 0;
        });
        return command;
    }
}

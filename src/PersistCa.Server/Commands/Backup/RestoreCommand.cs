using System.CommandLine;
using System.Globalization;
using PersistCa.Issuance.Age;
using PersistCa.Protocol;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.Backup;

namespace PersistCa.Server.Commands.Backup;

/// <summary>persistca restore: a backup back into an empty store, and a store that came back by other means fit to go on.</summary>
internal static class RestoreCommand
{
    public static Command Create()
    {
        var arguments = new ConfigurationArguments();
        var known = new KnownArguments();
        var from = new Option<string?>("--from") { Description = "The backup." };
        var identity = IdentityOption();
        var passphrase = BackupFile.PassphraseOption();
        var withKeys = new Option<bool>("--with-keys") { Description = "Put the authority's files of the backup into the data folder too. None that exists is overwritten." };
        var command = new Command("restore", "Bring a backup back into an empty database, of either kind, and see to it that nothing that was published goes back. No server may be running over it.");
        arguments.AddTo(command);
        known.AddTo(command);
        command.Options.Add(from);
        command.Options.Add(identity);
        command.Options.Add(passphrase);
        command.Options.Add(withKeys);
        command.SetAction(async (result, cancel) =>
        {
            var options = arguments.Read(result);
            var path = result.GetValue(from) ?? throw new StartRefusedException("--from", "say which backup");
            var openers = BackupFile.Openers(options, result.GetValue(identity), result.GetValue(passphrase));
            var state = known.Read(result);
            await using var file = BackupFile.OpenFile(path);
            var backup = BackupFile.Verify(file, path, openers, cancel);
            if (StoreReconciliation.Refuse(state, backup.Manifest.Marks.Audit) is { } refused)
            {
                throw new StartRefusedException("--known-audit-entry", refused);
            }

            AuthorityFiles.MakeOwn(options.Server.DataDirectory);
            await using var hold = StoreGuard.Hold(options);
            await using var provider = DatabaseCommand.Store(options);
            var output = result.InvocationConfiguration.Output;
            var rows = await LoadAsync(provider, options, file, openers, backup, path, result.GetValue(withKeys), cancel);
            await output.WriteLineAsync($"{rows.ToString(CultureInfo.InvariantCulture)} rows of {backup.Manifest.Tables.Count} tables are back, as of {backup.Header.MadeAt:O}.");
            await ReconcileAsync(result, provider, known, state, backup, cancel);
            await output.WriteLineAsync("Next: persistca database check, then persistca serve.");
            return 0;
        });
        command.Subcommands.Add(Reconcile());
        return command;
    }

    /// <summary>The option of the private key.</summary>
    public static Option<string?> IdentityOption() => new("--identity") { Description = "File with the private key that opens the backup (AGE-SECRET-KEY-1...)." };

    /// <summary>Brings the rows, and the files if they are wanted.</summary>
    /// <exception cref="StartRefusedException">The store or the backup does not allow it.</exception>
    public static async Task<long> LoadAsync(
        ServiceProvider provider, PersistCaOptions options, Stream file, IReadOnlyList<AgeOpener> openers, VerifiedBackup backup, string path, bool withKeys, CancellationToken cancel)
    {
        if (options.Store.Kind == StoreKind.PostgreSql && await provider.GetRequiredService<StoreUpkeep>().ProbeAsync(cancel) is { } silent)
        {
            throw new StartRefusedException("Store:ConnectionString", $"the database does not answer: {silent}");
        }

        var load = provider.GetRequiredService<StoreLoad>();
        if (await load.RefuseAsync(backup, cancel) is { } refusal)
        {
            throw new StartRefusedException("Store:ConnectionString", refusal);
        }

        if (withKeys && backup.Manifest.Files.Count == 0)
        {
            throw new StartRefusedException("--with-keys", $"{path} has no files; it was made without --with-keys");
        }

        if (withKeys && backup.Manifest.Files.Select(f => AuthorityCopies.Refuse(options, f.Name)).FirstOrDefault(r => r is not null) is { } inTheWay)
        {
            throw new StartRefusedException("--with-keys", inTheWay);
        }

        var opened = BackupFile.Open(file, openers);
        if (!opened.IsValid)
        {
            throw new StartRefusedException("--from", $"{path}: {opened.Reason}");
        }

        using var reader = opened.Value;
        var files = new List<(string Name, byte[] Octets)>();
        var loaded = await load.LoadAsync(reader, backup, (name, octets) => files.Add((name, octets)), cancel);
        if (!loaded.IsValid)
        {
            throw new StartRefusedException("--from", $"{path}; nothing was restored: {loaded.Reason}");
        }

        foreach (var (name, octets) in withKeys ? files : [])
        {
            AuthorityCopies.Write(options, name, octets);
        }

        return loaded.Value;
    }

    private static Command Reconcile()
    {
        var arguments = new ConfigurationArguments();
        var known = new KnownArguments();
        var command = new Command("reconcile", "Make a database that came back by other means (point-in-time recovery, a copied file, an interrupted restore) fit to go on, before a server starts over it.");
        arguments.AddTo(command);
        known.AddTo(command);
        command.SetAction(async (result, cancel) =>
        {
            var options = arguments.Read(result);
            var state = known.Read(result);
            await using var hold = StoreGuard.Hold(options);
            await using var provider = await BackupCommand.OpenAsync(options, cancel);
            await ReconcileAsync(result, provider, known, state, null, cancel);
            return 0;
        });
        return command;
    }

    private static async Task ReconcileAsync(ParseResult result, ServiceProvider provider, KnownArguments arguments, KnownState state, VerifiedBackup? backup, CancellationToken cancel)
    {
        const string Then = "; the server does not start over this database before 'persistca restore reconcile' was done";
        KnownState full;
        Parsed<Reconciled> made;
        try
        {
            full = await arguments.WithListsAsync(result, state, provider.GetRequiredService<CaStore>(), cancel);
            made = await provider.GetRequiredService<StoreReconciliation>().ReconcileAsync(full, backup, cancel);
        }
        catch (StartRefusedException e) when (backup is not null)
        {
            throw new StartRefusedException(e.Key, e.Message[(e.Key.Length + 2)..] + Then);
        }

        if (!made.IsValid)
        {
            throw new StartRefusedException("--known-audit-entry", made.Reason + (backup is null ? "" : Then));
        }

        var done = made.Value;
        var output = result.InvocationConfiguration.Output;
        await output.WriteLineAsync(done.LostEntries switch
        {
            0 => "Audit log: it holds the newest entry that is known.",
            { } lost => string.Create(CultureInfo.InvariantCulture, $"Audit log: {lost} entries are gone; their ids are not given again, and an entry says so."),
            null => string.Create(CultureInfo.InvariantCulture, $"Audit log: nobody knows whether entries are gone; ids skip {StoreReconciliation.Jump} ahead, and an entry says so."),
        });
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Revocations: {done.Revoked} from published lists, {done.Upgraded} with a new reason, {done.Unknown} of certificates that the store does not know."));
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Issuance: {done.Abandoned} intents given up."));
        foreach (var (issuer, number) in done.Floors)
        {
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Issuer {issuer}: CRL numbers go on above {number}."));
        }
    }
}

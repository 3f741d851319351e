using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Storage.Backup;
using PersistCa.Storage.Integrity;

namespace PersistCa.Server.Commands.Backup;

/// <summary>persistca backup drill: restores a backup into a store that is thrown away, and holds that against the rules.</summary>
internal static class BackupDrillCommand
{
    public static Command Create()
    {
        var arguments = new ConfigurationArguments();
        var from = new Option<string>("--from") { Description = "The backup.", Required = true };
        var identity = RestoreCommand.IdentityOption();
        var passphrase = BackupFile.PassphraseOption();
        var format = Tables.Option();
        var command = new Command("drill", "Prove that a backup can be restored: into a SQLite store in the folder of temporary files, which is held against every rule of 'database check' and thrown away. The store of the configuration is not touched.");
        arguments.AddTo(command);
        command.Options.Add(from);
        command.Options.Add(identity);
        command.Options.Add(passphrase);
        command.Options.Add(format);
        command.SetAction(async (result, cancel) =>
        {
            var configured = arguments.Read(result);
            var path = result.GetValue(from)!;
            var openers = BackupFile.Openers(configured, result.GetValue(identity), result.GetValue(passphrase));
            var began = Stopwatch.GetTimestamp();
            await using var file = BackupFile.OpenFile(path);
            var backup = BackupFile.Verify(file, path, openers, cancel);
            var folder = Directory.CreateTempSubdirectory("persistca-drill-").FullName; // for its owner alone
            try
            {
                var options = new PersistCaOptions { Server = { DataDirectory = folder } };
                await using var provider = DatabaseCommand.Store(options);
                var rows = await RestoreCommand.LoadAsync(provider, options, file, openers, backup, path, withKeys: false, cancel);
                var findings = new List<StoreFinding>();
                await CheckAsync(provider, findings, cancel);
                var made = await provider.GetRequiredService<StoreReconciliation>().ReconcileAsync(new KnownState { AcceptLoss = true }, backup, cancel);
                if (!made.IsValid)
                {
                    findings.Add(new StoreFinding("reconcile", "store", made.Reason));
                }

                await CheckAsync(provider, findings, cancel);
                await PrintAsync(result, Tables.IsJson(result.GetValue(format)), backup, rows, findings.Distinct().ToList(), Stopwatch.GetElapsedTime(began));
                return findings.Count == 0 ? 0 : 1;
            }
            finally
            {
                Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
                Directory.Delete(folder, recursive: true);
            }
        });
        return command;
    }

    private static async Task CheckAsync(ServiceProvider provider, List<StoreFinding> findings, CancellationToken cancel)
    {
        await foreach (var finding in provider.GetRequiredService<StoreInspection>().CheckAsync(StoreRules.All.Concat(SignedRules.All), cancel))
        {
            findings.Add(finding);
        }
    }

    private static async Task PrintAsync(ParseResult result, bool json, VerifiedBackup backup, long rows, List<StoreFinding> findings, TimeSpan took)
    {
        var output = result.InvocationConfiguration.Output;
        if (json)
        {
            await output.WriteLineAsync(JsonSerializer.Serialize(new
            {
                restorable = findings.Count == 0,
                madeAt = backup.Header.MadeAt,
                product = backup.Header.Product,
                store = backup.Header.Store,
                schema = backup.Header.Schema[^1],
                rows,
                tables = backup.Manifest.Tables.ToDictionary(t => t.Name, t => t.Rows),
                files = backup.Manifest.Files.Select(f => f.Name),
                newestAuditEntry = backup.Manifest.Marks.Audit is { } mark ? string.Create(CultureInfo.InvariantCulture, $"{mark.Id}:{mark.Hash}") : null,
                seconds = Math.Round(took.TotalSeconds, 1),
                findings = findings.Select(f => new { rule = f.Rule, subject = f.Subject, message = f.Message }),
            }));
            return;
        }

        foreach (var finding in findings)
        {
            await output.WriteLineAsync(Tables.Printable($"{finding.Rule}  {finding.Subject}: {finding.Message}"));
        }

        await output.WriteLineAsync(Tables.Printable(string.Create(
            CultureInfo.InvariantCulture,
            $"{(findings.Count == 0 ? "Restorable" : "Not good")}: of {backup.Header.MadeAt:O}, {backup.Header.Store}, by {backup.Header.Product}; {rows} rows of {backup.Manifest.Tables.Count} tables, {backup.Manifest.Files.Count} files; {findings.Count} findings; {took.TotalSeconds:F1} s")));
    }
}

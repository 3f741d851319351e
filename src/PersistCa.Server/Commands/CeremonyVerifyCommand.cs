using System.CommandLine;
using System.Globalization;
using PersistCa.Issuance.Ceremonies;
using PersistCa.Issuance.KeyStores;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>persistca ceremony verify and shares: what needs no key. Exit status of verify: 0 all is as the transcripts say, 1 something differs.</summary>
internal static class CeremonyVerifyCommand
{
    public static Command Create()
    {
        var folder = new Option<string>("--folder") { Description = "The ceremony's folder, or a copy of it.", DefaultValueFactory = _ => "ceremony" };
        var command = new Command("verify", "Replay a ceremony from its transcripts: signatures, order, files, and every certificate and list made again from what was written down. Names the first thing that differs.");
        command.Options.Add(folder);
        command.SetAction(async (result, _) =>
        {
            var path = Path.GetFullPath(result.GetValue(folder)!);
            var files = CeremonyArguments.Sound(new CeremonyFolder(path).Read(), "--folder");
            var replayed = CeremonyReplay.Check(files);
            var output = result.InvocationConfiguration.Output;
            if (!replayed.IsValid)
            {
                await output.WriteLineAsync("differs      " + replayed.Reason);
                return 1;
            }

            if (replayed.Value.Transcripts.IsEmpty)
            {
                throw new StartRefusedException("--folder", $"there is no transcript in {path}");
            }

            foreach (var t in replayed.Value.Transcripts)
            {
                await output.WriteLineAsync($"{t.FileName}: {t.Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}, {t.Tool}, witnesses: {(t.Witnesses.Count == 0 ? "none" : string.Join(", ", t.Witnesses))}{(t.Shares.Count == 0 ? "" : $", shares {string.Join(", ", t.Shares)}")}");
                foreach (var line in (t.Certificate?.Describe() ?? []).Concat(t.Out.Select(f => $"file         {f.Name} sha-256 {f.Sha256}")).Concat(t.Keys.Select(k => $"{k.Role,-12} key sha-256 {k.Fingerprint} ({k.Reference})")))
                {
                    await output.WriteLineAsync("  " + line);
                }
            }

            foreach (var name in replayed.Value.Unnamed)
            {
                await output.WriteLineAsync($"unnamed      {name} (no transcript names it)");
            }

            await output.WriteLineAsync($"root         sha-256 {replayed.Value.RootFingerprint ?? "none"}");
            await output.WriteLineAsync($"last         sha-256 {replayed.Value.Last} (compare with the paper record: nothing was taken away at the end)");
            await output.WriteLineAsync($"verified     {replayed.Value.Transcripts.Length} steps");
            return 0;
        });
        return command;
    }

    public static Command Shares()
    {
        var arguments = new CeremonyArguments();
        var command = new Command("shares", "Try shares of the root's passphrase: name the one that is wrong, and say whether they open the root's key. Changes nothing, unless a deal of new shares was interrupted.");
        arguments.AddSharesTo(command);
        command.SetAction(async (result, _) =>
        {
            var restored = arguments.FromShares(result);
            var output = result.InvocationConfiguration.Output;
            await output.WriteLineAsync($"shares       {string.Join(", ", restored.Indexes)} restore the passphrase");
            var keys = new FileKeyStore(arguments.Folder(result));
            if (File.Exists(keys.PathOf("root")))
            {
                await arguments.FinishDealAsync(result, "root", restored.Passphrase);
                using var key = CeremonyArguments.Sound(keys.Open("root", restored.Passphrase), "--share");
                await output.WriteLineAsync($"opened       {keys.PathOf("root")}");
            }

            return 0;
        });
        return command;
    }
}

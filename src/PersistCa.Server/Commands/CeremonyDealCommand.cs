using System.CommandLine;
using PersistCa.Issuance.Ceremonies;
using PersistCa.Issuance.KeyStores;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>persistca ceremony deal: new shares in place of those before, or of a passphrase that had none.</summary>
internal static class CeremonyDealCommand
{
    public static Command Create()
    {
        var arguments = new CeremonyArguments();
        var shares = new Option<int>("--shares") { Description = "How many new shares there are to be, 16 at most.", Required = true };
        var threshold = new Option<int>("--threshold") { Description = "How many of them are to restore the passphrase, 2 or more.", Required = true };
        var sharesTo = ShareHandout.Option("new-shares");
        var command = new Command("deal", "Deal new shares: the root's key is encrypted anew under another passphrase, and the shares before restore nothing any more.");
        arguments.AddTo(command, asks: true);
        foreach (Option option in new Option[] { shares, threshold, sharesTo })
        {
            command.Options.Add(option);
        }

        command.SetAction(async (result, cancel) =>
        {
            var ceremony = arguments.Open(result);
            var reference = CeremonyArguments.Sound(KeyReference.Parse(arguments.RootReference(result)), "--root-key");
            if (reference.Scheme != KeyReference.File)
            {
                throw new StartRefusedException("--root-key", "the root's key is in no file, so it has no passphrase to be split; use the quorum of its store");
            }

            var split = CeremonyArguments.Sound(ShareSet.Make(result.GetValue(threshold), result.GetValue(shares)), "--threshold, --shares");
            var to = result.GetValue(sharesTo)!;
            ShareHandout.RefuseTaken(to, split, Console.IsInputRedirected);
            var before = arguments.RootSecret(result);
            var (ring, key) = await arguments.OpenRootAsync(result, before, cancel);
            using (ring)
            {
                await arguments.AgreeAsync(
                    result,
                    [$"shares       {split.Open.Threshold} of {split.Shares.Count} of a new passphrase, set {split.Open.Set}", $"void         every share and passphrase before ({ceremony.ShareFile ?? "which had no shares"})"],
                    cancel);
                await DealAsync(arguments, result, ceremony, key, before.Passphrase, split, to, reference.Target, cancel);
            }

            return 0;
        });
        return command;
    }

    /// <summary>
    /// The key is encrypted anew beside its file, the shares are handed out, the transcript is signed, and only then the key takes its place. Whatever fails before the
    /// transcript leaves all as it was; what fails after it is ended by the next command that the new shares are given to.
    /// </summary>
    private static async Task DealAsync(CeremonyArguments arguments, ParseResult result, Ceremony ceremony, CeremonyKey key, string before, SplitPassphrase split, string to, string name, CancellationToken cancel)
    {
        var store = arguments.Files(result);
        CeremonyOutcome outcome;
        try
        {
            Refuse(store.PrepareReplacement(name, before, split.Passphrase), "--root-key");
            await ShareHandout.HandOutAsync(result, split, to, cancel);
            outcome = CeremonyArguments.Sound(await ceremony.DealAsync(key, split.Open, cancel), "ceremony deal");
        }
        catch (StartRefusedException)
        {
            store.DropReplacement(name);
            throw;
        }

        await arguments.ReportAsync(result, outcome);
        Refuse(store.FinishReplacement(name, split.Passphrase), "--root-key");
        await result.InvocationConfiguration.Output.WriteLineAsync($"encrypted    {name} under the new passphrase; destroy every copy of it from before, which the shares before still open");
    }

    private static void Refuse(string? reason, string option)
    {
        if (reason is not null)
        {
            throw new StartRefusedException(option, reason);
        }
    }
}

using System.CommandLine;
using System.Text;
using PersistCa.Issuance.Ceremonies;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>How shares reach their holders: a file for each, or one after another on the terminal.</summary>
internal static class ShareHandout
{
    /// <summary>The option that says where they go.</summary>
    public static Option<string> Option(string otherwise) =>
        new("--shares-to") { Description = "Folder for the files of the shares (share-1.txt ...), or - to show them one after another on the terminal.", DefaultValueFactory = _ => otherwise };

    private static string PathOf(string folder, KeyShare share) => Path.Combine(folder, $"share-{share.Index}.txt");

    /// <summary>Refuses where shares cannot go.</summary>
    /// <exception cref="StartRefusedException">There is no terminal, or a file of the name exists.</exception>
    public static void RefuseTaken(string to, SplitPassphrase split, bool redirected)
    {
        if (to == "-" && redirected)
        {
            throw new StartRefusedException("--shares-to", "shares are shown on a terminal only, and there is none; name a folder");
        }

        if (to != "-" && split.Shares.Select(s => PathOf(to, s)).FirstOrDefault(File.Exists) is { } taken)
        {
            throw new StartRefusedException("--shares-to", $"{taken} exists; a share is never overwritten");
        }
    }

    /// <summary>Hands them out.</summary>
    /// <exception cref="StartRefusedException">One cannot be written.</exception>
    public static async Task HandOutAsync(ParseResult result, SplitPassphrase split, string to, CancellationToken cancel)
    {
        var output = result.InvocationConfiguration.Output;
        foreach (var share in split.Shares)
        {
            if (to == "-")
            {
                await output.WriteLineAsync($"\nShare {share.Index} of {split.Shares.Count}, for its holder alone:\n\n  {share.Line()}\n\nWrite it down, then press Enter.");
                await output.FlushAsync(cancel);
                await Console.In.ReadLineAsync(cancel);
                await output.WriteAsync("\e[3J\e[H\e[2J"); // and from what can be scrolled back to
                continue;
            }

            try
            {
                AuthorityFiles.MakeOwn(to);
                AuthorityFiles.WriteOwn(PathOf(to, share), Encoding.ASCII.GetBytes(share.Line() + "\n"));
                await output.WriteLineAsync($"share        {PathOf(to, share)} ({split.Open.Threshold} of {split.Shares.Count} restore the passphrase; give each to its holder)");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new StartRefusedException("--shares-to", $"{PathOf(to, share)} cannot be written: {e.Message}");
            }
        }
    }
}

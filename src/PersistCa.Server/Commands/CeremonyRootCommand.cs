using System.CommandLine;
using PersistCa.Issuance.Ceremonies;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Linting;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>persistca ceremony root.</summary>
internal static class CeremonyRootCommand
{
    private const int DefaultDays = 7305;

    public static Command Create()
    {
        var arguments = new CeremonyArguments();
        var subject = new SubjectArguments(null);
        var algorithm = SubjectArguments.Algorithm("p384");
        var days = new Option<int?>("--days") { Description = $"How many days it is valid (default {DefaultDays}; the Baseline Requirements have 2922 to 9132)." };
        var pathLength = new Option<int?>("--path-length") { Description = "Most authorities below one another, 1 or more. None by default." };
        var regime = AuthorityArguments.Regime();
        var shares = new Option<int?>("--shares") { Description = "Split the passphrase of the root's key into so many shares, 16 at most." };
        var threshold = new Option<int?>("--threshold") { Description = "How many shares restore it, 2 or more." };
        var sharesTo = ShareHandout.Option("shares");
        var command = new Command("root", "Make a root: its key, its certificate, and shares of the key's passphrase where asked for.");
        arguments.AddTo(command, asks: true);
        subject.AddTo(command);
        foreach (Option option in new Option[] { algorithm, days, pathLength, regime, shares, threshold, sharesTo })
        {
            command.Options.Add(option);
        }

        command.SetAction(async (result, cancel) =>
        {
            var ceremony = arguments.Open(result);
            var named = subject.Read(result, ceremony, "Root");
            var reference = arguments.RootReference(result);
            var split = Split(result.GetValue(threshold), result.GetValue(shares), reference);
            var plan = new RootPlan(
                named,
                AuthorityArguments.Days(result.GetValue(days), CeremonyArguments.MaxDays) ?? TimeSpan.FromDays(DefaultDays),
                result.GetValue(pathLength) is < 1 ? throw new StartRefusedException("--path-length", "it is less than 1, so that nothing could stand below the root") : result.GetValue(pathLength),
                AuthorityArguments.RegimeOf(result.GetValue(regime)) ?? Regime.Private);
            var to = result.GetValue(sharesTo)!;
            if (split is not null)
            {
                ShareHandout.RefuseTaken(to, split, Console.IsInputRedirected);
            }

            var secret = split?.Passphrase ?? (reference.StartsWith("file:", StringComparison.Ordinal) ? arguments.NewRootSecret(result) : "");
            var (ring, key) = await arguments.CreateAsync(result, reference, InitCommand.Kinds[result.GetValue(algorithm)!], secret, "--root-key", cancel);
            using (ring)
            {
                // The shares before the certificate: a root whose key nobody can open again must not come to be.
                var planned = ceremony.PlanRoot(plan, key.Key);
                try
                {
                    await arguments.AgreeAsync(result, planned, cancel);
                    if (split is not null)
                    {
                        await ShareHandout.HandOutAsync(result, split, to, cancel);
                    }
                }
                catch (StartRefusedException)
                {
                    await ring.DestroyAsync(Issuance.KeyStores.KeyReference.Parse(reference).Value!, cancel);
                    throw;
                }

                await arguments.ReportAsync(result, await CeremonyCommand.KeptAsync(ring, key, await ceremony.RootAsync(planned, key, split?.Open, cancel), "ceremony root", cancel));
            }

            return 0;
        });
        return command;
    }

    private static SplitPassphrase? Split(int? threshold, int? shares, string reference)
    {
        if (threshold is null && shares is null)
        {
            return null;
        }

        if (!reference.StartsWith("file:", StringComparison.Ordinal))
        {
            throw new StartRefusedException("--shares", "the root's key is in no file, so it has no passphrase to be split; use the quorum of its store");
        }

        return CeremonyArguments.Sound(ShareSet.Make(threshold ?? 0, shares ?? 0), "--threshold, --shares");
    }
}

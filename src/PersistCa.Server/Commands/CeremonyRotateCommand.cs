using System.CommandLine;
using System.Globalization;
using PersistCa.Issuance.Ceremonies;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>persistca ceremony rotate: the next issuing authority, from key to certificate.</summary>
internal static class CeremonyRotateCommand
{
    public static Command Create()
    {
        var arguments = new CeremonyArguments();
        var authority = new AuthorityArguments();
        var subject = new SubjectArguments("the organization of the folder's root");
        var algorithm = SubjectArguments.Algorithm("p256");
        var name = new Option<string>("--name") { Description = "Name of the files, to which the next number is added.", DefaultValueFactory = _ => "issuing" };
        var key = new Option<string?>("--key") { Description = "Where the new key is made; a file of the folder by default." };
        var command = new Command("rotate", "Make the next issuing authority: key, request and certificate, as the last one was unless told otherwise.");
        arguments.AddTo(command, issuing: true, asks: true);
        authority.AddTo(command);
        subject.AddTo(command);
        command.Options.Add(algorithm);
        command.Options.Add(name);
        command.Options.Add(key);
        command.SetAction(async (result, cancel) =>
        {
            var ceremony = arguments.Open(result);
            var number = Next(ceremony, arguments.Folder(result), result.GetValue(name)!);
            var called = $"{result.GetValue(name)}-{number}";
            var reference = result.GetValue(key) ?? "file:" + called;
            var named = subject.Read(result, ceremony, $"Issuing {number}");
            var last = ceremony.Transcripts.LastOrDefault(t => t.Step == CeremonyStep.Sign)?.Certificate;
            var plan = authority.Read(result, last is null ? new AuthorityPlan() : AuthorityPlan.Of(last));
            var secret = reference.StartsWith("file:", StringComparison.Ordinal) ? arguments.IssuingSecret(result) : "";
            var (rootRing, root) = await arguments.OpenRootAsync(result, cancel);
            using (rootRing)
            {
                var (ring, made) = await arguments.CreateAsync(result, ceremony, reference, InitCommand.Kinds[result.GetValue(algorithm)!], secret, "--key", cancel);
                using (ring)
                {
                    AuthorityCertificate planned;
                    try
                    {
                        planned = CeremonyArguments.Sound(ceremony.PlanSubordinate(new AuthorityRequest(named, made.Key.SubjectPublicKeyInfo), plan, root.Key), "ceremony rotate");
                        CeremonyArguments.Sound(planned.Encode(), "ceremony rotate");
                        await arguments.AgreeAsync(result, planned, cancel);
                    }
                    catch (StartRefusedException)
                    {
                        await ring.DestroyAsync(KeyReference.Parse(reference).Value!, cancel);
                        throw;
                    }

                    await arguments.ReportAsync(result, await CeremonyCommand.KeptAsync(ring, made, await ceremony.RequestAsync(called, named, made, cancel), "--name", cancel));
                    ceremony = arguments.Open(result);
                    await arguments.ReportAsync(result, CeremonyArguments.Sound(await ceremony.SignAsync(called, ceremony.Files[called + ".csr"], planned, root, cancel), "ceremony rotate"));
                }
            }

            var folder = arguments.Folder(result);
            await result.InvocationConfiguration.Output.WriteLineAsync("configure    " + CeremonyCommand.Configuration(called, Path.Combine(folder, called + ".pem"), CeremonyCommand.KeyOf(reference, folder), Path.Combine(folder, CeremonyFolder.RootFile)));
            return 0;
        });
        return command;
    }

    /// <summary>The number after the highest that a request, a certificate or a key of this name has; a key alone is what an interrupted command left.</summary>
    private static int Next(Ceremony ceremony, string folder, string name) => 1 + ceremony.Files.Keys
        .Concat(Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.key.pem").Select(f => Path.GetFileName(f)) : [])
        .Where(f => f.StartsWith(name + "-", StringComparison.Ordinal) && f.Contains('.', StringComparison.Ordinal))
        .Select(f => int.TryParse(f[(name.Length + 1)..f.IndexOf('.', StringComparison.Ordinal)], NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0)
        .DefaultIfEmpty(0).Max();
}

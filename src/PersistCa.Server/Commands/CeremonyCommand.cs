using System.CommandLine;
using System.Text.Json;
using PersistCa.Issuance.Ceremonies;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Publication;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>persistca ceremony: what is done with an offline root. It needs a folder, and neither network nor database.</summary>
internal static class CeremonyCommand
{
    public static Command Create()
    {
        var command = new Command("ceremony", "Make and use an offline root: each step writes a signed transcript that anyone can replay. Needs no configuration, network or database.");
        command.Subcommands.Add(CeremonyRootCommand.Create());
        command.Subcommands.Add(Request());
        command.Subcommands.Add(Sign());
        command.Subcommands.Add(CeremonyRotateCommand.Create());
        command.Subcommands.Add(CrossSign());
        command.Subcommands.Add(CeremonyListCommand.Create());
        command.Subcommands.Add(Destroy());
        command.Subcommands.Add(CeremonyVerifyCommand.Create());
        command.Subcommands.Add(CeremonyVerifyCommand.Shares());
        command.Subcommands.Add(CeremonyDealCommand.Create());
        return command;
    }

    /// <summary>What is to be added to the server's configuration for a new issuer.</summary>
    public static string Configuration(string name, string certificate, string key, string? chain)
    {
        var issuer = new Dictionary<string, string>
        {
            ["Name"] = name,
            ["CertificateFile"] = certificate,
            [KeyReference.Parse(key).IsValid ? "Key" : "KeyFile"] = key,
        };
        if (chain is not null)
        {
            issuer["ChainFile"] = chain;
        }

        return JsonSerializer.Serialize(new { Authority = new { Issuers = new[] { issuer } } });
    }

    /// <summary>Where the key of a reference is, for the configuration.</summary>
    public static string KeyOf(string reference, string folder) =>
        reference.StartsWith("file:", StringComparison.Ordinal) ? Path.Combine(folder, reference["file:".Length..] + ".key.pem") : reference;

    private static Command Request()
    {
        var arguments = new CeremonyArguments();
        var name = new Option<string>("--name") { Description = "Name of the issuing authority's files.", DefaultValueFactory = _ => "issuing-1" };
        var subject = new SubjectArguments("the organization of the folder's root");
        var algorithm = SubjectArguments.Algorithm("p256");
        var key = new Option<string?>("--key") { Description = "Where its key is made: file:NAME in the folder (the default), pkcs11:token=TOKEN;object=NAME or aws-kms:alias/NAME." };
        var command = new Command("request", "Make an issuing authority's key and a request (PKCS #10) for its certificate, signed with that key.");
        arguments.AddTo(command, root: false, issuing: true);
        command.Options.Add(name);
        subject.AddTo(command);
        command.Options.Add(algorithm);
        command.Options.Add(key);
        command.SetAction(async (result, cancel) =>
        {
            var ceremony = arguments.Open(result);
            var called = result.GetValue(name)!;
            var reference = result.GetValue(key) ?? "file:" + called;
            var named = subject.Read(result, ceremony, "Issuing " + called.Split('-')[^1]);
            var secret = reference.StartsWith("file:", StringComparison.Ordinal) ? arguments.IssuingSecret(result) : "";
            var (ring, made) = await arguments.CreateAsync(result, reference, InitCommand.Kinds[result.GetValue(algorithm)!], secret, "--key", cancel);
            using (ring)
            {
                await arguments.ReportAsync(result, await KeptAsync(ring, made, await ceremony.RequestAsync(called, named, made, cancel), "--name", cancel));
            }

            return 0;
        });
        return command;
    }

    private static Command Sign()
    {
        var arguments = new CeremonyArguments();
        var authority = new AuthorityArguments();
        var name = new Option<string>("--name") { Description = "Name of the files: NAME.csr is signed, NAME.pem is made.", DefaultValueFactory = _ => "issuing-1" };
        var request = new Option<string?>("--request") { Description = "The request, PEM or DER, where it is not NAME.csr in the folder. It is copied there." };
        var command = new Command("sign", "Sign an issuing authority's request with the root's key. What the certificate says is said here: of the request count name and key.");
        arguments.AddTo(command, asks: true);
        authority.AddTo(command);
        command.Options.Add(name);
        command.Options.Add(request);
        command.SetAction(async (result, cancel) =>
        {
            var ceremony = arguments.Open(result);
            var called = result.GetValue(name)!;
            var folder = arguments.Folder(result);
            var octets = CeremonyArguments.ReadFile(result.GetValue(request) ?? Path.Combine(folder, called + ".csr"), AuthorityRequest.MaxOctets, "--request");
            var asked = CeremonyArguments.Sound(AuthorityRequest.Read(octets), "--request");
            var plan = authority.Read(result, new AuthorityPlan());
            var (ring, key) = await arguments.OpenRootAsync(result, cancel);
            using (ring)
            {
                var planned = CeremonyArguments.Sound(ceremony.PlanSubordinate(asked, plan, key.Key), "ceremony sign");
                await arguments.AgreeAsync(result, planned, cancel);
                await arguments.ReportAsync(result, CeremonyArguments.Sound(await ceremony.SignAsync(called, octets, planned, key, cancel), "ceremony sign"));
            }

            var file = Path.Combine(folder, called);
            var made = ceremony.Transcripts.FirstOrDefault(t => t.Step == CeremonyStep.Request && t.Key.AsSpan().SequenceEqual(asked.Key));
            await result.InvocationConfiguration.Output.WriteLineAsync("configure    " + Configuration(called, file + ".pem", made is null ? file + ".key.pem" : KeyOf(made.Keys[0].Reference, folder), Path.Combine(folder, CeremonyFolder.RootFile)));
            return 0;
        });
        return command;
    }

    private static Command CrossSign()
    {
        var arguments = new CeremonyArguments();
        var authority = new AuthorityArguments();
        var name = new Option<string>("--name") { Description = "Name of the files: NAME.pem, NAME-chain.pem and a copy of the other root's certificate, NAME-other.pem.", Required = true };
        var certificate = new Option<string>("--certificate") { Description = "The other root's certificate (PEM).", Required = true };
        var command = new Command("cross-sign", "Sign another root's name and key, for those who trust this root only: an alternate chain.");
        arguments.AddTo(command, asks: true);
        authority.AddTo(command);
        command.Options.Add(name);
        command.Options.Add(certificate);
        command.SetAction(async (result, cancel) =>
        {
            var ceremony = arguments.Open(result);
            var other = AuthorityFiles.ReadCertificates(result.GetValue(certificate)!, "--certificate")[0];
            var plan = authority.Read(result, new AuthorityPlan { PathLength = 1 });
            var (ring, key) = await arguments.OpenRootAsync(result, cancel);
            using (ring)
            {
                var planned = CeremonyArguments.Sound(ceremony.PlanCross(other, plan, key.Key), "--certificate");
                await arguments.AgreeAsync(result, planned, cancel);
                await arguments.ReportAsync(result, CeremonyArguments.Sound(await ceremony.CrossSignAsync(result.GetValue(name)!, other, planned, key, cancel), "ceremony cross-sign"));
            }

            var chain = Path.Combine(arguments.Folder(result), result.GetValue(name) + "-chain.pem");
            await result.InvocationConfiguration.Output.WriteLineAsync($"configure    add to the issuers below the other root: \"AlternateChainFiles\": [\"{chain}\"]");
            return 0;
        });
        return command;
    }

    private static Command Destroy()
    {
        var arguments = new CeremonyArguments();
        var key = new Option<string>("--key") { Description = "The key: file:NAME in the folder or file:PATH, pkcs11:token=TOKEN;object=NAME or aws-kms:alias/NAME.", Required = true };
        var confirm = new Option<string>("--confirm") { Description = "The key's fingerprint (SHA-256, hex), as its ceremony printed it.", Required = true };
        var command = new Command("destroy", "Destroy a key for good. The transcript is signed with it first.");
        arguments.AddTo(command, issuing: true);
        command.Options.Add(key);
        command.Options.Add(confirm);
        command.SetAction(async (result, cancel) =>
        {
            var ceremony = arguments.Open(result);
            var reference = result.GetValue(key)!;
            var root = reference == arguments.RootReference(result) || arguments.GivesRootSecret(result);
            var (ring, opened) = await arguments.OpenAsync(result, reference, root, "--key", cancel);
            using (ring)
            {
                await arguments.ReportAsync(result, CeremonyArguments.Sound(await ceremony.DestroyAsync(opened, result.GetValue(confirm)!, cancel), "--confirm"));
                if (await ring.DestroyAsync(KeyReference.Parse(reference).Value!, cancel) is { } reason)
                {
                    await Console.Error.WriteLineAsync($"persistca: {reference} is still there, whatever the transcript says: {reason}");
                    return 1;
                }
            }

            await result.InvocationConfiguration.Output.WriteLineAsync($"destroyed    {reference}");
            return 0;
        });
        return command;
    }

    /// <summary>The outcome; where it is a refusal, the key that was made for it is destroyed again.</summary>
    public static async Task<CeremonyOutcome> KeptAsync(KeyRing ring, CeremonyKey made, Protocol.Parsed<CeremonyOutcome> outcome, string option, CancellationToken cancel)
    {
        if (!outcome.IsValid)
        {
            await ring.DestroyAsync(KeyReference.Parse(made.Reference).Value!, cancel);
        }

        return CeremonyArguments.Sound(outcome, option);
    }
}

/// <summary>The options of a subject.</summary>
/// <param name="otherwise">What the organization is without the option; null when it has to be given.</param>
internal sealed class SubjectArguments(string? otherwise)
{
    private readonly Option<string?> organization = new("--organization") { Description = "Organization (O)" + (otherwise is null ? "." : $"; else {otherwise}."), Required = otherwise is null };

    private readonly Option<string?> country = new("--country") { Description = "Country (C), two upper-case letters." };

    private readonly Option<string?> commonName = new("--common-name") { Description = "Common name (CN); else the organization and what the authority is." };

    /// <summary>The option of a kind of key.</summary>
    public static Option<string> Algorithm(string otherwise)
    {
        var option = new Option<string>("--algorithm") { Description = $"Kind of its key: {string.Join(", ", InitCommand.Kinds.Keys)}.", DefaultValueFactory = _ => otherwise };
        option.AcceptOnlyFromAmong([.. InitCommand.Kinds.Keys]);
        return option;
    }

    public void AddTo(Command command)
    {
        command.Options.Add(organization);
        command.Options.Add(country);
        command.Options.Add(commonName);
    }

    /// <summary>Reads the subject.</summary>
    /// <exception cref="StartRefusedException">A part of it is missing or outside its limits.</exception>
    public byte[] Read(ParseResult result, Ceremony ceremony, string what)
    {
        (string? Country, string? Organization) root = (null, null);
        if (ceremony.Files.TryGetValue(CeremonyFolder.RootFile, out var text) && Pem.ReadCertificates(System.Text.Encoding.Latin1.GetString(text)) is { IsValid: true } read)
        {
            root = AuthorityName.Parts(Issuer.SubjectOf(read.Value[0]));
        }

        var named = result.GetValue(organization) ?? root.Organization ?? throw new StartRefusedException("--organization", "it is not given, and the folder has no root to take it from");
        return CeremonyArguments.Sound(AuthorityName.Of(result.GetValue(country) ?? root.Country, named, result.GetValue(commonName) ?? $"{named} {what}"), "--organization, --country, --common-name");
    }
}

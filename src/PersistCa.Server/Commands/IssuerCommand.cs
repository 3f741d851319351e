using System.CommandLine;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Publication;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>persistca issuer.</summary>
internal static class IssuerCommand
{
    /// <summary>The environment variable that may hold the passphrase of the file that is imported.</summary>
    public const string KeyVariable = "PERSISTCA_KEY_PASSPHRASE";

    public static Command Create()
    {
        var command = new Command("issuer", "Take in issuing authorities from elsewhere.");
        command.Subcommands.Add(Import());
        return command;
    }

    private static Command Import()
    {
        var arguments = new ConfigurationArguments();
        var certificate = new Option<string?>("--certificate") { Description = "The issuing certificate (PEM); certificates after it are those above. Not needed with --pkcs12." };
        var chain = new Option<string?>("--chain") { Description = "The certificates above it (PEM), up to the root." };
        var key = new Option<string?>("--key") { Description = "Its private key (PEM), encrypted or not." };
        var pkcs12 = new Option<string?>("--pkcs12") { Description = "Key and certificates in a PKCS #12 file, in place of --key." };
        var passphraseFile = new Option<string>("--key-passphrase-file") { Description = $"File with the passphrase of that file; else {KeyVariable}.", DefaultValueFactory = _ => "" };
        var name = new Option<string>("--name") { Description = "How profiles name the issuer, and its files in the data folder.", Required = true };
        var generate = new Option<bool>("--generate-passphrase") { Description = "Make a random passphrase for the authority's keys in the data folder, unless there is one." };
        var command = new Command("import", "Take in an issuing certificate and its key: checked up to its root, and encrypted anew into the data folder.");
        arguments.AddTo(command);
        foreach (Option option in new Option[] { certificate, chain, key, pkcs12, passphraseFile, name, generate })
        {
            command.Options.Add(option);
        }

        command.SetAction(async (result, cancel) =>
        {
            var options = arguments.Read(result);
            if (result.GetValue(key) is null == result.GetValue(pkcs12) is null || (result.GetValue(pkcs12) is null && result.GetValue(certificate) is null))
            {
                throw new StartRefusedException("--key, --pkcs12", "give --certificate and --key, or --pkcs12");
            }

            var secret = Passphrase.Given(result.GetValue(passphraseFile)!, "--key-passphrase-file", KeyVariable);
            var given = result.GetValue(pkcs12) is { } file
                ? CeremonyArguments.Sound(ImportedIssuer.ReadPkcs12(CeremonyArguments.ReadFile(file, ImportedIssuer.MaxOctets, "--pkcs12"), secret ?? ""), "--pkcs12 " + file)
                : new ImportedIssuer([], [], CeremonyArguments.Sound(ImportedIssuer.ReadKey(CeremonyArguments.ReadFile(result.GetValue(key)!, ImportedIssuer.MaxOctets, "--key"), secret), "--key " + result.GetValue(key)));
            var own = result.GetValue(certificate) is { } path ? AuthorityFiles.ReadCertificates(path, "--certificate") : [given.Certificate];
            var others = own[1..].AddRange(given.Others);
            if (result.GetValue(chain) is { } above)
            {
                others = others.AddRange(AuthorityFiles.ReadCertificates(above, "--chain"));
            }

            await KeepAsync(options, result.GetValue(name)!, own[0], given with { Others = others }, result.GetValue(generate), result.InvocationConfiguration.Output, cancel);
            return 0;
        });
        return command;
    }

    private static async Task KeepAsync(PersistCaOptions options, string name, byte[] certificate, ImportedIssuer given, bool generate, TextWriter output, CancellationToken cancel)
    {
        var folder = AuthorityFiles.Folder(options);
        var certificateFile = Path.Combine(folder, name + ".pem");
        if (KeyReference.Parse("file:" + name) is not { IsValid: true } || name.Length > ProfileSetup.MaxNameLength || name == IssuerSetup.Primary || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')))
        {
            throw new StartRefusedException("--name", $"'{name}' is no name for an issuer; write 1 to {ProfileSetup.MaxNameLength} letters, digits, hyphens and underscores, and not '{IssuerSetup.Primary}'");
        }

        if (File.Exists(certificateFile))
        {
            throw new StartRefusedException("--name", $"{certificateFile} exists; nothing is overwritten");
        }

        var above = CeremonyArguments.Sound(ImportedIssuer.Order(certificate, given.Others), "--chain");
        Issuer issuer;
        using (var read = CeremonyArguments.Sound(FileSigningKey.Read(given.Pkcs8), "--key"))
        {
            issuer = CeremonyArguments.Sound(Issuer.Load(certificate, above, read, TimeProvider.System.GetUtcNow()), "--certificate");
        }

        if (!issuer.ReachesRoot || above.IsEmpty)
        {
            throw new StartRefusedException("--certificate", "it is a root's; a root stays offline, and signs an issuing authority's certificate");
        }

        if (generate)
        {
            await output.WriteLineAsync($"passphrase   {Passphrase.Generate(options.Server.DataDirectory)}");
        }

        using var kept = CeremonyArguments.Sound(new FileKeyStore(folder, new FileKeyStoreOptions { Kdf = options.KeyStores.File.Kdf }).Import(name, given.Pkcs8, Passphrase.Find(options)), "--name");
        await File.WriteAllTextAsync(certificateFile, string.Concat(issuer.Chain.Select(c => Pem.Certificate(c))), cancel);
        await output.WriteLineAsync($"issuer       {AuthorityName.Show(issuer.SubjectDer)}, id {issuer.IssuerId}, until {issuer.NotAfter:u}");
        await output.WriteLineAsync($"below        {AuthorityName.Show(Issuer.SubjectOf(issuer.Chain[^1]))}");
        await output.WriteLineAsync($"names        {(issuer.Constraints.IsEmpty ? "not constrained" : "constrained; orders outside are refused")}");
        await output.WriteLineAsync("configure    " + CeremonyCommand.Configuration(name, certificateFile, Path.Combine(folder, name + ".key.pem"), null));
    }
}

using System.CommandLine;
using PersistCa.Issuance.Signing;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>persistca init.</summary>
internal static class InitCommand
{
    public static Command Create()
    {
        var arguments = new ConfigurationArguments();
        var key = new Option<string>("--issuing-key") { Description = "Key of the issuing authority: p256 or rsa3072.", DefaultValueFactory = _ => "p256" };
        key.AcceptOnlyFromAmong("p256", "rsa3072");
        var generate = new Option<bool>("--generate-passphrase")
        {
            Description = "Make a random passphrase and keep it in the file 'passphrase' in the data folder, which serve finds. Move it to a safer place.",
        };
        var command = new Command("init", "Make a new authority: a root (P-384) and an issuing authority, with encrypted keys in the data folder.");
        arguments.AddTo(command);
        command.Options.Add(key);
        command.Options.Add(generate);
        command.SetAction(async (result, cancel) =>
        {
            var options = arguments.Read(result);
            var output = result.InvocationConfiguration.Output;
            if (result.GetValue(generate) && !AuthorityFiles.Exist(options))
            {
                await output.WriteLineAsync($"passphrase   {Passphrase.Generate(options.Server.DataDirectory)}");
            }

            var algorithm = result.GetValue(key) == "rsa3072" ? SigningAlgorithms.Rsa3072 : SigningAlgorithms.EcdsaP256;
            await AuthorityFiles.CreateAsync(options, algorithm, Passphrase.Find(options), TimeProvider.System.GetUtcNow(), cancel);
            await output.WriteLineAsync($"root         {AuthorityFiles.RootCertificate(options)} (give this to whoever is to trust the authority)");
            await output.WriteLineAsync($"issuing      {AuthorityFiles.IssuingCertificate(options)}");
            await output.WriteLineAsync("The root key is beside them. The server never needs it: move it away. Next: persistca serve");
            return 0;
        });
        return command;
    }
}

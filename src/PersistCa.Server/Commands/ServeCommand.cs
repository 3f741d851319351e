using System.CommandLine;
using PersistCa.Server.Hosting;
using PersistCa.Server.Perspective;
using PersistCa.Server.Registration;
using PersistCa.Storage;

namespace PersistCa.Server.Commands;

/// <summary>persistca serve.</summary>
internal static class ServeCommand
{
    public const string Name = "serve";

    public static Command Create()
    {
        var arguments = new ConfigurationArguments();
        var noMigrate = new Option<bool>("--no-migrate") { Description = "Refuse to start rather than bring the database schema up to date." };
        var command = new Command(Name, "Run the authority until it is stopped. Make one first with 'persistca init'.");
        arguments.AddTo(command);
        command.Options.Add(noMigrate);
        command.SetAction(async (result, cancel) =>
        {
            var options = arguments.Read(result);
            options.Store.Migrate &= !result.GetValue(noMigrate);
            await using var app = await ServerHost.StartAsync(options, TimeProvider.System, cancel);
            var serves = app.Services.GetService<AuthorityUrls>()?.Directory ?? $"as perspective on {options.Perspective.Listen}";
            await result.InvocationConfiguration.Output.WriteLineAsync($"persistca {ProductVersion.Text} serves {serves}");
            await app.WaitAsync(cancel);
            return 0;
        });
        return command;
    }
}

/// <summary>persistca config.</summary>
internal static class ConfigCommand
{
    private static string Listed(IssuerBook issuers) => string.Join("; ", issuers.All.Select(b => $"Issuer {b.Issuer.IssuerId} ({b.Name}), until {b.Issuer.NotAfter:yyyy-MM-dd}"));

    public static Command Create()
    {
        var arguments = new ConfigurationArguments();
        var check = new Command("check", "Read the configuration as serve would, say what is wrong with it, and change nothing.");
        arguments.AddTo(check);
        check.SetAction(async (result, cancel) =>
        {
            var options = arguments.Read(result);
            var policy = AuthorityRegistration.Policy(options);
            if (PerspectiveHost.IsWanted(options))
            {
                PerspectiveHost.RequireFiles(options, TimeProvider.System);
            }

            if (PerspectiveHost.IsAlone(options))
            {
                await result.InvocationConfiguration.Output.WriteLineAsync($"The configuration is good. Perspective on {options.Perspective.Listen}.");
                return 0;
            }

            var profiles = ProfileSetup.Create(options);
            RegimeSetup.Create(options, profiles, DnsSetup.Create(options.Validation.Dns, policy, TimeProvider.System), TimeProvider.System).Dispose();
            var passphrase = Passphrase.Find(options);
            using var ring = KeySetup.Ring(options, passphrase, TimeProvider.System);
            var issuers = await IssuerSetup.OpenAsync(options, ring, TimeProvider.System.GetUtcNow(), cancel);
            if (options.Server.TlsCertificateFile.Length > 0)
            {
                TlsIdentity.Configured(options, TimeProvider.System);
            }

            BlockedKeyList.Read(options.Issuance.BlockedKeysFile);
            if (options.Store.Kind == StoreKind.PostgreSql && await DatabaseCommand.ProbeAsync(options, cancel) is { } reason)
            {
                throw new StartRefusedException("Store:ConnectionString", $"the database does not answer: {reason}");
            }

            await result.InvocationConfiguration.Output.WriteLineAsync($"The configuration is good. {Listed(issuers)}; directory {options.Server.BaseUrl}{AuthorityUrls.Paths.Directory}.");
            return 0;
        });
        var command = new Command("config", "Look at the configuration.");
        command.Subcommands.Add(check);
        return command;
    }
}

using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Text.Json;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>The program's commands. Exit status: 0 done, 1 failed, 2 refused for something the operator can mend; those that call a server have further ones (<see cref="RemoteRefusedException"/>).</summary>
public static class PersistCaCommand
{
    /// <summary>Something the operator can mend.</summary>
    public const int Refused = 2;

    /// <summary>Runs a command line.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            var parsed = Create().Parse(args);
            if (args.Length > 0 && parsed.Action is ParseErrorAction)
            {
                throw new StartRefusedException(PathOf(parsed.CommandResult) is { Length: > 0 } path ? path : "command line", Fault(parsed));
            }

            // A server has its own way to end when it is told to (Server:DrainDelay, Server:StopTimeout); the others have two seconds.
            var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false };
            if (parsed.CommandResult.Command.Name == ServeCommand.Name)
            {
                configuration.ProcessTerminationTimeout = null;
            }

            var status = await parsed.InvokeAsync(configuration);
            return parsed.Action is ParseErrorAction ? Refused : status; // nothing was said, and help was given
        }
        catch (StartRefusedException e)
        {
            await Console.Error.WriteLineAsync("persistca: " + string.Join('\n', e.Message.Split('\n').Select(Tables.Printable)));
            return Refused;
        }
        catch (RemoteRefusedException e)
        {
            await Console.Error.WriteLineAsync("persistca: " + string.Join('\n', e.Message.Split('\n').Select(Tables.Printable)));
            return e.Exit;
        }
        catch (OperationCanceledException)
        {
            return 1;
        }
    }

    /// <summary>What is wrong with a command line, in one line.</summary>
    private static string Fault(ParseResult parsed) => string.Join(' ', parsed.Errors.Select(e => string.Join(' ', e.Message.Split(['\n', '\r', '\t'], StringSplitOptions.RemoveEmptyEntries))))
        + $" See 'persistca {PathOf(parsed.CommandResult)} --help'.".Replace("  ", " ", StringComparison.Ordinal);

    private static string PathOf(CommandResult command) => command.Parent is CommandResult above ? $"{PathOf(above)} {command.Command.Name}".TrimStart() : "";

    /// <summary>The tree of commands.</summary>
    internal static RootCommand Create()
    {
        var root = new RootCommand("PersistCA, an ACME certificate authority built around dns-persist-01: one TXT record, and a fleet renews for years.");
        root.Subcommands.Add(ServeCommand.Create());
        root.Subcommands.Add(InitCommand.Create());
        root.Subcommands.Add(DemoCommand.Create());
        root.Subcommands.Add(ConfigCommand.Create());
        root.Subcommands.Add(DatabaseCommand.Create());
        root.Subcommands.Add(Backup.BackupCommand.Create());
        root.Subcommands.Add(Backup.RestoreCommand.Create());
        root.Subcommands.Add(RecordCommand.Create());
        root.Subcommands.Add(LintCommand.Create());
        root.Subcommands.Add(CeremonyCommand.Create());
        root.Subcommands.Add(IssuerCommand.Create());
        root.Subcommands.Add(AdminCommand.Create());
        root.Subcommands.Add(CertificateCommand.Create());
        RemoteCommands.AddTo(root);
        root.Subcommands.Add(CompletionCommand.Create());
        var version = new Command("version", "Print the version of this program.");
        version.SetAction(result =>
        {
            result.InvocationConfiguration.Output.WriteLine($"persistca {ProductVersion.Text}");
            return 0;
        });
        root.Subcommands.Add(version);
        return root;
    }
}

/// <summary>The options that every command which reads configuration has.</summary>
internal sealed class ConfigurationArguments
{
    private const string EnvironmentPrefix = "PERSISTCA__";

    private readonly Option<string?> data = new("--data") { Description = "Folder of keys, certificates and the SQLite file (Server:DataDirectory; default ./data)." };

    private readonly Option<FileInfo?> file = new("--config") { Description = "Configuration file; default appsettings.json in the working folder, if it is there." };

    private readonly Option<string[]> set = new("--set")
    {
        Description = "Set one key, as in --set Validation:Dns:Resolvers=127.0.0.1:5353. May be given several times, and wins over file and environment.",
        AllowMultipleArgumentsPerToken = false,
    };

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="withData">Whether it has to do with the data folder.</param>
    public void AddTo(Command command, bool withData = true)
    {
        if (withData)
        {
            command.Options.Add(data);
        }

        command.Options.Add(file);
        command.Options.Add(set);
    }

    /// <summary>Reads the configuration: defaults, file, environment (PERSISTCA__), options; the later wins.</summary>
    /// <exception cref="StartRefusedException">Something in it is wrong; all faults are in the message, a line each.</exception>
    public PersistCaOptions Read(ParseResult result, IEnumerable<KeyValuePair<string, string?>>? defaults = null)
    {
        var builder = new ConfigurationBuilder();
        if (defaults is not null)
        {
            builder.AddInMemoryCollection(defaults);
        }

        var given = result.GetValue(file);
        if (given is { Exists: false })
        {
            throw new StartRefusedException("--config", $"there is no file {given.FullName}");
        }

        var path = given?.FullName ?? Path.GetFullPath("appsettings.json");
        builder.AddJsonFile(path, optional: given is null, reloadOnChange: false);
        builder.AddEnvironmentVariables(EnvironmentPrefix);
        builder.AddInMemoryCollection(Settings(result).GroupBy(s => s.Key, StringComparer.OrdinalIgnoreCase).Select(g => g.Last())); // given twice, the later wins
        IConfigurationRoot configuration;
        try
        {
            configuration = builder.Build();
        }
        catch (Exception e) when (e is InvalidDataException or FormatException or JsonException)
        {
            throw new StartRefusedException(path, $"it is not valid JSON: {e.GetBaseException().Message}");
        }

        var (options, faults) = ConfigurationReader.Read(configuration);
        if (faults.Count > 0)
        {
            throw new StartRefusedException(faults[0].Key, string.Join("\npersistca: ", faults.Select((f, i) => i == 0 ? f.Message : f.ToString())));
        }

        return options;
    }

    private IEnumerable<KeyValuePair<string, string?>> Settings(ParseResult result)
    {
        foreach (var setting in result.GetValue(set) ?? [])
        {
            var equals = setting.IndexOf('=', StringComparison.Ordinal);
            yield return equals > 0
                ? new(setting[..equals], setting[(equals + 1)..])
                : throw new StartRefusedException("--set", $"'{setting}' is not of the form KEY=VALUE");
        }

        if (result.GetValue(data) is { } folder)
        {
            yield return new("Server:DataDirectory", folder);
        }
    }
}

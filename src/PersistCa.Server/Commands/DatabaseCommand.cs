using System.CommandLine;
using System.Text.Json;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Storage.Integrity;

namespace PersistCa.Server.Commands;

/// <summary>persistca database.</summary>
internal static class DatabaseCommand
{
    public static Command Create()
    {
        var arguments = new ConfigurationArguments();
        var migrate = new Command("migrate", "Bring the database schema up to date.");
        arguments.AddTo(migrate);
        migrate.SetAction(async (result, cancel) =>
        {
            var options = arguments.Read(result);
            Directory.CreateDirectory(options.Server.DataDirectory);
            await using var provider = Store(options);
            var upkeep = provider.GetRequiredService<StoreUpkeep>();
            if (await upkeep.ProbeAsync(cancel) is { } reason)
            {
                throw new StartRefusedException("Store:ConnectionString", $"the database does not answer: {reason}");
            }

            await ServerHost.RequireKnownSchemaAsync(upkeep, cancel);
            var pending = await upkeep.PendingMigrationsAsync(cancel);
            await upkeep.MigrateAsync(cancel);
            await result.InvocationConfiguration.Output.WriteLineAsync(pending.Count == 0 ? "The schema was up to date." : $"Applied: {string.Join(", ", pending)}.");
            return 0;
        });
        var command = new Command("database", "Look after the database.");
        command.Subcommands.Add(migrate);
        command.Subcommands.Add(Check());
        return command;
    }

    private static Command Check()
    {
        var arguments = new ConfigurationArguments();
        var format = Tables.Option();
        var check = new Command("check", "Hold everything in the database against the rules that it must obey at every moment: states, references, serial numbers, signatures, revocation lists, audit entries. Changes nothing; servers may be running.");
        arguments.AddTo(check);
        check.Options.Add(format);
        check.SetAction(async (result, cancel) =>
        {
            var options = arguments.Read(result);
            if (await ProbeAsync(options, cancel) is { } reason)
            {
                throw new StartRefusedException("Store:ConnectionString", $"the database does not answer: {reason}");
            }

            await using var provider = Store(options);
            await ServerHost.RequireKnownSchemaAsync(provider.GetRequiredService<StoreUpkeep>(), cancel);
            if (await provider.GetRequiredService<StoreUpkeep>().PendingMigrationsAsync(cancel) is { Count: > 0 } pending)
            {
                throw new StartRefusedException("Store:Migrate", $"the schema lacks {pending.Count} migrations ({pending[0]} first); run 'persistca database migrate'");
            }

            var output = result.InvocationConfiguration.Output;
            var (rules, count, isJson) = (StoreRules.All.Concat(SignedRules.All).ToList(), 0, Tables.IsJson(result.GetValue(format)));
            await foreach (var finding in provider.GetRequiredService<StoreInspection>().CheckAsync(rules, cancel))
            {
                count++;
                await output.WriteLineAsync(isJson
                    ? JsonSerializer.Serialize(new { rule = finding.Rule, subject = finding.Subject, message = finding.Message })
                    : Tables.Printable($"{finding.Rule}  {finding.Subject}: {finding.Message}"));
            }

            if (!isJson)
            {
                await output.WriteLineAsync($"{rules.Count} rules, {count} findings");
            }

            return count == 0 ? 0 : 1;
        });
        return check;
    }

    /// <summary>Why the database does not answer; null when it does.</summary>
    public static async Task<string?> ProbeAsync(PersistCaOptions options, CancellationToken cancel)
    {
        await using var provider = Store(options);
        return await provider.GetRequiredService<StoreUpkeep>().ProbeAsync(cancel);
    }

    /// <summary>The store by itself.</summary>
    public static ServiceProvider Store(PersistCaOptions options) => new ServiceCollection()
        .AddSingleton(TimeProvider.System)
        .AddCaStorage(options.Store.Kind, ServerHost.ConnectionString(options))
        .BuildServiceProvider();
}

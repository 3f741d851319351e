using System.CommandLine;
using PersistCa.Server.Hosting;
using PersistCa.Storage;

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

            var pending = await upkeep.PendingMigrationsAsync(cancel);
            await upkeep.MigrateAsync(cancel);
            await result.InvocationConfiguration.Output.WriteLineAsync(pending.Count == 0 ? "The schema was up to date." : $"Applied: {string.Join(", ", pending)}.");
            return 0;
        });
        var command = new Command("database", "Look after the database.");
        command.Subcommands.Add(migrate);
        return command;
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

using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Admin;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Commands;

/// <summary>persistca admin: tokens of operators, on the host alone. Whoever can run it has the database anyway.</summary>
internal static class AdminCommand
{
    /// <summary>Longest life of a token.</summary>
    private const int MaxDays = 825;

    public static Command Create()
    {
        var command = new Command("admin", "Make, list and revoke the tokens of operators. On the host, over its database.");
        command.Subcommands.Add(Bootstrap());
        var token = new Command("token", "Look after tokens.");
        token.Subcommands.Add(List());
        token.Subcommands.Add(Revoke());
        command.Subcommands.Add(token);
        return command;
    }

    private static Command Bootstrap()
    {
        var arguments = new ConfigurationArguments();
        var name = new Option<string>("--name") { Description = "Whose it is: a-z, 0-9, '.', '_', '-', '@'. One name for each person: nobody approves what the same name proposed.", Required = true };
        var role = new Option<string?>("--role") { Description = $"What for: {string.Join(", ", OperatorRoles.All.Select(r => r.Word()))}. Without it the first custodian's token is made, and refused once there is one." };
        role.AcceptOnlyFromAmong([.. OperatorRoles.All.Select(r => r.Word())]);
        var valid = new Option<string>("--valid") { Description = $"How long it is good, 1d to {MaxDays}d.", DefaultValueFactory = _ => "90d" };
        var scope = new Option<string[]>("--scope") { Description = "What it is for, such as certificates:read; may be given several times. Without it, everything that its role opens." };
        var command = new Command("bootstrap", "Make a token and print its secret, once, on standard output; the rest goes to standard error. Only its hash is kept.");
        command.Options.Add(name);
        command.Options.Add(role);
        command.Options.Add(valid);
        command.Options.Add(scope);
        arguments.AddTo(command);
        command.SetAction((result, cancel) => WithDeskAsync(arguments.Read(result), async desk =>
        {
            var days = result.GetValue(valid)!;
            if (!days.EndsWith('d') || !int.TryParse(days[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count is < 1 or > MaxDays)
            {
                throw new StartRefusedException("--valid", $"'{days}' is not a number of days; write 1d to {MaxDays}d");
            }

            var wanted = result.GetValue(scope) is { Length: > 0 } scopes ? scopes : null;
            if (OperationDoors.UnknownScope(wanted) is { } unknown)
            {
                throw new StartRefusedException("--scope", unknown);
            }

            var wish = new TokenWish(result.GetValue(name)!, result.GetValue(role) is { } word ? OperatorRoles.Read(word) : null, TimeSpan.FromDays(count), wanted);
            var made = await desk.MakeOnHostAsync(wish, cancel);
            if (!made.TryGet(out var token, out var problem))
            {
                throw new StartRefusedException("admin bootstrap", problem.Detail);
            }

            await result.InvocationConfiguration.Error.WriteLineAsync(
                $"Token {token.Token!.PublicId} of {token.Token.Name}, {token.Token.Role.Word()}, until {AcmeJson.Time(token.Token.ExpiresAt)}. Its secret, shown this once:");
            await result.InvocationConfiguration.Output.WriteLineAsync(token.Secret);
        }, cancel));
        return command;
    }

    private static Command List()
    {
        var arguments = new ConfigurationArguments();
        var output = Tables.Option();
        var command = new Command("list", "List the tokens, the newest first. Secrets are kept nowhere.");
        command.Options.Add(output);
        arguments.AddTo(command);
        command.SetAction((result, cancel) => WithDeskAsync(arguments.Read(result), async desk =>
        {
            var now = TimeProvider.System.GetUtcNow();
            TokenResource[] lines = [.. (await desk.ListAsync(new PageWish(int.MaxValue - 1, null), cancel)).Items.Select(t => TokenResource.Of(t, now))];
            var text = Tables.IsJson(result.GetValue(output))
                ? JsonSerializer.Serialize(new ListResource<TokenResource>(lines, null), AdminJson.Wire.ListResourceTokenResource)
                : Tables.Lay(["ID", "NAME", "ROLE", "STATE", "CREATED", "EXPIRES", "LAST USED"], lines.Select(l => new[] { l.Id, l.Name, l.Role, l.State, AcmeJson.Time(l.Created), AcmeJson.Time(l.Expires), l.LastUsed ?? "never" }));
            await result.InvocationConfiguration.Output.WriteLineAsync(text);
        }, cancel));
        return command;
    }

    private static Command Revoke()
    {
        var arguments = new ConfigurationArguments();
        var id = new Argument<string>("id") { Description = "Id of the token, as 'admin token list' has it; not its secret." };
        var command = new Command("revoke", "Take a token back, for ever and at once.");
        command.Arguments.Add(id);
        arguments.AddTo(command);
        command.SetAction((result, cancel) => WithDeskAsync(arguments.Read(result), async desk =>
        {
            var revoked = await desk.RevokeAsync(null, result.GetValue(id)!, cancel);
            if (!revoked.TryGet(out var token, out var problem))
            {
                throw new StartRefusedException("id", problem.Detail);
            }

            await result.InvocationConfiguration.Output.WriteLineAsync($"The token {token.PublicId} of {token.Name} opens nothing any more.");
        }, cancel));
        return command;
    }

    private static async Task<int> WithDeskAsync(PersistCaOptions options, Func<TokenDesk, Task> work, CancellationToken cancel)
    {
        await using var services = DatabaseCommand.Store(options);
        var upkeep = services.GetRequiredService<StoreUpkeep>();
        if (await upkeep.ProbeAsync(cancel) is { } reason)
        {
            throw new StartRefusedException("Store:ConnectionString", $"the database does not answer: {reason}");
        }

        if (await upkeep.PendingMigrationsAsync(cancel) is { Count: > 0 } pending)
        {
            throw new StartRefusedException("Store:ConnectionString", $"the schema lacks {pending.Count} migrations ({pending[0]} first); run 'persistca database migrate' or start the server");
        }

        await work(new TokenDesk(services.GetRequiredService<CaStore>(), options));
        return 0;
    }
}

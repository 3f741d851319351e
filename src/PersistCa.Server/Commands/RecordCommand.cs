using System.CommandLine;
using System.Net;
using System.Text.Json;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Validation.Challenges;

namespace PersistCa.Server.Commands;

/// <summary>persistca record.</summary>
internal static class RecordCommand
{
    public static Command Create()
    {
        var command = new Command("record", "Look at persistent DNS records.");
        command.Subcommands.Add(Explain());
        return command;
    }

    private static Command Explain()
    {
        var arguments = new ConfigurationArguments();
        var name = new Argument<string>("name") { Description = "The name as an order would have it; '*.example.com' for a wildcard. Or an address." };
        var account = new Option<string>("--account") { Description = "Id of the account: the last segment of its URL.", Required = true };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("explain", "Say what a dns-persist-01 validation would find now, and what to publish. Reads the database and the DNS, and changes nothing.");
        command.Arguments.Add(name);
        command.Options.Add(account);
        command.Options.Add(json);
        arguments.AddTo(command);
        command.SetAction(async (result, cancel) =>
        {
            var options = arguments.Read(result);
            var parsed = IPAddress.TryParse(result.GetValue(name), out _)
                ? Identifier.Parse(IdentifierType.Ip, result.GetValue(name)!)
                : Identifier.Parse(IdentifierType.Dns, result.GetValue(name)!);
            if (!parsed.IsValid)
            {
                throw new StartRefusedException("name", $"'{result.GetValue(name)}' is not a name a certificate can have: {parsed.Reason}");
            }

            var explained = await ExplainAsync(options, parsed.Value, result.GetValue(account)!, cancel);
            var output = result.InvocationConfiguration.Output;
            await output.WriteLineAsync(result.GetValue(json) ? JsonSerializer.Serialize(explained, AcmeJson.Wire.ExplanationResource) : Prose(explained));
            return explained.Verdict == "valid" ? 0 : 1;
        });
        return command;
    }

    private static async Task<ExplanationResource> ExplainAsync(PersistCaOptions options, Identifier name, string accountId, CancellationToken cancel)
    {
        if (await DatabaseCommand.ProbeAsync(options, cancel) is { } reason)
        {
            throw new StartRefusedException("Store:ConnectionString", $"the database does not answer: {reason}");
        }

        await using var services = new ServiceCollection().AddSingleton(TimeProvider.System)
            .AddCaStorage(options.Store.Kind, ServerHost.ConnectionString(options)).BuildServiceProvider();
        var found = PublicId.LooksRight(accountId)
            ? await services.GetRequiredService<CaStore>().ReadAsync(db => db.AccountAsync(accountId, cancel), cancel)
            : null;
        if (found is null)
        {
            throw new StartRefusedException("--account", $"there is no account '{accountId}' in this database");
        }

        var policy = AuthorityRegistration.Policy(options);
        var facts = AuthorityUrls.Of(options).Facts(found);
        var desk = AuthorityRegistration.Desk(options, policy, TimeProvider.System);
        var validated = await desk.ValidateAsync(PersistCa.Protocol.Authorizations.Authorization.PrivateRegime, ChallengeType.DnsPersist01, new ChallengeAttempt(name, "", facts), options.Validation.Deadline, cancel);
        return RecordExplainer.Explain(name, facts, validated.Result, policy);
    }

    private static string Prose(ExplanationResource e)
    {
        var lines = new List<string> { $"{e.Identifier.Value}: {e.Verdict}", $"  {e.Detail}" };
        if (e.Dialect is not null)
        {
            lines.Add($"  dialect {e.Dialect}, {(e.RecordExpires is null ? "without end" : "until " + e.RecordExpires)}");
        }

        lines.Add("looked up");
        lines.AddRange(e.Lookups.Select(l => $"  {l.Name} {l.Type}: {l.Status}"));
        if (e.Records.Count > 0)
        {
            lines.Add("records of this authority");
            lines.AddRange(e.Records.Select(r => $"  {r.Verdict}: {r.Owner} TXT \"{r.Text}\"{(r.Detail.Length > 0 ? $" ({r.Detail})" : "")}"));
        }

        lines.Add("would fit, one of");
        lines.AddRange(e.Expected.Select(r => $"  {r.Dialect}: {r.Owner} TXT \"{r.Value}\""));
        return string.Join('\n', lines);
    }
}

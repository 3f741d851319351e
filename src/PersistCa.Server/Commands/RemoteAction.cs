using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using PersistCa.Server.Admin;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>Makes a command of its row and its door's: parts of the path become arguments, parameters and members options.</summary>
internal sealed class RemoteAction(RemoteCommand row)
{
    private readonly AdminDoor door = row.Door;
    private readonly OperatorClient client = new();
    private readonly List<(string Part, Argument<string> Argument)> parts = [];
    private readonly List<(string Name, Option<string?> Option)> query = [];
    private readonly List<(string Member, Option Option, Func<ParseResult, JsonNode?> Read)> members = [];
    private readonly Option<bool> yes = new("--yes", "-y") { Description = "Do not ask." };
    private readonly Option<bool> all = new("--all") { Description = "Every page, not the first alone." };

    /// <summary>Makes it.</summary>
    public Command Create()
    {
        var command = new Command(row.Verb, door.Summary);
        foreach (var part in door.Path.Split('/').Where(p => p.StartsWith('{')).Select(p => p[1..^1]))
        {
            var argument = new Argument<string>(part) { Description = part switch { "id" => $"Id of the {row.Noun}.", "serial" => "Serial number, in hexadecimal.", "job" => "Number of the job.", _ => $"Id or name of the {part}." } };
            parts.Add((part, argument));
            command.Arguments.Add(argument);
        }

        foreach (var parameter in door.Query.Where(q => q != Paging.Cursor))
        {
            var option = new Option<string?>(Dashed(parameter.Name)) { Description = parameter.Description };
            if (parameter.Schema["enum"] is JsonArray words)
            {
                option.AcceptOnlyFromAmong([.. words.Select(w => w!.GetValue<string>())]);
            }

            query.Add((parameter.Name, option));
            command.Options.Add(option);
        }

        foreach (var member in door.Body is null ? [] : AdminSchema.PropertiesOf(door.Body))
        {
            AddMember(command, member);
        }

        if (door.Query.Contains(Paging.Cursor))
        {
            command.Options.Add(all);
        }

        if (row.Asks is not null)
        {
            command.Options.Add(yes);
        }

        client.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static string Dashed(string name) => "--" + string.Concat(name.Select(c => char.IsAsciiLetterUpper(c) ? "-" + char.ToLowerInvariant(c) : c.ToString()));

    private void AddMember(Command command, SchemaMember member)
    {
        var (name, type) = (Dashed(member.Name), Nullable.GetUnderlyingType(member.Type) ?? member.Type);
        Option option;
        Func<ParseResult, JsonNode?> read;
        if (type == typeof(bool))
        {
            var flag = new Option<bool>(name);
            (option, read) = (flag, r => r.GetResult(flag) is { Implicit: false } ? r.GetValue(flag) : null);
        }
        else if (type == typeof(int))
        {
            var number = new Option<int?>(name);
            (option, read) = (number, r => r.GetValue(number));
        }
        else if (type == typeof(string) || type == typeof(DateTimeOffset))
        {
            var text = new Option<string?>(name);
            if (member.Allowed is { } words)
            {
                text.AcceptOnlyFromAmong([.. words]);
            }

            (option, read) = (text, r => r.GetValue(text));
        }
        else
        {
            var several = new Option<string[]>(name) { AllowMultipleArgumentsPerToken = false };
            var pairs = type == typeof(IReadOnlyDictionary<string, string>);
            (option, read) = (several, r => r.GetValue(several) is not { Length: > 0 } given ? null : pairs ? Pairs(name, given) : new JsonArray([.. given.Select(g => (JsonNode)g)]));
        }

        option.Description = member.Description;
        option.Required = member.IsRequired;
        members.Add((member.Name, option, read));
        command.Options.Add(option);
    }

    private static JsonObject Pairs(string name, string[] given)
    {
        var made = new JsonObject();
        foreach (var pair in given)
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            made[equals > 0 ? pair[..equals] : throw new StartRefusedException(name, $"'{pair}' is not of the form NAME=VALUE")] = pair[(equals + 1)..];
        }

        return made;
    }

    private async Task<int> RunAsync(ParseResult result, CancellationToken cancel)
    {
        var path = AuthorityUrls.Paths.Admin + string.Join('/', door.Path.Split('/').Select(p => p.StartsWith('{') ? Uri.EscapeDataString(result.GetValue(parts.Single(a => a.Part == p[1..^1]).Argument)!) : p));
        if (row.Asks is { } question)
        {
            await Confirmation.RequireAsync(result, yes, $"{row.Noun} {row.Verb} {string.Join(' ', parts.Select(p => result.GetValue(p.Argument)))}: {question}");
        }

        var body = door.Body is null ? null : new JsonObject(members.Select(m => KeyValuePair.Create(m.Member, m.Read(result))).Where(m => m.Value is not null)).ToJsonString();
        var asked = query.Select(q => (q.Name, Value: result.GetValue(q.Option))).Where(q => q.Value is not null).Select(q => $"{q.Name}={Uri.EscapeDataString(q.Value!)}").ToList();
        var bytes = await SendAsync(result, path, asked, body, cancel);
        if (door.Answer is null)
        {
            await using var stdout = result.InvocationConfiguration.Output == Console.Out ? Console.OpenStandardOutput() : null;
            await (stdout is null ? result.InvocationConfiguration.Output.WriteAsync(Encoding.UTF8.GetString(bytes)) : stdout.WriteAsync(bytes, cancel).AsTask());
            return 0;
        }

        var answer = OperatorClient.Read(bytes);
        while (result.GetValue(all) && answer["next"]?.GetValue<string>() is { } next)
        {
            var page = OperatorClient.Read(await SendAsync(result, path, [.. asked, "cursor=" + next], body, cancel));
            foreach (var item in page["items"]!.AsArray())
            {
                answer["items"]!.AsArray().Add(item!.DeepClone());
            }

            answer.Remove("next");
            if (page["next"] is { } further)
            {
                answer["next"] = further.DeepClone();
            }
        }

        await result.InvocationConfiguration.Output.WriteLineAsync(client.IsJson(result) ? answer.ToJsonString(RemoteTables.Json) : RemoteTables.Show(answer, row.Columns));
        return 0;
    }

    private Task<byte[]> SendAsync(ParseResult result, string path, List<string> asked, string? body, CancellationToken cancel) =>
        client.SendAsync(result, new HttpMethod(door.Method), asked.Count == 0 ? path : path + "?" + string.Join('&', asked), body, cancel);
}

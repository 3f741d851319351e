using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using PersistCa.Issuance.Crl;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Admin;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>persistca certificate: revocation by officers, through the server's door.</summary>
internal static class CertificateCommand
{
    private static readonly Dictionary<string, int> Reasons = RevocationReasons.Accepted.ToDictionary(c => RevocationReasons.NameOf(c));

    public static Command Create()
    {
        var command = new Command("certificate", "Revoke certificates as a revocation officer.");
        command.Subcommands.Add(Revoke());
        command.Subcommands.Add(Approve());
        return command;
    }

    private static Command Revoke()
    {
        var client = new OperatorClient();
        (string Member, Option<string?> Option)[] by =
        [
            ("key", new("--by-key") { Description = "All with this key: SHA-256 of its SubjectPublicKeyInfo, in hexadecimal." }),
            ("account", new("--by-account") { Description = "All of this account: the last segment of its URL." }),
            ("issuer", new("--by-issuer") { Description = "All of this issuer, by its id." }),
            ("name", new("--by-name") { Description = "All with this name; '*.corp.example' for every name under corp.example." }),
        ];
        var serials = new Option<FileInfo?>("--serials") { Description = "Those of a file: a serial number in hexadecimal on each line, comments beginning with '#'." };
        var reason = new Option<string?>("--reason") { Description = $"Why: {string.Join(", ", Reasons.Keys)}, or its number." };
        reason.AcceptOnlyFromAmong([.. Reasons.Keys, .. Reasons.Values.Select(v => v.ToString(CultureInfo.InvariantCulture))]);
        var comment = new Option<string?>("--comment") { Description = "Why, in a line for those who approve and audit." };
        var planned = new Option<string?>("--planned-for") { Description = "When it is to begin, such as 2030-01-31T12:00:00Z; clients are told to renew meanwhile (RFC 9773)." };
        var explanation = new Option<string?>("--explanation-url") { Description = "A page for them that says why." };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Show what would be revoked, and change nothing." };
        var command = new Command("revoke", "Revoke certificates: at once where one officer may alone, else as a proposal that another approves with 'certificate approve'.");
        foreach (var (_, option) in by)
        {
            command.Options.Add(option);
        }

        command.Options.Add(serials);
        command.Options.Add(reason);
        command.Options.Add(comment);
        command.Options.Add(planned);
        command.Options.Add(explanation);
        command.Options.Add(dryRun);
        command.Options.Add(yes);
        client.AddTo(command);
        command.SetAction(async (result, cancel) =>
        {
            var given = by.Where(b => result.GetValue(b.Option) is not null).ToArray();
            var file = result.GetValue(serials);
            if (given.Length + (file is null ? 0 : 1) != 1)
            {
                throw new StartRefusedException("certificate revoke", "say exactly one of --by-key, --by-account, --by-issuer, --by-name and --serials");
            }

            var criterion = file is null
                ? new JsonObject { [given[0].Member] = result.GetValue(given[0].Option) }
                : new JsonObject { ["serials"] = new JsonArray([.. Lines(file).Select(l => (JsonNode)l)]) };
            var body = new JsonObject { ["criterion"] = criterion, ["dryRun"] = result.GetValue(dryRun) };
            if (result.GetValue(reason) is { } word)
            {
                body["reason"] = Reasons.TryGetValue(word, out var code) ? code : int.Parse(word, CultureInfo.InvariantCulture);
            }

            if (result.GetValue(comment) is { } why)
            {
                body["comment"] = why;
            }

            foreach (var (member, option) in new[] { ("plannedFor", planned), ("explanationUrl", explanation) })
            {
                if (result.GetValue(option) is { } text)
                {
                    body[member] = text;
                }
            }

            if (!result.GetValue(dryRun))
            {
                await Confirmation.RequireAsync(result, yes, "certificate revoke: what is revoked is so for ever; --dry-run shows what it would be.");
            }

            return await PrintAsync(result, client, await client.PostAsync(result, AuthorityUrls.Paths.Admin + "revocations", body.ToJsonString(), cancel));
        });
        return command;
    }

    private static Command Approve()
    {
        var client = new OperatorClient();
        var id = new Argument<string>("id") { Description = "Id of the proposal." };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        var command = new Command("approve", "Approve the proposal of another officer, which carries it out; or go on with one that was interrupted.");
        command.Arguments.Add(id);
        command.Options.Add(yes);
        client.AddTo(command);
        command.SetAction(async (result, cancel) =>
        {
            if (!PublicId.LooksRight(result.GetValue(id)!))
            {
                throw new StartRefusedException("id", $"'{result.GetValue(id)}' is not the id of a proposal");
            }

            await Confirmation.RequireAsync(result, yes, $"certificate approve {result.GetValue(id)}: it is carried out at once, for ever.");
            return await PrintAsync(result, client, await client.PostAsync(result, $"{AuthorityUrls.Paths.Admin}revocations/{result.GetValue(id)}/approve", "{}", cancel));
        });
        return command;
    }

    private static IEnumerable<string> Lines(FileInfo file)
    {
        try
        {
            return [.. File.ReadLines(file.FullName).Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#')];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException("--serials", e.Message);
        }
    }

    private static async Task<int> PrintAsync(ParseResult result, OperatorClient client, string answer)
    {
        var output = result.InvocationConfiguration.Output;
        var read = OperatorClient.Read(System.Text.Encoding.UTF8.GetBytes(answer));
        if (client.IsJson(result))
        {
            await output.WriteLineAsync(answer);
            return 0;
        }

        var r = read.Deserialize(AdminJson.Wire.RevocationResource)!;
        await output.WriteLineAsync(Sentence(r));
        if (r.Certificates is { Count: > 0 } certificates)
        {
            await output.WriteLineAsync(Tables.Lay(["SERIAL", "NAMES"], certificates.Select(c => new[] { c.Serial, string.Join(' ', c.Names) })));
            if (r.Matched > certificates.Count)
            {
                await output.WriteLineAsync($"and {r.Matched - certificates.Count} more");
            }
        }

        return 0;
    }

    private static string Sentence(RevocationResource r) => r.Status switch
    {
        null => $"{r.Matched} certificates would be revoked. Nothing was changed.",
        "pending" => $"Proposal {r.Id}: {r.Matched} certificates, until {AcmeJson.Time(r.Expires!.Value)}. Another revocation officer is needed: persistca certificate approve {r.Id}",
        "scheduled" => $"Proposal {r.Id}: {r.Matched} certificates, decided; it begins at {AcmeJson.Time(r.PlannedFor!.Value)}, and clients are told to renew.",
        "running" => $"Proposal {r.Id}: {r.Revoked} of {r.Matched} certificates are revoked so far; the server goes on by itself.",
        _ => $"Proposal {r.Id}: {r.Revoked} of {r.Matched} certificates were revoked, {r.Gone} had been already or had ended, {r.RevokedSince} that matched since were revoked too.",
    };
}

using System.Diagnostics;
using System.Text.Json.Nodes;
using NJsonSchema;
using PersistCa.Protocol.Records;
using PersistCa.Server.Admin;
using PersistCa.Server.Commands;
using PersistCa.Testing;
using static PersistCa.Server.Tests.Admin.DecisionBed;

namespace PersistCa.Server.Tests.Admin;

/// <summary>The command line over the doors: what it prints for machines and people, how it ends, what it asks.</summary>
public sealed class RemoteCommandTests
{
    private static string Schemas => Path.Combine(SourceTree.Root, "docs", "operations", "schemas");

    public static TheoryData<string> Names => [.. CommandSchemas.All.Keys.Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_kept_schema_is_that_of_the_command(string name) => SourceTree.RequireKept(Path.Combine(Schemas, name + ".json"), CommandSchemas.Text(name));

    [Fact]
    public void There_is_no_schema_of_a_command_that_there_is_not() =>
        Assert.Equal(CommandSchemas.All.Keys.Order(StringComparer.Ordinal), Directory.EnumerateFiles(Schemas).Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal));

    [Fact]
    public void Every_door_has_a_command_but_those_that_commands_have_in_other_ways() => Assert.Equal(
        ["approveRevocation", "explainRecord", "proposeRevocation", "revokeCertificate", "showOpenApi"],
        AdminRoutes.Doors.Select(d => d.Operation).Except(RemoteCommands.All.Select(c => c.Operation)).Order(StringComparer.Ordinal));

    [Fact]
    public void A_table_shows_members_that_there_are() => Assert.All(RemoteCommands.All.Where(c => c.Columns.Length > 0), c =>
    {
        var type = c.Door.Answer!;
        var item = type.IsGenericType ? type.GetGenericArguments()[0] : type;
        Assert.Empty(c.Columns.Except(AdminSchema.MembersOf(item)));
    });

    [Fact]
    public void The_handbook_has_the_table_of_exit_statuses()
    {
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "operations", "command-line.md"));
        Assert.All(RemoteRefusedException.Table, r => Assert.Contains($"\n| {r.Exit} | {r.Meaning} |\n", page, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_key_of_operators_is_in_the_handbook()
    {
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "operations", "configuration.md"));
        IEnumerable<string> Keys(Type type, string path) => type.GetProperties().Where(p => p.CanWrite).SelectMany(p =>
            p.PropertyType.IsGenericType && p.PropertyType.GetGenericArguments() is [{ IsClass: true } element] && element != typeof(string) ? Keys(element, $"{path}{p.Name}:N:")
            : p.PropertyType.IsClass && p.PropertyType != typeof(string) && !p.PropertyType.IsGenericType ? Keys(p.PropertyType, $"{path}{p.Name}:")
            : [path + p.Name]);
        var rows = page.Split('\n').Where(l => l.StartsWith("| Operators:", StringComparison.Ordinal)).Select(l => l.Split('|')[1].Trim()).SelectMany(k =>
        {
            var names = k.Split(", ");
            return names.Select((n, i) => i == 0 ? n : names[0][..(names[0].LastIndexOf(':') + 1)] + n);
        });
        Assert.Equal(Keys(typeof(PersistCa.Server.Hosting.OperatorOptions), "Operators:").Order(StringComparer.Ordinal), rows.Order(StringComparer.Ordinal));
    }

    /// <summary>A day's commands over a real server: each prints what its schema says.</summary>
    [Fact]
    public async Task What_is_printed_for_machines_is_what_the_schema_says()
    {
        await using var bed = await DecisionBed.StartAsync();
        using var client = await bed.Authority.RegisteredAsync();
        bed.Authority.Publish(client, "a.test", PersistDialect.Draft02);
        await client.IssueAsync("dns-persist-01", "a.test");
        var account = client.AccountUrl!.Split('/')[^1];
        await using var shell = await Shell.OpenAsync(bed);

        var certificates = await shell.CheckedAsync(bed.Arno, "certificate", "list", "--name", "a.test", "--all");
        var serial = Text(certificates["items"]![0]!, "serial");
        var certificate = await shell.CheckedAsync(bed.Arno, "certificate", "show", serial);
        var order = await shell.CheckedAsync(bed.Arno, "order", "show", Text(certificate, "order"));
        await shell.CheckedAsync(bed.Arno, "authorization", "show", Text(order["authorizations"]![0]!, "id"));
        await shell.CheckedAsync(bed.Arno, "authorization", "list", "--name", "a.test");
        await shell.CheckedAsync(bed.Arno, "order", "list", "--account", account);
        await shell.CheckedAsync(bed.Arno, "account", "list", "--status", "valid", "--limit", "1");
        await shell.CheckedAsync(bed.Arno, "account", "limits", account);
        await shell.CheckedAsync(bed.Arno, "limit", "list");
        await shell.CheckedAsync(bed.Arno, "job", "list");
        await shell.CheckedAsync(bed.Arno, "audit", "list", "--subject", "account:" + account);
        await shell.CheckedAsync(bed.Arno, "profile", "list");
        await shell.CheckedAsync(bed.Arno, "profile", "show", "server");
        var issuer = Text((await shell.CheckedAsync(bed.Arno, "issuer", "list"))["items"]![0]!, "id");
        await shell.CheckedAsync(bed.Arno, "issuer", "show", issuer);
        await shell.CheckedAsync(bed.Olga, "account", "restrict", account, "--names", "*.test", "--names", "10.0.0.0/8", "--limits", "NewOrdersPerAccount=5/01:00:00", "--comment", "a team", "--yes");
        Assert.Equal(["*.test", "10.0.0.0/8"], (await shell.CheckedAsync(bed.Arno, "account", "show", account))["restrictions"]!["names"]!.AsArray().Select(n => n!.GetValue<string>()).Order(StringComparer.Ordinal));
        await shell.CheckedAsync(bed.Olga, "account", "reset-limits", account);
        var made = await shell.CheckedAsync(bed.Olga, "eab", "create", "--owner", "ops@x.test", "--names", ".x.test", "--team", "x", "--certificates", "100/1.00:00:00", "--stops", "new-orders");
        var kid = Text(made["key"]!, "id");
        await shell.CheckedAsync(bed.Arno, "eab", "list", "--team", "x", "--state", "live");
        await shell.CheckedAsync(bed.Olga, "eab", "change", kid, "--max-accounts", "2");
        Assert.Equal(2, (await shell.CheckedAsync(bed.Arno, "eab", "show", kid))["maxAccounts"]!.GetValue<int>());
        await shell.CheckedAsync(bed.Olga, "eab", "remove", kid, "--yes");
        await shell.CheckedAsync(bed.Olga, "account", "suspend", account, "--comment", "for a moment", "--yes");
        var resumed = await shell.CheckedAsync(bed.Olga, "account", "resume", account);
        await shell.CheckedAsync(bed.Arno, "proposal", "list", "--status", "pending");
        await shell.CheckedAsync(bed.Arno, "proposal", "show", Text(resumed, "id"));
        Assert.Equal("done", Text(await shell.CheckedAsync(bed.Oskar, "proposal", "approve", Text(resumed, "id"), "--yes"), "status"));
        var withdrawn = await shell.CheckedAsync(bed.Olga, "profile", "withdraw", "client", "--yes");
        await shell.CheckedAsync(bed.Olga, "proposal", "withdraw", Text(withdrawn, "id"));
        await shell.CheckedAsync(bed.Olga, "issuer", "stop", issuer, "--yes");
        await shell.CheckedAsync(bed.Olga, "issuer", "resume", issuer);
        var token = await shell.CheckedAsync(bed.Karl, "token", "create", "--name", "robot", "--role", "viewer", "--days", "2", "--scopes", "jobs:read");
        await shell.CheckedAsync(bed.Karl, "token", "list", "--all", "--limit", "1");
        await shell.CheckedAsync(bed.Karl, "token", "revoke", Text(token["token"]!, "id"), "--yes");
        var revoked = await shell.CheckedAsync(bed.Bed.Anna, "certificate", "revoke", "--by-account", account, "--yes");
        await shell.CheckedAsync(bed.Arno, "revocation", "list");
        await shell.CheckedAsync(bed.Arno, "revocation", "show", Text(revoked, "id"));
        Assert.Equal(200, (await bed.Bed.PostAsync($"accounts/{account}/deactivate", bed.Olga)).Status);
    }

    [Fact]
    public async Task A_command_ends_as_the_handbook_says()
    {
        await using var bed = await DecisionBed.StartAsync();
        await using var shell = await Shell.OpenAsync(bed);
        foreach (var (exit, secret, words, arguments) in new (int, string?, string, string[])[]
        {
            (0, bed.Arno, "NAME", ["profile", "list"]),
            (2, null, "there is no token", ["profile", "list"]),
            (2, bed.Arno, "The parameter 'name' is", ["certificate", "list", "--name", "a b"]),
            (2, bed.Olga, "Nobody is there to ask; say --yes", ["issuer", "stop", "x"]),
            (3, "pca_wrong", "Somebody known is needed", ["profile", "list"]),
            (3, bed.Olga, "The role operator does not open this door", ["audit", "list"]),
            (4, bed.Arno, "There is no such certificate", ["certificate", "show", "0123"]),
            (5, bed.Olga, "The profile client is on offer already", ["profile", "offer", "client"]),
        })
        {
            var run = await shell.RunAsync(secret, arguments);
            Assert.True(run.Exit == exit, $"{string.Join(' ', arguments)}: {run.Exit} {run.Output}{run.Error}");
            Assert.Contains(words, run.Output + run.Error, StringComparison.Ordinal);
        }

        foreach (var (words, arguments) in new (string, string[])[]
        {
            ("Must be one of: 'valid'", ["certificate", "list", "--status", "nonsense"]),
            ("Cannot parse argument 'many'", ["eab", "create", "--max-accounts", "many"]),
            ("Unrecognized command or argument '--colour'", ["profile", "list", "--colour"]),
            ("Required command was not provided", ["eab"]),
        })
        {
            var run = await shell.RunAsync(bed.Arno, arguments);
            Assert.True(run.Exit == PersistCaCommand.Refused, $"{string.Join(' ', arguments)}: {run.Exit} {run.Output}{run.Error}");
            Assert.Empty(run.Output);
            Assert.Contains(words, Assert.Single(run.Error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        }

        var elsewhere = await shell.RunAsync(bed.Arno, ["account", "list", "--server", bed.Authority.Options.Server.BaseUrl + "/problems/malformed?of="]);
        Assert.Equal((1, "persistca: the answer is none of this product's; see whether --server is right"), (elsewhere.Exit, elsewhere.Error.TrimEnd()));

        var unreachable = await shell.RunAsync(bed.Arno, ["profile", "list", "--server", $"https://localhost:{RunningAuthority.FreePort()}"]);
        Assert.Equal(1, unreachable.Exit);
        Assert.Contains("does not answer", unreachable.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_come_out_as_they_are()
    {
        await using var bed = await DecisionBed.StartAsync();
        using var client = await bed.Authority.RegisteredAsync();
        bed.Authority.Publish(client, "a.test", PersistDialect.Draft02);
        var chain = await client.IssueAsync("dns-persist-01", "a.test");
        await using var shell = await Shell.OpenAsync(bed);
        var serial = Text((await bed.Bed.GetAsync("certificates", bed.Arno)).Body["items"]![0]!, "serial");
        Assert.Equal(chain, (await shell.RunAsync(bed.Arno, ["certificate", "export", serial, "--format", "chain"])).Output);
        Assert.Equal("a.test", JsonNode.Parse((await shell.RunAsync(bed.Arno, ["certificate", "export-all", "--under", "test"])).Output)!["names"]![0]!.GetValue<string>());
    }

    [Theory]
    [InlineData("persistca acc", "account")]
    [InlineData("persistca account s", "suspend")]
    [InlineData("persistca account list --status ", "suspended")]
    [InlineData("persistca certificate list --exp", "--expires-from")]
    public async Task A_shell_is_told_what_can_follow(string line, string expected)
    {
        var (exit, output) = await CommandLine.PersistCaAsync(SourceTree.Root, new Dictionary<string, string>(), $"[suggest:{line.Length}]", line);
        Assert.True(exit == 0, output);
        Assert.Contains(expected, output.Split('\n').Select(l => l.Trim()));
    }

    [Theory]
    [InlineData("bash", "bash", "-n")]
    [InlineData("zsh", "", "")]
    [InlineData("fish", "", "")]
    public async Task A_completion_script_is_printed_and_can_be_read(string shell, string program, string option)
    {
        var (exit, script) = await CommandLine.PersistCaAsync(SourceTree.Root, new Dictionary<string, string>(), "completion", shell);
        Assert.Equal(0, exit);
        Assert.Contains("[suggest:", script, StringComparison.Ordinal);
        if (program.Length > 0)
        {
            var file = Path.GetTempFileName();
            await File.WriteAllTextAsync(file, script);
            var (read, fault) = await CommandLine.RunAsync(program, SourceTree.Root, new Dictionary<string, string>(), [option, file]);
            File.Delete(file);
            Assert.True(read == 0, fault);
        }
    }

    /// <summary>Runs commands against an authority.</summary>
    private sealed class Shell : IAsyncDisposable
    {
        private readonly string folder = Directory.CreateTempSubdirectory("persistca-shell-").FullName;
        private readonly DecisionBed bed;

        private Shell(DecisionBed bed) => this.bed = bed;

        public static async Task<Shell> OpenAsync(DecisionBed bed)
        {
            var shell = new Shell(bed);
            await File.WriteAllTextAsync(Path.Combine(shell.folder, "root.pem"), bed.Authority.RootPem);
            return shell;
        }

        public async Task<(int Exit, string Output, string Error)> RunAsync(string? secret, params string[] arguments)
        {
            var start = new ProcessStartInfo("dotnet", [typeof(PersistCaCommand).Assembly.Location, .. arguments, "--ca-file", Path.Combine(folder, "root.pem")])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment["PERSISTCA_SERVER"] = bed.Authority.Options.Server.BaseUrl;
            start.Environment.Remove("PERSISTCA_TOKEN");
            if (secret is not null)
            {
                start.Environment["PERSISTCA_TOKEN"] = secret;
            }

            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync();
            return (process.ExitCode, await output, await error);
        }

        /// <summary>Runs one for JSON, which has to be what the kept schema says.</summary>
        public async Task<JsonNode> CheckedAsync(string secret, string noun, string verb, params string[] more)
        {
            var run = await RunAsync(secret, [noun, verb, .. more, "--output", "json"]);
            Assert.True(run.Exit == 0, $"{noun} {verb}: {run.Exit} {run.Error}");
            var schema = await JsonSchema.FromFileAsync(Path.Combine(Schemas, $"{noun}-{verb}.json"));
            var faults = schema.Validate(run.Output);
            Assert.True(faults.Count == 0, $"{noun} {verb}: {string.Join("; ", faults.Select(f => f.ToString()))}\n{run.Output}");
            return JsonNode.Parse(run.Output)!;
        }

        public ValueTask DisposeAsync()
        {
            Directory.Delete(folder, recursive: true);
            return ValueTask.CompletedTask;
        }
    }
}

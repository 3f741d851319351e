using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.Linting;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Admin;

/// <summary>The whole way by the command line, over a server that is killed in the middle.</summary>
public sealed class RevocationCrashTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Twelve_hundred_certificates_are_revoked_in_batches_across_a_crash_and_stand_in_the_list_and_no_token_leaks()
    {
        await using var server = await ServerProcess.StartAsync(crashAt: RevocationRunner.CrashPlace, settings: new Dictionary<string, string> { ["Log:Level"] = "Debug" });
        var data = Path.GetDirectoryName(server.SqliteFile)!;
        var tokens = new List<string>();
        foreach (var name in new[] { "anna", "berta" })
        {
            var (exit, output, error) = await RunAsync(null, "admin", "bootstrap", "--name", name, "--role", "revocation-officer", "--data", data);
            Assert.True(exit == 0, error);
            Assert.Matches("^pca_[A-Za-z0-9_-]{43}\n$", output);
            Assert.DoesNotContain(output.Trim(), error, StringComparison.Ordinal);
            tokens.Add(output.Trim());
        }

        await using var store = TestStore.Over(StoreKind.Sqlite, $"Data Source={server.SqliteFile}");
        var serials = await OperatorBed.FillAsync(store.Store, 1200, "bulk.test");

        string[] options = ["--server", $"https://localhost:{server.Https}", "--ca-file", server.RootFile, "--output", "json", "--yes"];
        var proposed = await RunAsync(tokens[0], ["certificate", "revoke", "--by-name", "*.bulk.test", "--reason", "superseded", "--comment", "moved", .. options]);
        Assert.True(proposed.Exit == 0, proposed.Error);
        var id = JsonNode.Parse(proposed.Output)!["id"]!.GetValue<string>();

        var cut = await RunAsync(tokens[1], ["certificate", "approve", id, .. options]);
        Assert.NotEqual(0, cut.Exit);
        Assert.True(await server.EndsAsync(TimeSpan.FromMinutes(1)), "the server was to die after the first batch");
        Assert.Equal(500, await RevokedAsync(store));

        await server.StartAgainAsync();
        await Patience.UntilAsync(async () => await RevokedAsync(store) == 1200, "the revocation does not go on");

        var done = await store.Store.ReadAsync(db => db.RevocationProposals.SingleAsync(None), None);
        Assert.Equal((1200, 0, 0, "berta"), (done.Revoked, done.Gone, done.RevokedSince, done.Approver));
        Assert.Equal(1200, await store.Store.ReadAsync(db => db.AuditEntries.CountAsync(e => e.Kind == "certificate.revoked", None), None));
        Assert.Equal(serials, await ListedAsync(server, store, serials.Count));

        var listed = await RunAsync(null, "admin", "token", "list", "--data", data);
        Assert.Contains("revocation-officer", listed.Output, StringComparison.Ordinal);
        await server.KillAsync(); // so that its files can be read
        SqliteConnection.ClearAllPools();
        foreach (var token in tokens)
        {
            Assert.DoesNotContain(token, server.Log, StringComparison.Ordinal);
            Assert.DoesNotContain(token, listed.Output, StringComparison.Ordinal);
            foreach (var file in Directory.EnumerateFiles(data, "persistca.db*"))
            {
                Assert.True((await File.ReadAllBytesAsync(file)).AsSpan().IndexOf(Encoding.ASCII.GetBytes(token)) < 0, $"{file} has a secret");
            }
        }
    }

    [Fact]
    public async Task The_command_line_shows_tables_and_refuses_without_a_token_or_over_plain_http()
    {
        var bed = await OperatorBed.StartAsync(null);
        var root = Path.Combine(bed.Authority.Options.Server.DataDirectory, "root-copy.pem");
        await File.WriteAllTextAsync(root, bed.Authority.RootPem);
        var secret = Path.Combine(bed.Authority.Options.Server.DataDirectory, "secret");
        await File.WriteAllTextAsync(secret, bed.Anna + "\n");
        var serials = await bed.FillAsync(2, "cli.test");
        var list = Path.Combine(bed.Authority.Options.Server.DataDirectory, "serials");
        await File.WriteAllLinesAsync(list, ["# two", .. serials]);
        string[] options = ["--server", bed.Authority.Options.Server.BaseUrl, "--ca-file", root];

        var dry = await RunAsync(null, ["certificate", "revoke", "--serials", list, "--dry-run", "--token-file", secret, .. options]);
        Assert.True(dry.Exit == 0, dry.Error);
        Assert.StartsWith("2 certificates would be revoked. Nothing was changed.\nSERIAL", dry.Output, StringComparison.Ordinal);
        Assert.Contains($"{serials[0]}  s{serials[0]}.cli.test", dry.Output, StringComparison.Ordinal);
        Assert.Empty(await bed.RevokedAsync(serials));

        foreach (var (reason, arguments) in new (string, string[])[]
        {
            ("there is no token", ["certificate", "revoke", "--serials", list, "--yes", .. options]),
            ("Nobody is there to ask; say --yes", ["certificate", "revoke", "--serials", list, "--token-file", secret, .. options]),
            ("say exactly one of", ["certificate", "revoke", "--serials", list, "--by-name", "a.test", "--token-file", secret, .. options]),
            ("is not an https URL", ["certificate", "revoke", "--serials", list, "--yes", "--token-file", secret, "--server", bed.Authority.Options.Server.PublicationUrl]),
            ("is not the id of a proposal", ["certificate", "approve", "x", "--token-file", secret, .. options]),
        })
        {
            var refused = await RunAsync(null, arguments);
            Assert.Equal(2, refused.Exit);
            Assert.Contains(reason, refused.Error, StringComparison.Ordinal);
        }

        await bed.DisposeAsync();
    }

    private static Task<int> RevokedAsync(TestStore store) => store.Store.ReadAsync(db => db.Certificates.CountAsync(c => c.RevokedAt != null, None), None);

    private static async Task<List<string>> ListedAsync(ServerProcess server, TestStore store, int count)
    {
        var issuer = await store.Store.ReadAsync(db => db.Issuers.Select(i => i.Id).SingleAsync(None), None);
        using var http = new HttpClient();
        for (var i = 0; ; i++)
        {
            var list = CrlFacts.Read(await http.GetByteArrayAsync(new Uri($"http://127.0.0.1:{server.Http}/crl/{issuer}.crl"))).Value!;
            var listed = (list.Entries ?? []).Select(e => e.Serial).Order(StringComparer.Ordinal).ToList();
            if (listed.Count >= count || i == 400)
            {
                return listed;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }

    private static async Task<(int Exit, string Output, string Error)> RunAsync(string? token, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Commands.PersistCaCommand).Assembly.Location, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("PERSISTCA_TOKEN");
        if (token is not null)
        {
            start.Environment["PERSISTCA_TOKEN"] = token;
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(None), process.StandardError.ReadToEndAsync(None));
        await process.WaitForExitAsync(None);
        return (process.ExitCode, await output, await error);
    }
}

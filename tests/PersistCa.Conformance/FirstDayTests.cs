using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PersistCa.Server.Demo;
using PersistCa.Testing;

namespace PersistCa.Conformance;

/// <summary>docs/operations/first-day.md, run as it stands.</summary>
public sealed partial class FirstDayTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("persistca-day-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [SkippableFact]
    public async Task The_first_day_goes_as_it_is_written_down()
    {
        Requirement.Program("certbot");
        Requirement.Program("curl");
        using var zone = LoopbackZone.Start(options: new LoopbackZoneOptions { DefaultAddress = IPAddress.Loopback });
        var blocks = Block().Matches(await File.ReadAllTextAsync(Path.Combine(SourceTree.Root, "docs", "operations", "first-day.md"))).Select(m => m.Groups[1].Value).ToList();
        Assert.Equal(8, blocks.Count);

        var (exit, output) = await RunAsync(blocks, zone.EndPoint.ToString());
        Assert.True(exit == 0, output);

        string Part(int block) => output.Split($"== block {block} ==")[1].Split("== block ")[0];
        foreach (var name in new[] { "karl", "kira", "olga", "rita", "arno" })
        {
            Assert.Matches($@"(?m)^\S+ +{name} +\S+ +good", Part(2));
        }

        Assert.Matches(@"(?m)^openAccounts +1", Part(3));
        Assert.Contains("external-account.bound", Part(3), StringComparison.Ordinal);
        Assert.Contains("certificate.issued", Part(3), StringComparison.Ordinal);
        Assert.Contains("account.created", Part(3), StringComparison.Ordinal);
        Assert.Matches(@"(?m)^\S+ +\S+ +valid .*www\.team\.example\.com", Part(3));
        Assert.Contains("BEGIN CERTIFICATE", Part(4), StringComparison.Ordinal);
        Assert.Contains("\"challenge\": \"http-01\"", Part(4), StringComparison.Ordinal);
        Assert.Matches(@"NewOrdersPerAccount +100/1\.00:00:00", Part(5));
        Assert.Matches(@"(?m)^\S+ +pending +account\.lift", Part(5));
        Assert.Matches(@"(?m)^status +withdrawn", Part(5));
        Assert.Contains("1 certificates would be revoked", Part(6), StringComparison.Ordinal);
        Assert.Matches(@"(?m)^[0-9a-f]+ +revoked .*www\.team\.example\.com", Part(6));
        Assert.Matches(@"(?m)^\S+ +issuing-1 +signing", Part(7));
        Assert.Matches(@"(?m)^\S+ +issuing +ended", Part(7));
        Assert.Matches(@"(?m)^[0-9a-f]+ +valid .*www\.team\.example\.com", Part(7));

        string Kept(string name) => File.ReadAllText(Path.Combine(folder, name));
        Assert.StartsWith("-----BEGIN CERTIFICATE-----", Kept("certificate.pem"), StringComparison.Ordinal);
        Assert.Equal(2, Kept("issuer.pem").Split("-----BEGIN CERTIFICATE-----").Length - 1);
        var exported = Kept("certificates.ndjson").TrimEnd().Split('\n').Select(l => JsonNode.Parse(l)!).ToList();
        Assert.Equal(["valid", "revoked"], exported.Select(c => c["status"]!.GetValue<string>()));
        Assert.Equal(2, exported.Select(c => c["issuer"]!.GetValue<string>()).Distinct().Count());
        var entries = JsonNode.Parse(Kept("audit.json"))!["items"]!.AsArray();
        Assert.Contains(entries, e => e!["kind"]!.GetValue<string>() == "certificate.revoked" && e["actor"]!.GetValue<string>() == "operator:rita");

        var mac = File.ReadAllLines(Path.Combine(folder, "team.key")).Single(l => l.StartsWith("hmacKey", StringComparison.Ordinal)).Split(' ')[^1];
        Assert.DoesNotContain(mac, Kept("serve.log") + Kept("audit.json") + output, StringComparison.Ordinal);

        // No secret of a token is in the log, nor in the audit log, nor in what was shown.
        foreach (var token in Directory.EnumerateFiles(folder, "*.token"))
        {
            var secret = (await File.ReadAllTextAsync(token)).Trim();
            Assert.Matches("^pca_[A-Za-z0-9_-]{43}$", secret);
            Assert.DoesNotContain(secret, Kept("serve.log") + Kept("audit.json") + output, StringComparison.Ordinal);
        }
    }

    private async Task<(int Exit, string Output)> RunAsync(List<string> blocks, string resolver)
    {
        var (https, http, challenge) = (RunningAuthority.FreePort(), RunningAuthority.FreePort(), RunningAuthority.FreePort());
        var bin = Directory.CreateDirectory(Path.Combine(folder, "bin")).FullName;
        await File.WriteAllTextAsync(Path.Combine(bin, "persistca"), $"#!/bin/sh\nexec dotnet '{typeof(Server.Commands.PersistCaCommand).Assembly.Location}' \"$@\"\n");
        var script = new StringBuilder("set -euo pipefail\nchmod 755 bin/persistca\ntrap 'jobs -p | xargs -r kill' EXIT\n");
        for (var at = 0; at < blocks.Count; at++)
        {
            script.Append(CultureInfo.InvariantCulture, $"echo '== block {at + 1} =='\n").Append(blocks[at]).Append('\n');
        }

        var environment = new Dictionary<string, string>
        {
            ["PATH"] = bin + ":" + Environment.GetEnvironmentVariable("PATH"),
            ["HOME"] = folder,
            ["CA"] = $"localhost:{https}",
            ["LISTEN"] = $"127.0.0.1:{https}",
            ["HTTP01_PORT"] = challenge.ToString(CultureInfo.InvariantCulture),
            ["PERSISTCA__Server__ListenPublication"] = $"127.0.0.1:{http}",
            ["PERSISTCA__Server__PublicationUrl"] = $"http://localhost:{http}",
            ["PERSISTCA__Validation__Dns__Resolvers"] = resolver,
            ["PERSISTCA__Validation__Http__Port"] = challenge.ToString(CultureInfo.InvariantCulture),
            ["PERSISTCA__Validation__Targets__AllowLoopback"] = "true",
            ["PERSISTCA__Log__Level"] = "Debug",
        };
        return await CommandLine.RunAsync("/bin/bash", folder, environment, ["-c", script.ToString()]);
    }

    [GeneratedRegex("(?s)```sh\n(.*?)```")]
    private static partial Regex Block();
}

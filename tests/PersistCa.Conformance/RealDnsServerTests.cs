using System.Diagnostics;
using System.Security.Cryptography;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Testing;

namespace PersistCa.Conformance;

/// <summary>Each dialect, plain and wildcard, against a DNS server that is not ours (Knot), over its own process and sockets.</summary>
public sealed class RealDnsServerTests
{
    [SkippableFact]
    public async Task Each_dialect_plain_and_wildcard_gets_its_certificate_from_a_record_in_knot()
    {
        var knotd = Requirement.Program("knotd");
        var port = RunningAuthority.FreePort();
        await using var authority = await RunningAuthority.StartAsync(o => o.Validation.Dns.Resolvers = [$"127.0.0.1:{port}"]);
        using var client = await authority.RegisteredAsync();
        var records = new List<(string Name, bool Wildcard, RecordToPublish Record)>();
        foreach (var dialect in PersistDialects.All)
        {
            foreach (var wildcard in new[] { false, true })
            {
                var name = $"{dialect.Wire()}-{(wildcard ? "wild" : "plain")}.persist.test";
                records.Add((name, wildcard, authority.Record(client, name, dialect, wildcard, authority.Clock.GetUtcNow().AddDays(365))));
            }
        }

        using var knot = await KnotAsync(knotd, port, records.Select(r => r.Record));
        try
        {
            foreach (var (name, wildcard, _) in records)
            {
                var chain = await client.IssueAsync("dns-persist-01", wildcard ? "*." + name : name);
                Assert.Null(RootTrust.Verify(chain, authority.RootPem, wildcard ? "any." + name : name));
            }

            // The hash binds the keys that the account ever had: after a rollover the record still stands.
            await client.ChangeKeyAsync(ECDsa.Create(ECCurve.NamedCurves.nistP256), CancellationToken.None);
            Assert.Null(RootTrust.Verify(await client.IssueAsync("dns-persist-01", "draft-02-plain.persist.test"), authority.RootPem, "draft-02-plain.persist.test"));
        }
        finally
        {
            knot.Kill();
            await knot.WaitForExitAsync();
        }
    }

    [SkippableFact]
    public async Task A_record_lives_its_life_in_knot()
    {
        var knotd = Requirement.Program("knotd");
        var knotc = Requirement.Program("knotc");
        var port = RunningAuthority.FreePort();
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            o.Validation.Dns.Resolvers = [$"127.0.0.1:{port}"];
            o.Authority.IssuerNames = ["new.ca.test"];
            o.Authority.FormerIssuerNames = ["old.ca.test"];
        });
        using var client = await authority.RegisteredAsync();
        using var closed = await authority.RegisteredAsync();
        var now = authority.Clock.GetUtcNow();
        var zone = new List<RecordToPublish>
        {
            authority.Record(client, "above.test", PersistDialect.Draft02, wildcard: true),
            authority.Record(client, "expired.test", PersistDialect.Draft01, until: now.AddMinutes(-1)),
            authority.Record(client, "removed.test", PersistDialect.Draft01),
            authority.Record(closed, "closed.test", PersistDialect.Draft02),
            authority.Record(client, "waiting.test", PersistDialect.AcmePersist, until: now.AddDays(1)),
        };
        var renamed = authority.Record(client, "renamed.test", PersistDialect.Draft01);
        zone.Add(renamed with { Value = renamed.Value.Replace("new.ca.test", "old.ca.test", StringComparison.Ordinal) });
        var target = authority.Record(client, "alias.test", PersistDialect.Draft02);
        zone.Add(new RecordToPublish("target.elsewhere.test", target.Value));
        string[] aliases = ["_validation-persist.alias.test. 60 CNAME target.elsewhere.test.", "rotated.test. 60 TXT unrelated"];

        using var knot = await KnotAsync(knotd, port, zone, aliases);
        try
        {
            // At an ancestor, plain and wildcard; through an alias; by a name this authority had before.
            foreach (var name in new[] { "a.b.above.test", "*.c.above.test", "alias.test", "renamed.test" })
            {
                Assert.Null(RootTrust.Verify(await client.IssueAsync("dns-persist-01", name), authority.RootPem, name.Replace("*", "any", StringComparison.Ordinal)));
            }

            // After the first success an order is ready at once.
            Assert.Equal("ready", (await client.OrderAsync(["waiting.test"], CancellationToken.None)).Json["status"]!.GetValue<string>());
            await RefusedAsync(client, "expired.test", "it ended at");
            await RefusedAsync(client, "elsewhere.test", "No TXT record");

            // Removed and rotated: what the zone says now counts, not what it said.
            await client.IssueAsync("dns-persist-01", "removed.test");
            zone.RemoveAll(r => r.Owner.EndsWith(".removed.test", StringComparison.Ordinal));
            zone.Add(authority.Record(closed, "rotated.test", PersistDialect.Draft01));
            zone.Add(authority.Record(client, "rotated.test", PersistDialect.Draft01));
            await ReloadAsync(knotc, knot.StartInfo.WorkingDirectory, zone, aliases, serial: 2);
            await RefusedAsync(client, "removed.test", "No TXT record");
            await client.IssueAsync("dns-persist-01", "rotated.test");

            // The hash survives a rollover, the thumbprint does not; after the account's end nothing validates.
            await client.ChangeKeyAsync(ECDsa.Create(ECCurve.NamedCurves.nistP256), CancellationToken.None);
            await client.IssueAsync("dns-persist-01", "d.above.test");
            await RefusedAsync(client, "waiting.test", "an earlier key of this account");
            await closed.IssueAsync("dns-persist-01", "closed.test");
            await closed.PostAsync(closed.AccountUrl!, """{"status":"deactivated"}""", CancellationToken.None);
            Assert.Equal(401, (await Assert.ThrowsAsync<AcmeRefusedException>(() => closed.OrderAsync(["closed.test"], CancellationToken.None))).Answer.Status);
        }
        finally
        {
            knot.Kill();
            await knot.WaitForExitAsync();
        }
    }

    private static async Task RefusedAsync(AcmeClient client, string name, string reason)
    {
        var order = await client.ReadyOrderAsync("dns-persist-01", name);
        Assert.Equal("invalid", order.Json["status"]!.GetValue<string>());
        Assert.Contains(reason, order.Body, StringComparison.Ordinal);
    }

    private static async Task<Process> KnotAsync(string knotd, int port, IEnumerable<RecordToPublish> records, params string[] lines)
    {
        var folder = Directory.CreateTempSubdirectory("persistca-knot-").FullName;
        await WriteZoneAsync(folder, records, lines, serial: 1);
        await File.WriteAllTextAsync(
            Path.Combine(folder, "knot.conf"),
            $"server:\n  rundir: {folder}\n  listen: 127.0.0.1@{port}\ndatabase:\n  storage: {folder}\nlog:\n  - target: stderr\n    any: warning\nzone:\n  - domain: test\n    storage: {folder}\n    file: test.zone\n    zonefile-sync: -1\n");
        var process = Process.Start(new ProcessStartInfo(knotd, ["-c", Path.Combine(folder, "knot.conf")]) { WorkingDirectory = folder }) ?? throw new InvalidOperationException("knotd does not start");
        var resolver = Validation.Dns.StubResolver.Create(new Validation.Dns.DnsOptions { Resolvers = [$"127.0.0.1:{port}"], Timeout = TimeSpan.FromMilliseconds(200), Retries = 0 }, TimeProvider.System).Value!;
        await Patience.UntilAsync(
            async () => (await resolver.AskAsync("ns.persist.test", Validation.Dns.DnsRecordKind.A, CancellationToken.None)).Status == Validation.Dns.DnsStatus.Answered,
            "knotd does not answer");
        return process;
    }

    /// <summary>The zone of the top label, so that CAA has an answer at every name up to it.</summary>
    private static Task WriteZoneAsync(string folder, IEnumerable<RecordToPublish> records, IEnumerable<string> lines, int serial) => File.WriteAllTextAsync(
        Path.Combine(folder, "test.zone"),
        $"test. 60 SOA ns.persist.test. host.persist.test. {serial} 60 60 60 60\ntest. 60 NS ns.persist.test.\nns.persist.test. 60 A 127.0.0.1\n"
            + string.Concat(records.Select(r => $"{r.Owner}. 60 TXT {string.Join(' ', r.Value.Chunk(200).Select(c => $"\"{new string(c)}\""))}\n"))
            + string.Concat(lines.Select(l => l + "\n")));

    private static async Task ReloadAsync(string knotc, string folder, IEnumerable<RecordToPublish> records, IEnumerable<string> lines, int serial)
    {
        await WriteZoneAsync(folder, records, lines, serial);
        using var reload = Process.Start(new ProcessStartInfo(knotc, ["-c", Path.Combine(folder, "knot.conf"), "-b", "zone-reload", "test"])) ?? throw new InvalidOperationException("knotc does not start");
        await reload.WaitForExitAsync();
        Assert.Equal(0, reload.ExitCode);
    }
}

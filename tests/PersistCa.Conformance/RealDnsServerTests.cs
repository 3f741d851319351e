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

    private static async Task<Process> KnotAsync(string knotd, int port, IEnumerable<RecordToPublish> records)
    {
        var folder = Directory.CreateTempSubdirectory("persistca-knot-").FullName;

        // The zone of the top label, so that CAA has an answer at every name up to it.
        var zone = "test. 60 SOA ns.persist.test. host.persist.test. 1 60 60 60 60\ntest. 60 NS ns.persist.test.\nns.persist.test. 60 A 127.0.0.1\n"
            + string.Concat(records.Select(r => $"{r.Owner}. 60 TXT {string.Join(' ', r.Value.Chunk(200).Select(c => $"\"{new string(c)}\""))}\n"));
        await File.WriteAllTextAsync(Path.Combine(folder, "test.zone"), zone);
        await File.WriteAllTextAsync(
            Path.Combine(folder, "knot.conf"),
            $"server:\n  rundir: {folder}\n  listen: 127.0.0.1@{port}\ndatabase:\n  storage: {folder}\nlog:\n  - target: stderr\n    any: warning\nzone:\n  - domain: test\n    storage: {folder}\n    file: test.zone\n    zonefile-sync: -1\n");
        var process = Process.Start(new ProcessStartInfo(knotd, ["-c", Path.Combine(folder, "knot.conf")]) { WorkingDirectory = folder }) ?? throw new InvalidOperationException("knotd does not start");
        var resolver = Validation.Dns.StubResolver.Create(new Validation.Dns.DnsOptions { Resolvers = [$"127.0.0.1:{port}"], Timeout = TimeSpan.FromMilliseconds(200), Retries = 0 }, TimeProvider.System).Value!;
        for (var i = 0; i < 100; i++)
        {
            if ((await resolver.AskAsync("ns.persist.test", Validation.Dns.DnsRecordKind.A, CancellationToken.None)).Status == Validation.Dns.DnsStatus.Answered)
            {
                return process;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }

        throw new InvalidOperationException("knotd does not answer");
    }
}

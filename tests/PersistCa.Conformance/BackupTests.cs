using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using PersistCa.Issuance.Linting;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Storage;
using PersistCa.Testing;

namespace PersistCa.Conformance;

/// <summary>A server that works is backed up, lost, and comes back on the other kind of database: nothing that was published goes back.</summary>
public sealed class BackupTests
{
    private static readonly Dictionary<string, string> Passphrase = new() { ["PERSISTCA_BACKUP_PASSPHRASE"] = "a passphrase of the tests alone" };

    private static CancellationToken None => CancellationToken.None;

    [SkippableTheory]
    [InlineData(StoreKind.Sqlite, StoreKind.PostgreSql)]
    [InlineData(StoreKind.PostgreSql, StoreKind.Sqlite)]
    public async Task A_server_under_load_is_backed_up_and_comes_back_on_the_other_kind_of_database(StoreKind first, StoreKind second)
    {
        var database = await PostgresCluster.NewDatabaseAsync();
        var settings = new Dictionary<string, string>(Store(first, database));
        await using var server = await ServerProcess.StartAsync(settings: settings);
        var data = Path.GetDirectoryName(server.SqliteFile)!;
        var away = Directory.CreateTempSubdirectory("persistca-backup-").FullName;
        var seen = new ConcurrentBag<(AcmeClient Client, string Url, string Pem)>();
        try
        {
            using var client = new AcmeClient(RootTrust.Client(server.RootPem), server.DirectoryUrl, ECDsa.Create(ECCurve.NamedCurves.nistP256));
            await client.RegisterAsync(None);
            var (kept, keptUrl) = await IssueAsync(server, client, "kept.example.test");
            var (revoked, _) = await IssueAsync(server, client, "revoked.example.test");

            // The backup is made while others are served.
            using var enough = new CancellationTokenSource();
            var load = Task.WhenAll(Enumerable.Range(0, 3).Select(n => LoadAsync(server, n, seen, enough.Token)));
            await Patience.UntilAsync(() => Task.FromResult(seen.Count >= 3), "nobody is served");
            var before = seen.ToArray();
            var backup = Path.Combine(away, "backup");
            Assert.Contains("newest audit entry", await RunAsync(away, 0, ["backup", "--to", backup, "--with-keys", "--data", data, .. Sets(first, database)]), StringComparison.Ordinal);
            await enough.CancelAsync();
            await load;

            // After it: one certificate is issued and revoked, and one from before it is revoked; a list shows both.
            var (late, _) = await IssueAsync(server, client, "late.example.test");
            await RevokeAsync(client, revoked);
            await RevokeAsync(client, late);
            var list = await ListAsync(server, revoked.Serial(), late.Serial());
            await File.WriteAllBytesAsync(Path.Combine(away, "list.crl"), list.Der);
            await File.WriteAllTextAsync(Path.Combine(away, "marks.json"), await RunAsync(away, 0, ["backup", "marks", "--data", data, .. Sets(first, database)]));

            // Lost: everything but the backup, the passphrases, and what had been published.
            await server.KillAsync();
            File.Copy(Path.Combine(data, "passphrase"), Path.Combine(away, "passphrase"));
            Directory.Delete(data, recursive: true);
            if (first == StoreKind.PostgreSql)
            {
                await PostgresCluster.DropDatabaseAsync(database);
            }

            Assert.Contains("Restorable", await RunAsync(away, 0, ["backup", "drill", "--from", backup]), StringComparison.Ordinal);
            string[] restore = ["restore", "--from", backup, "--with-keys", "--known-crl", Path.Combine(away, "list.crl"), "--known-marks", Path.Combine(away, "marks.json"), "--data", data, .. Sets(second, database)];
            Assert.Contains("entries are gone", await RunAsync(away, 2, restore), StringComparison.Ordinal);
            Assert.False(Directory.Exists(data));
            Assert.Contains("1 from published lists, 0 with a new reason, 1 of certificates", await RunAsync(away, 0, [.. restore, "--accept-loss"]), StringComparison.Ordinal);
            Assert.Contains("0 findings", await RunAsync(away, 0, ["database", "check", "--data", data, .. Sets(second, database)]), StringComparison.Ordinal);
            Assert.Contains("is not empty", await RunAsync(away, 2, [.. restore, "--accept-loss"]), StringComparison.Ordinal);

            File.Copy(Path.Combine(away, "passphrase"), Path.Combine(data, "passphrase"));
            settings.Clear();
            foreach (var (key, value) in Store(second, database))
            {
                settings[key] = value;
            }

            await server.StartAgainAsync();
            Assert.Contains(Pem(kept), (await client.FetchAsync(keptUrl, None)).Body, StringComparison.Ordinal);
            Assert.NotEmpty(before);
            foreach (var (other, url, pem) in before)
            {
                Assert.Contains(pem, (await other.FetchAsync(url, None)).Body, StringComparison.Ordinal);
            }

            var after = await ListAsync(server, revoked.Serial(), late.Serial());
            Assert.True(after.Facts.Number >= list.Facts.Number);
            await Patience.UntilAsync(async () => (await ListAsync(server, revoked.Serial(), late.Serial())).Facts.Number > list.Facts.Number, "no list with a higher number is made");
            Assert.NotEqual(keptUrl, (await IssueAsync(server, client, "next.example.test")).Url);
        }
        finally
        {
            foreach (var other in seen.Select(s => s.Client).Distinct())
            {
                other.Dispose();
            }

            Directory.Delete(away, recursive: true);
        }
    }

    private static Dictionary<string, string> Store(StoreKind kind, string database) => kind == StoreKind.Sqlite
        ? []
        : new Dictionary<string, string> { ["Store:Kind"] = "PostgreSql", ["Store:ConnectionString"] = database };

    private static string[] Sets(StoreKind kind, string database) => [.. Store(kind, database).SelectMany(s => new[] { "--set", $"{s.Key}={s.Value}" })];

    private static async Task<string> RunAsync(string folder, int expected, string[] arguments)
    {
        var (exit, output) = await CommandLine.PersistCaAsync(folder, Passphrase, arguments);
        Assert.True(exit == expected, $"{arguments[0]} ended with {exit}: {output}");
        return output;
    }

    /// <summary>Orders one certificate after the other until it is enough; what a client was shown must be there afterwards.</summary>
    private static async Task LoadAsync(ServerProcess server, int number, ConcurrentBag<(AcmeClient, string, string)> seen, CancellationToken enough)
    {
        var client = new AcmeClient(RootTrust.Client(server.RootPem), server.DirectoryUrl, ECDsa.Create(ECCurve.NamedCurves.nistP256)); // asks again after the restore
        await client.RegisterAsync(None);
        for (var i = 0; !enough.IsCancellationRequested; i++)
        {
            var (leaf, url) = await IssueAsync(server, client, $"n{i}.load{number}.example.test");
            seen.Add((client, url, Pem(leaf)));
        }
    }

    private static async Task<(X509Certificate2 Leaf, string Url)> IssueAsync(ServerProcess server, AcmeClient client, string name)
    {
        var record = RecordText.For(
            PersistDialect.Draft01,
            DnsName.Parse(name).Value!,
            new AccountFacts("x", client.AccountUrl!, [client.Thumbprint], true),
            new PersistPolicy([IssuerName.Parse("localhost").Value!], ["https://unused/"], PersistDialects.All.ToHashSet()),
            wildcard: false,
            until: null);
        server.Zone.SetTxt(record.Owner, record.Value);
        var order = await client.ReadyOrderAsync("dns-persist-01", name);
        var (csr, key) = RunningAuthority.Csr(name);
        key.Dispose();
        var url = (await client.FinalizeAsync(order, csr)).Json["certificate"]!.GetValue<string>();
        return (X509Certificate2.CreateFromPem((await client.FetchAsync(url, None)).Body), url);
    }

    private static async Task RevokeAsync(AcmeClient client, X509Certificate2 leaf) =>
        await client.PostAsync(await client.UrlAsync("revokeCert", None), new JsonObject { ["certificate"] = Base64Url.EncodeToString(leaf.RawData) }.ToJsonString(), None);

    /// <summary>The list that is served, once it names serial numbers.</summary>
    private static async Task<(byte[] Der, CrlFacts Facts)> ListAsync(ServerProcess server, params string[] serials)
    {
        using var http = new HttpClient();
        using var issuing = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(Path.Combine(Path.GetDirectoryName(server.SqliteFile)!, "ca", "issuing.pem")));
        var id = Convert.ToHexStringLower(issuing.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single().SubjectKeyIdentifierBytes.Span)[..16];
        var found = await Patience.UntilAsync(
            async () =>
            {
                using var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{server.Http}/crl/{id}.crl"));
                var der = answer.IsSuccessStatusCode ? await answer.Content.ReadAsByteArrayAsync() : [];
                return CrlFacts.Read(der) is { IsValid: true, Value: var facts } && serials.All(s => (facts.Entries ?? []).Any(e => e.Serial == s)) ? Tuple.Create(der, facts) : null;
            },
            $"no list names {string.Join(" and ", serials)}");
        return (found.Item1, found.Item2);
    }

    private static string Pem(X509Certificate2 leaf) => leaf.ExportCertificatePem();
}

/// <summary>Serial numbers as this product writes them.</summary>
internal static class LeafSerial
{
    public static string Serial(this X509Certificate2 leaf) => Convert.ToHexStringLower(leaf.SerialNumberBytes.Span);
}

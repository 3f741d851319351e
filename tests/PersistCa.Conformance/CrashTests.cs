using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Testing;

namespace PersistCa.Conformance;

/// <summary>The process is killed at each place between durable steps and started again: nothing acknowledged is lost, nothing exists twice.</summary>
public abstract class CrashTests
{
    private const string Name = "crash.example.test";

    public static TheoryData<string> Places => [.. CrashPoint.All];

    protected abstract Task<string?> ConnectionAsync();

    [SkippableTheory]
    [MemberData(nameof(Places))]
    public async Task Killed_anywhere_the_order_still_ends_in_one_recorded_certificate(string place)
    {
        var postgres = await ConnectionAsync();
        await using var server = await ServerProcess.StartAsync(postgres, crashAt: place);
        using var client = new AcmeClient(RootTrust.Client(server.RootPem), server.DirectoryUrl, ECDsa.Create(ECCurve.NamedCurves.nistP256));
        var (csr, key) = RunningAuthority.Csr(Name);
        key.Dispose();

        var journey = new Journey(server, client, csr);
        var chain = await journey.CompleteAsync();

        Assert.Equal(1, journey.Crashes);
        Assert.Null(RootTrust.Verify(chain, server.RootPem, Name));
        await server.KillAsync();
        await CheckStoreAsync(server, postgres, chain);
    }

    [SkippableTheory]
    [InlineData("9.intended")]
    [InlineData("9.signed")]
    public async Task What_policy_forbids_since_the_intent_is_not_signed_again_and_its_serial_number_is_given_up(string place)
    {
        var postgres = await ConnectionAsync();
        var settings = new Dictionary<string, string>();
        await using var server = await ServerProcess.StartAsync(postgres, crashAt: place, settings: settings);
        using var client = new AcmeClient(RootTrust.Client(server.RootPem), server.DirectoryUrl, ECDsa.Create(ECCurve.NamedCurves.nistP256));
        var (csr, key) = RunningAuthority.Csr(Name);
        key.Dispose();
        var journey = new Journey(server, client, csr, () =>
        {
            settings["Names:DeniedSuffixes"] = Name;
            return Task.CompletedTask;
        });

        var failed = await Assert.ThrowsAsync<InvalidOperationException>(() => journey.CompleteAsync());

        Assert.Equal(1, journey.Crashes);
        Assert.Contains("rejectedIdentifier", failed.Message, StringComparison.Ordinal);
        await server.KillAsync();
        await using var provider = Services(server, postgres);
        await provider.GetRequiredService<CaStore>().ReadAsync(
            async db =>
            {
                var certificate = await db.Certificates.SingleAsync();
                Assert.Equal((CertificateStatus.Abandoned, null), (certificate.Status, certificate.Der));
                var entry = await db.AuditEntries.SingleAsync(e => e.Kind == AuditKinds.OrderFailed);
                Assert.Contains("names.served", entry.Facts, StringComparison.Ordinal);
                return true;
            },
            CancellationToken.None);
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
    }

    [SkippableFact]
    public async Task An_intent_found_after_a_crash_becomes_no_certificate_when_its_key_was_blocked_meanwhile()
    {
        var list = Path.GetTempFileName();
        try
        {
            var postgres = await ConnectionAsync();
            await using var server = await ServerProcess.StartAsync(postgres, crashAt: "9.signed", settings: new Dictionary<string, string> { ["Issuance:BlockedKeysFile"] = list });
            using var client = new AcmeClient(RootTrust.Client(server.RootPem), server.DirectoryUrl, ECDsa.Create(ECCurve.NamedCurves.nistP256));
            var (csr, key) = RunningAuthority.Csr(Name);
            await File.WriteAllTextAsync(list, "# nothing yet\n");
            var fingerprint = Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));
            key.Dispose();

            var failed = await Assert.ThrowsAsync<InvalidOperationException>(() => new Journey(server, client, csr, () => File.WriteAllTextAsync(list, fingerprint + "\n")).CompleteAsync());
            Assert.Contains("badPublicKey", failed.Message, StringComparison.Ordinal);
            await server.KillAsync();
            await using var provider = Services(server, postgres);
            var store = provider.GetRequiredService<CaStore>();
            Assert.Equal(CertificateStatus.Abandoned, (await store.ReadAsync(db => db.Certificates.SingleAsync(), CancellationToken.None)).Status);
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        }
        finally
        {
            File.Delete(list);
        }
    }

    private static ServiceProvider Services(ServerProcess server, string? postgres) => new ServiceCollection()
        .AddSingleton(TimeProvider.System)
        .AddCaStorage(postgres is null ? StoreKind.Sqlite : StoreKind.PostgreSql, postgres ?? $"Data Source={server.SqliteFile}")
        .BuildServiceProvider();

    /// <summary>What must hold of every store, whatever was killed when.</summary>
    private static async Task CheckStoreAsync(ServerProcess server, string? postgres, string chain)
    {
        await using var provider = Services(server, postgres);
        var findings = new List<Storage.Integrity.StoreFinding>();
        await foreach (var finding in provider.GetRequiredService<Storage.Integrity.StoreInspection>().CheckAsync(Storage.Integrity.StoreRules.All.Concat(Server.Registration.SignedRules.All), CancellationToken.None))
        {
            findings.Add(finding);
        }

        Assert.Empty(findings);
        await provider.GetRequiredService<CaStore>().ReadAsync(
            async db =>
            {
                Assert.Equal(0, await db.WorkItems.CountAsync());
                var certificates = await db.Certificates.ToListAsync();
                Assert.All(certificates, c => Assert.Equal(CertificateStatus.Issued, c.Status));
                Assert.Equal(certificates.Count, certificates.Select(c => c.Serial).Distinct().Count());
                Assert.Equal(certificates.Count, certificates.Select(c => c.OrderId).Distinct().Count());
                using var leaf = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(chain);
                Assert.Contains(certificates, c => c.Der!.AsSpan().SequenceEqual(leaf.RawData));
                var entries = await db.AuditEntries.ToListAsync();
                Assert.Equal(certificates.Count, await db.PolicyDecisions.CountAsync());
                foreach (var certificate in certificates)
                {
                    Assert.Single(entries, e => e.Kind == AuditKinds.CertificateIssued && e.Subject == "certificate:" + certificate.PublicId);
                    Assert.Single(entries, e => e.Kind == AuditKinds.IssuanceIntended && e.Facts.Contains(certificate.Serial, StringComparison.Ordinal));
                }

                var now = TimeProvider.System.GetUtcNow();
                foreach (var order in await db.Orders.ToListAsync())
                {
                    Assert.Equal(order.FinalizedAt is not null, order.CertificateId is not null);
                    Assert.Single(entries, e => e.Kind == AuditKinds.OrderCreated && e.Subject == "order:" + order.PublicId);
                }

                return 0;
            },
            CancellationToken.None);
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
    }

    /// <summary>A client that carries on where it was after the server died under it.</summary>
    private sealed class Journey(ServerProcess server, AcmeClient client, byte[] csr, Func<Task>? meanwhile = null)
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
        private string? orderUrl;

        public int Crashes { get; private set; }

        public async Task<string> CompleteAsync()
        {
            using var limit = new CancellationTokenSource(Patience);
            while (true)
            {
                try
                {
                    return await TryAsync(limit.Token);
                }
                catch (HttpRequestException)
                {
                    Assert.True(await server.EndsAsync(TimeSpan.FromSeconds(10)), "the connection broke, but the server lives: " + server.Log);
                    Crashes++;
                    await (meanwhile?.Invoke() ?? Task.CompletedTask);
                    await server.StartAgainAsync();
                }
            }
        }

        private async Task<string> TryAsync(CancellationToken cancel)
        {
            await client.RegisterAsync(cancel);
            var record = RecordText.For(
                PersistDialect.Draft01,
                Protocol.Identifiers.DnsName.Parse(Name).Value!,
                new Protocol.Accounts.AccountFacts("x", client.AccountUrl!, [client.Thumbprint], true),
                new PersistPolicy([Protocol.Identifiers.IssuerName.Parse("localhost").Value!], ["https://unused/"], PersistDialects.All.ToHashSet()),
                wildcard: false,
                until: null);
            server.Zone.SetTxt(record.Owner, record.Value);
            orderUrl ??= (await client.OrderAsync([Name], cancel)).Location;
            while (true)
            {
                var order = await client.FetchAsync(orderUrl!, cancel);
                switch (order.Json["status"]!.GetValue<string>())
                {
                    case "pending":
                        var authorization = await client.FetchAsync(order.Json["authorizations"]![0]!.GetValue<string>(), cancel);
                        var challenge = authorization.Challenge("dns-persist-01");
                        if (challenge["status"]!.GetValue<string>() == "pending")
                        {
                            await client.PostAsync(challenge["url"]!.GetValue<string>(), "{}", cancel);
                        }

                        break;
                    case "ready":
                        await client.PostAsync(order.Json["finalize"]!.GetValue<string>(), $$"""{"csr":"{{System.Buffers.Text.Base64Url.EncodeToString(csr)}}"}""", cancel);
                        break;
                    case "valid":
                        return (await client.FetchAsync(order.Json["certificate"]!.GetValue<string>(), cancel)).Body;
                    case "processing":
                        break;
                    default:
                        throw new InvalidOperationException("the order failed: " + order.Body);
                }

                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancel);
            }
        }
    }
}

public sealed class SqliteCrashTests : CrashTests
{
    protected override Task<string?> ConnectionAsync() => Task.FromResult<string?>(null);
}

public sealed class PostgreSqlCrashTests : CrashTests
{
    protected override async Task<string?> ConnectionAsync() => await PostgresCluster.NewDatabaseAsync();
}

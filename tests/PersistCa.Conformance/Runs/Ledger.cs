using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Issuance.Linting;
using PersistCa.Protocol.Certificates;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Testing;

namespace PersistCa.Conformance.Runs;

/// <summary>Holds what clients were told against what the store and the revocation list say afterwards.</summary>
internal static class Ledger
{
    /// <summary>Waits until nothing is in processing any more, and then looks.</summary>
    public static async Task CheckAsync(NodeCluster cluster, LoadClients clients, string connection)
    {
        await using var provider = new ServiceCollection().AddSingleton(TimeProvider.System).AddCaStorage(StoreKind.PostgreSql, connection).BuildServiceProvider();
        var store = provider.GetRequiredService<CaStore>();
        await Patience.UntilAsync(
            async () => !await store.ReadAsync(db => db.WorkItems.AnyAsync(), CancellationToken.None),
            "work is left in the queue: " + cluster.Log);
        await store.ReadAsync(
            async db =>
            {
                var stored = await db.Certificates.Where(c => c.Der != null).ToListAsync();
                Assert.Empty(clients.Twice);
                Assert.Equal(stored.Count, stored.Select(c => c.Serial).Distinct().Count());
                Assert.Equal(stored.Count, stored.Select(c => c.OrderId).Distinct().Count());
                var bySerial = stored.ToDictionary(c => c.Serial.TrimStart('0'));
                foreach (var (serial, der) in clients.Certificates)
                {
                    var kept = bySerial.GetValueOrDefault(serial.TrimStart('0'));
                    Assert.True(kept is not null, $"the certificate {serial}, which a client has, is not in the store");
                    Assert.True(kept.Der.AsSpan().SequenceEqual(der), $"the certificate {serial} is another one in the store");
                }

                foreach (var serial in clients.Revoked)
                {
                    Assert.Equal(CertificateStatus.Revoked, bySerial[serial.TrimStart('0')].Status);
                }

                Assert.False(await db.Orders.AnyAsync(o => o.FinalizedAt != null && o.CertificateId == null && o.Error == null), "an order is in processing for ever");
                return true;
            },
            CancellationToken.None);
        await ListedAsync(cluster, clients);
        var findings = await cluster.CommandAsync("database", "check");
        Assert.EndsWith(" 0 findings\n", findings, StringComparison.Ordinal);
    }

    /// <summary>Every revocation that a client was told stands in the published list.</summary>
    private static async Task ListedAsync(NodeCluster cluster, LoadClients clients)
    {
        if (clients.Revoked.IsEmpty)
        {
            return;
        }

        using var leaf = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(clients.Certificates.Values.First());
        var url = Url(leaf.Extensions.First(e => e.Oid!.Value == "2.5.29.31").RawData);
        using var http = new HttpClient();
        await Patience.UntilAsync(
            async () =>
            {
                using var response = await http.GetAsync(new Uri(url));
                if (!response.IsSuccessStatusCode)
                {
                    return false;
                }

                var listed = CrlFacts.Read(await response.Content.ReadAsByteArrayAsync()).Value!.Entries.GetValueOrDefault([]).Select(e => e.Serial.TrimStart('0')).ToHashSet();
                return clients.Revoked.All(r => listed.Contains(r.TrimStart('0')));
            },
            "a revocation is not in the list at " + url);
    }

    /// <summary>The one URL in a distribution point.</summary>
    private static string Url(byte[] points)
    {
        var text = System.Text.Encoding.ASCII.GetString(points);
        return text[text.IndexOf("http", StringComparison.Ordinal)..(text.IndexOf(".crl", StringComparison.Ordinal) + 4)];
    }

    /// <summary>Figures of a run in one line.</summary>
    public static string Figures(LoadClients clients, TimeSpan length) => string.Create(
        CultureInfo.InvariantCulture,
        $"{length.TotalSeconds:0} s, {clients.Requests} requests, {clients.Certificates.Count} certificates ({clients.Certificates.Count / length.TotalSeconds:0.0} a second), {clients.Revoked.Count} revocations, {clients.Failures.Count} failed requests");
}

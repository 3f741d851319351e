using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Orders;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Backup;
using PersistCa.Storage.Status;
using PersistCa.Storage.WorkQueue;
using PersistCa.Testing;
using static PersistCa.Storage.Tests.Sample;

namespace PersistCa.Storage.Tests.Backup;

/// <summary>Stores with something of everything, and backups of them as plain lines.</summary>
internal static class BackupBed
{
    /// <summary>Serial of the certificate that is issued.</summary>
    public const string Issued = "0a";

    /// <summary>Serial of the certificate that is revoked as superseded.</summary>
    public const string Revoked = "0b";

    /// <summary>Serial of the intent.</summary>
    public const string Intended = "0c";

    public static StoreDump Dump(this TestStore s) => new(s.Factory, s.Time);

    public static StoreLoad Load(this TestStore s) => new(s.Factory);

    public static StoreReconciliation Reconciliation(this TestStore s) => new(s.Factory, s.Store);

    /// <summary>Fills a store: accounts, orders, an issued, a revoked and an intended certificate, a list, work under a lease.</summary>
    public static async Task FillAsync(TestStore s)
    {
        await s.AddAsync(t => NewExternalKey(t.Now));
        await s.AddAsync(t => NewIssuer(t.Now));
        await AddCertificateAsync(s, Issued, (c, t) => c.Record([1, 2, 3], t.Now));
        await AddCertificateAsync(s, Revoked, (c, t) =>
        {
            c.Record([4, 5], t.Now);
            c.Revoke(4, t.Now);
        });
        var order = await AddCertificateAsync(s, Intended, (_, _) => { });
        await s.WriteAsync(t =>
        {
            t.Enqueue(WorkKind.Issue, order.Id, 0, null, order.AccountId);
            t.Db.Crls.Add(new CrlRow { IssuerId = IssuerId, Number = 500, Der = [9], ThisUpdate = t.Now, NextUpdate = t.Now.AddDays(1) });
            t.Db.CrlPoints.Add(new CrlPoint { IssuerId = IssuerId, Shard = 0, Url = "http://ca.test/crl/ä.crl", AddedAt = t.Now });
            t.Db.OcspAnswers.Add(new OcspAnswerRow { IssuerId = IssuerId, Serial = Issued, Hash = 1, Der = [7], ThisUpdate = t.Now, NextUpdate = t.Now.AddDays(1), RefreshAt = t.Now.AddDays(1) });
            return Task.FromResult("done");
        });
        Assert.Single(await s.Leases.LeaseAsync(WorkKind.Issue, "lost-node", 1, TimeSpan.FromMinutes(2), WorkShares.Of(10), None));
    }

    /// <summary>The lines of a backup.</summary>
    public static async Task<byte[]> LinesAsync(this TestStore s, params (string Name, byte[] Octets)[] files)
    {
        var stream = new MemoryStream();
        await s.Dump().WriteAsync(stream, "test", files, None);
        return stream.ToArray();
    }

    public static VerifiedBackup Verify(byte[] lines)
    {
        using var reader = new BackupReader(new MemoryStream(lines));
        var read = VerifiedBackup.Read(reader, None);
        Assert.True(read.IsValid, read.Reason);
        return read.Value;
    }

    public static string? Refusal(byte[] lines)
    {
        using var reader = new BackupReader(new MemoryStream(lines));
        return VerifiedBackup.Read(reader, None).Reason;
    }

    /// <summary>Brings lines into a store.</summary>
    public static async Task<Protocol.Parsed<long>> LoadAsync(this TestStore s, byte[] lines, byte[]? verified = null)
    {
        using var reader = new BackupReader(new MemoryStream(lines));
        return await s.Load().LoadAsync(reader, Verify(verified ?? lines), (_, _) => { }, None);
    }

    /// <summary>The lines with another content, and sums that fit.</summary>
    public static byte[] Rewritten(byte[] lines, Func<JsonNode, JsonNode?> change)
    {
        var made = new StringBuilder();
        var (tables, table, sum) = (new JsonArray(), (JsonObject?)null, IncrementalHash.CreateHash(HashAlgorithmName.SHA256));
        foreach (var line in Encoding.UTF8.GetString(lines).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var node = change(JsonNode.Parse(line)!);
            if (node is null)
            {
                continue;
            }

            if (node is JsonArray)
            {
                sum.AppendData(Encoding.UTF8.GetBytes(node.ToJsonString() + "\n"));
                table!["rows"] = table["rows"]!.GetValue<long>() + 1;
            }
            else if (table is not null)
            {
                table["sha256"] = Convert.ToHexStringLower(sum.GetHashAndReset());
                tables.Add(table);
                table = null;
            }

            if (node is JsonObject && node["table"] is { } name)
            {
                table = new JsonObject { ["name"] = name.GetValue<string>(), ["rows"] = 0L, ["sha256"] = "" };
            }
            else if (node is JsonObject && node["manifest"] is { } manifest)
            {
                manifest["tables"] = tables;
            }

            made.Append(node.ToJsonString()).Append('\n');
        }

        return Encoding.UTF8.GetBytes(made.ToString());
    }

    private static async Task<Order> AddCertificateAsync(TestStore s, string serial, Action<IssuedCertificate, StoreTransaction> change)
    {
        var account = await s.AddAccountAsync();
        var order = await s.AddAsync(t =>
        {
            var opened = NewOrder(account, t.Now, "ä.test", "*.b.test");
            opened.Finalize([1], t.Now, Proven(opened, t.Now));
            t.Audit(AuditKinds.OrderCreated, "order:" + opened.PublicId);
            return opened;
        });
        await s.AddAsync(t =>
        {
            var made = new IssuedCertificate(Protocol.PublicId.Next(), serial, IssuerId, order.Id, order.AccountId, new string('f', 64), [1, 2], t.Now, t.Now.AddDays(1), t.Now, "server");
            change(made, t);
            return made;
        });
        return order;
    }
}

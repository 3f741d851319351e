using System.Formats.Asn1;
using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Ocsp;
using PersistCa.Server.Registration;
using PersistCa.Server.Tests.Status;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Backup;
using PersistCa.Storage.Status;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Backup;

/// <summary>What backup and restore refuse at the command line, in one line and with nothing written; and what becomes of what only a list shows.</summary>
public sealed class BackupCommandTests(StatusBed bed) : IClassFixture<StatusBed>, IDisposable
{
    private const string Passphrase = "a passphrase of the tests alone";

    private readonly string away = Directory.CreateTempSubdirectory("persistca-away-").FullName;

    private string Backup => Path.Combine(away, "backup");

    private static CancellationToken None => CancellationToken.None;

    public void Dispose() => Directory.Delete(away, recursive: true);

    [Fact]
    public async Task A_backup_and_a_restore_leave_an_audit_entry_and_the_restored_store_breaks_no_rule()
    {
        var output = await MakeAsync();
        var entry = await bed.Authority.Store.ReadAsync(db => db.AuditEntries.Where(e => e.Kind == AuditKinds.StoreBackedUp).OrderByDescending(e => e.Id).FirstAsync(), None);
        Assert.Contains(System.Text.Json.JsonDocument.Parse(entry.Facts).RootElement.GetProperty("sha256").GetString()!, output, StringComparison.Ordinal);
        var known = output.Trim().Split(' ')[^1];
        var data = Path.Combine(away, "data");

        Assert.Contains("it holds the newest entry that is known", await RunAsync(0, "restore", "--from", Backup, "--data", data, "--known-audit-entry", known), StringComparison.Ordinal);

        Assert.Contains("0 findings", await RunAsync(0, "database", "check", "--data", data), StringComparison.Ordinal);
        await using var restored = TestStore.Over(StoreKind.Sqlite, $"Data Source={Path.Combine(data, "persistca.db")}");
        Assert.Single(await restored.Store.ReadAsync(db => db.AuditEntries.Where(e => e.Kind == AuditKinds.StoreRestored).ToListAsync(), None));
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
    }

    [Fact]
    public async Task Another_passphrase_and_an_octet_that_was_changed_are_refused_and_nothing_is_written()
    {
        await MakeAsync();
        var data = Path.Combine(away, "data");
        var (exit, output) = await CommandLine.PersistCaAsync(
            away, new Dictionary<string, string> { ["PERSISTCA_BACKUP_PASSPHRASE"] = "another passphrase of tests" }, "restore", "--from", Backup, "--data", data, "--accept-loss");
        Assert.Equal((2, 1), (exit, output.Trim().Split('\n').Length));
        Assert.Contains("the passphrase is another", output, StringComparison.Ordinal);
        var octets = await File.ReadAllBytesAsync(Backup);
        octets[^100] ^= 1;
        await File.WriteAllBytesAsync(Backup, octets);
        Assert.Contains("is damaged; nothing was restored", await RunAsync(2, "restore", "--from", Backup, "--data", data, "--accept-loss"), StringComparison.Ordinal);
        Assert.Contains("is damaged", await RunAsync(2, "backup", "drill", "--from", Backup), StringComparison.Ordinal);
        Assert.False(Directory.Exists(data));
    }

    [Fact]
    public async Task Without_anything_to_encrypt_to_and_over_a_file_that_exists_no_backup_is_made()
    {
        var (exit, output) = await CommandLine.PersistCaAsync(away, new Dictionary<string, string> { ["PERSISTCA_BACKUP_PASSPHRASE"] = "" }, "backup", "--data", bed.Folder, "--to", Backup);
        Assert.Equal(2, exit);
        Assert.Contains("backups are encrypted always", output, StringComparison.Ordinal);
        (exit, output) = await CommandLine.PersistCaAsync(away, new Dictionary<string, string> { ["PERSISTCA_BACKUP_PASSPHRASE"] = "short" }, "backup", "--data", bed.Folder, "--to", Backup);
        Assert.Equal(2, exit);
        Assert.Contains("16 are the least", output, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Backup, "mine");
        Assert.Contains("never overwritten", await RunAsync(2, "backup", "--data", bed.Folder, "--to", Backup), StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(Backup));
    }

    [Fact]
    public async Task A_key_in_clear_is_not_taken_along()
    {
        var data = Path.Combine(away, "plain");
        Directory.CreateDirectory(Path.Combine(data, "ca"));
        await File.WriteAllTextAsync(Path.Combine(data, "ca", "issuing.key.pem"), "-----BEGIN " + "PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        await RunAsync(0, "database", "migrate", "--data", data);
        Assert.Contains("holds a key in clear", await RunAsync(2, "backup", "--data", data, "--to", Backup, "--with-keys"), StringComparison.Ordinal);
        Assert.False(File.Exists(Backup));
    }

    [Fact]
    public async Task Made_to_a_public_key_it_is_opened_by_the_private_key_and_keys_come_back_as_they_were()
    {
        var key = Path.Combine(away, "backup.key");
        var recipient = (await RunAsync(0, "backup", "key", "--to", key)).Trim();
        await RunAsync(0, "backup", "--data", bed.Folder, "--to", Backup, "--with-keys", "--recipient", recipient);
        var data = Path.Combine(away, "data");
        Assert.Contains("encrypted to other keys, or to a passphrase", await RunAsync(2, "restore", "--from", Backup, "--data", data, "--accept-loss", "--identity", await OtherKeyAsync()), StringComparison.Ordinal);

        await RunAsync(0, "restore", "--from", Backup, "--data", data, "--accept-loss", "--with-keys", "--identity", key);

        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(bed.Folder, "ca", "issuing.key.pem")), await File.ReadAllBytesAsync(Path.Combine(data, "ca", "issuing.key.pem")));
        Assert.False(File.Exists(Path.Combine(data, PersistCa.Server.Hosting.Passphrase.GeneratedFile)));
    }

    [Fact]
    public async Task No_server_starts_over_a_restore_that_was_not_finished()
    {
        await MakeAsync();
        var (data, list) = (Path.Combine(away, "data"), Path.Combine(away, "list.crl"));
        await File.WriteAllBytesAsync(list, [0x30, 0]);
        File.Copy(Path.Combine(bed.Folder, PersistCa.Server.Hosting.Passphrase.GeneratedFile), Path.Combine(away, "word"));
        Assert.Contains("persistca restore reconcile", await RunAsync(2, "restore", "--from", Backup, "--data", data, "--accept-loss", "--known-crl", list), StringComparison.Ordinal);
        string[] serve =
        [
            "serve", "--data", data, "--set", "Authority:PassphraseFile=" + Path.Combine(away, "word"), "--set", "Authority:IssuingCertificateFile=" + Path.Combine(bed.Folder, "ca", "issuing.pem"),
            "--set", "Authority:RootCertificateFile=" + Path.Combine(bed.Folder, "ca", "root.pem"), "--set", "Authority:IssuingKeyFile=" + Path.Combine(bed.Folder, "ca", "issuing.key.pem"),
            "--set", $"Server:Listen=127.0.0.1:{RunningAuthority.FreePort()}", "--set", $"Server:ListenPublication=127.0.0.1:{RunningAuthority.FreePort()}",
        ];

        Assert.Contains("a restore into this database was not finished", await RunAsync(2, serve), StringComparison.Ordinal);
        await RunAsync(0, "restore", "reconcile", "--data", data, "--accept-loss");
        Assert.Contains("0 findings", await RunAsync(0, "database", "check", "--data", data), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_of_a_part_is_known_as_such_and_a_list_of_another_issuer_is_refused()
    {
        using var client = await bed.Authority.RegisteredAsync();
        var (leaf, _) = await bed.IssueAsync(client);
        await StatusBed.RevokeAsync(client, leaf, 4);
        var serial = StatusBed.Serial(leaf);
        var row = await Patience.UntilAsync(
            () => bed.Authority.Store.ReadAsync(
                async db => (await db.Crls.ToListAsync(None)).Find(c => CrlFacts.Read(c.Der).Value!.Entries is { } entries && entries.Any(e => e.Serial == serial)), None),
            "no list names it");

        var read = await bed.Authority.Store.ReadAsync(db => PublishedLists.ReadAsync(db, row.Der, None), None);

        Assert.Equal((bed.IssuerId, row.Shard, row.Number, row.ThisUpdate), (read.Value!.IssuerId, read.Value.Part, read.Value.Number, read.Value.ThisUpdate));
        Assert.Contains(read.Value.Revocations, r => r.Serial == serial && r.Reason == 4);
        var changed = (byte[])row.Der.Clone();
        changed[^1] ^= 1;
        Assert.Contains("no list of an issuer of this store", (await bed.Authority.Store.ReadAsync(db => PublishedLists.ReadAsync(db, changed, None), None)).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4, 4)]
    [InlineData(0, null)]
    [InlineData(6, null)] // certificateHold, which an issuer may have had before it was imported
    [InlineData(2, null)]
    public async Task A_reason_that_no_list_here_can_have_is_left_out_of_what_a_published_list_tells(int told, int? kept)
    {
        const string serial = "4d00000000000000000000000000000e";
        var issuer = ((StatusIssuers)bed.Authority.Services.GetService(typeof(StatusIssuers))!).Find(bed.IssuerId)!;
        var now = TimeProvider.System.GetUtcNow();
        var sound = await CrlBuilder.BuildAsync(issuer, 7, [new RevokedCertificate(serial, now, 1)], now, now.AddDays(1));
        var outer = new AsnReader(sound, AsnEncodingRules.DER).ReadSequence();
        var octets = outer.ReadEncodedValue().ToArray();
        octets[octets.AsSpan().IndexOf((ReadOnlySpan<byte>)[0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01, 0x01]) + 7] = (byte)told;
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(octets);
            writer.WriteEncodedValue(outer.ReadEncodedValue().Span);
            writer.WriteBitString(await issuer.Key.SignAsync(octets, None));
        }

        var list = writer.Encode();

        var read = await bed.Authority.Store.ReadAsync(db => PublishedLists.ReadAsync(db, list, None), None);

        Assert.Equal(new KnownRevocation(serial, read.Value!.Revocations[0].RevokedAt, kept), Assert.Single(read.Value.Revocations));
    }

    [Fact]
    public async Task What_only_a_published_list_showed_is_revoked_in_ocsp_and_in_every_list()
    {
        const string serial = "4d00000000000000000000000000000d";
        var since = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        var issuer = bed.Authority.Services.GetService(typeof(StatusIssuers)) as StatusIssuers;
        await bed.Authority.Store.WriteAsync<string>(
            Actor.Operator,
            t =>
            {
                t.Db.LostRevocations.Add(new LostRevocation { IssuerId = bed.IssuerId, Serial = serial, Shard = 2, RevokedAt = since, Reason = 4, RecordedAt = t.Now });
                t.Audit(AuditKinds.StoreReconciled, "store");
                return Task.FromResult<Protocol.Outcome<string>>("added");
            },
            None);
        using var content = new ByteArrayContent(Question.Of([OcspCertId.Of(issuer!.All[0], OcspHash.Sha1, serial)]));
        content.Headers.ContentType = new("application/ocsp-request");
        using var answer = await bed.Http.PostAsync(new Uri(bed.OcspUrl), content);
        var single = Assert.Single(OcspFacts.Read(await answer.Content.ReadAsByteArrayAsync()).Value!.Singles);
        Assert.Equal((1, since, 4), (single.Status, single.RevokedAt!.Value, single.Reason!.Value));
        Assert.Contains(serial, (await bed.Authority.Store.ReadAsync(db => db.CrlEntriesAsync(bed.IssuerId, 2, bed.Authority.Store.Now, None), None)).Select(e => e.Serial));
    }

    private Task<string> MakeAsync() => RunAsync(0, "backup", "--data", bed.Folder, "--to", Backup);

    private async Task<string> OtherKeyAsync()
    {
        var other = Path.Combine(away, "other.key");
        await RunAsync(0, "backup", "key", "--to", other);
        return other;
    }

    private async Task<string> RunAsync(int expected, params string[] arguments)
    {
        var (exit, output) = await CommandLine.PersistCaAsync(away, new Dictionary<string, string> { ["PERSISTCA_BACKUP_PASSPHRASE"] = Passphrase }, arguments);
        Assert.True(exit == expected, $"{string.Join(' ', arguments.Take(2))} ended with {exit}: {output}");
        return output;
    }
}

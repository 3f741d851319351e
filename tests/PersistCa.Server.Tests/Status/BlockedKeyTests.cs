using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Status;

/// <summary>A key that is compromised is never used here again.</summary>
public sealed class BlockedKeyTests(StatusBed bed) : IClassFixture<StatusBed>
{
    private static CancellationToken None => CancellationToken.None;

    private static ECDsa Copy(ECDsa key) => ECDsa.Create(key.ExportParameters(true));

    private static string Fingerprint(ECDsa key) => Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));

    private Task<List<(string Serial, int? Reason)>> RevokedAsync(ECDsa key)
    {
        var fingerprint = Fingerprint(key);
        return bed.Authority.Store.ReadAsync(
            async db => (await db.Certificates.Where(c => c.KeyFingerprint == fingerprint && c.RevokedAt != null).ToListAsync(None)).Select(c => (c.Serial, c.RevocationReason)).ToList(), None);
    }

    [Fact]
    public async Task A_compromise_that_the_key_itself_tells_takes_every_certificate_with_it_along_whosever_it_is()
    {
        using var one = await bed.Authority.RegisteredAsync();
        using var other = await bed.Authority.RegisteredAsync();
        var (first, key) = await bed.IssueAsync(one);
        var (second, _) = await bed.IssueAsync(other, key: key);
        var (third, unrelated) = await bed.IssueAsync(one);
        await StatusBed.RevokeAsync(other, second, 4);
        var (fourth, _) = await bed.IssueAsync(other, key: key);
        using var bearer = bed.Bearer(Copy(key));
        Assert.Equal(200, (await StatusBed.RevokeAsync(bearer, first, 1, bareKey: true)).Status);

        var revoked = await RevokedAsync(key);
        Assert.Equal(new[] { first, second, fourth }.Select(StatusBed.Serial).Order(), revoked.Select(r => r.Serial).Order());
        Assert.All(revoked, r => Assert.Equal(1, r.Reason));
        Assert.Empty(await RevokedAsync(unrelated));
        third.Dispose();
    }

    [Fact]
    public async Task A_compromise_that_an_account_tells_blocks_the_key_and_leaves_other_certificates_alone_until_the_key_tells_it_too()
    {
        using var client = await bed.Authority.RegisteredAsync();
        var (first, key) = await bed.IssueAsync(client);
        var (second, _) = await bed.IssueAsync(client, key: key);
        Assert.Equal(200, (await StatusBed.RevokeAsync(client, first, 1)).Status);
        Assert.Equal(StatusBed.Serial(first), Assert.Single(await RevokedAsync(key)).Serial);
        using var bearer = bed.Bearer(Copy(key));
        Assert.Equal(200, (await StatusBed.RevokeAsync(bearer, first, 1, bareKey: true)).Status);
        Assert.Equal(2, (await RevokedAsync(key)).Count);
        Assert.Equal((400, "alreadyRevoked"), await StatusBed.RevokeAsync(bearer, second, 1, bareKey: true));
    }

    [Fact]
    public async Task A_blocked_key_gets_no_certificate_and_no_account()
    {
        using var client = await bed.Authority.RegisteredAsync();
        var (leaf, key) = await bed.IssueAsync(client);
        await StatusBed.RevokeAsync(client, leaf, 1);
        var name = bed.Fresh();
        bed.Authority.Publish(client, name, PersistDialect.Draft02);
        var order = await client.ReadyOrderAsync("dns-persist-01", name);
        var finalize = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.FinalizeAsync(order, RunningAuthority.Csr(key, name)));
        Assert.Equal("badPublicKey", finalize.Answer.Problem);

        using var account = bed.Bearer(Copy(key));
        Assert.Equal("badPublicKey", (await Assert.ThrowsAsync<AcmeRefusedException>(() => account.RegisterAsync(None))).Answer.Problem);
        Assert.Equal("badPublicKey", (await Assert.ThrowsAsync<AcmeRefusedException>(() => client.ChangeKeyAsync(Copy(key), None))).Answer.Problem);
    }

    [Fact]
    public async Task A_key_of_the_operators_list_gets_no_certificate_and_no_account()
    {
        using var weak = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, $"# weak keys\n\n{Fingerprint(weak).ToUpperInvariant()}\n");
        await using var authority = await RunningAuthority.StartAsync(o => o.Issuance.BlockedKeysFile = file);
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "weak.example.test", PersistDialect.Draft02);
        var order = await client.ReadyOrderAsync("dns-persist-01", "weak.example.test");
        var finalize = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.FinalizeAsync(order, RunningAuthority.Csr(weak, "weak.example.test")));
        Assert.Equal("badPublicKey", finalize.Answer.Problem);
        using var account = new AcmeClient(authority.Http(), authority.DirectoryUrl, Copy(weak));
        Assert.Equal("badPublicKey", (await Assert.ThrowsAsync<AcmeRefusedException>(() => account.RegisterAsync(None))).Answer.Problem);
        File.Delete(file);
    }

    [Theory]
    [InlineData("0123", "line 1")]
    [InlineData("zz23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "line 1")]
    public void A_list_with_a_line_that_is_no_fingerprint_is_refused_with_its_place(string line, string place)
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, line + "\n");
        Assert.Contains(place, Assert.Throws<StartRefusedException>(() => BlockedKeyList.Read(file)).Message, StringComparison.Ordinal);
        File.Delete(file);
        Assert.Throws<StartRefusedException>(() => BlockedKeyList.Read(file));
    }
}

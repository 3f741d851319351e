using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Records;
using PersistCa.Storage;
using PersistCa.Testing;
using static PersistCa.Server.Tests.Admin.DecisionBed;

namespace PersistCa.Server.Tests.Admin;

/// <summary>Certificates, orders and authorizations found by everything that they can be found by, on both databases.</summary>
public abstract class CertificateSearchTests(StoreKind kind)
{
    private static CancellationToken None => CancellationToken.None;

    private static async Task<string[]> SerialsAsync(DecisionBed bed, string query)
    {
        var (status, page) = await bed.Bed.GetAsync("certificates?" + query, bed.Arno);
        Assert.True(status == 200, page.ToJsonString());
        return [.. page["items"]!.AsArray().Select(c => Text(c!, "serial"))];
    }

    [SkippableFact]
    public async Task A_certificate_is_found_by_each_of_its_marks_and_by_no_other()
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        using var client = await bed.Authority.RegisteredAsync();
        bed.Authority.Publish(client, "a.team.test", PersistDialect.Draft02, wildcard: true);
        bed.Authority.Publish(client, "b.team.test", PersistDialect.Draft02);
        using var a = X509Certificate2.CreateFromPem(await client.IssueAsync("dns-persist-01", "a.team.test", "*.a.team.test"));
        using var b = X509Certificate2.CreateFromPem(await client.IssueOfAsync("client", "dns-persist-01", "b.team.test"));
        await OperatorBed.FillAsync(bed.Authority.Store, 3, "evilteam.test");
        var (first, second) = (Convert.ToHexStringLower(a.SerialNumberBytes.Span), Convert.ToHexStringLower(b.SerialNumberBytes.Span));
        var account = client.AccountUrl!.Split('/')[^1];
        var issuer = Text((await bed.Bed.GetAsync("issuers", bed.Arno)).Body["items"]![0]!, "id");

        Assert.Equal([first], await SerialsAsync(bed, "name=a.team.test"));
        Assert.Equal([first], await SerialsAsync(bed, "name=" + Uri.EscapeDataString("*.A.team.test")));
        Assert.Equal([second, first], await SerialsAsync(bed, "under=team.test"));
        Assert.Equal([first], await SerialsAsync(bed, "under=a.team.test"));
        Assert.Empty(await SerialsAsync(bed, "under=b.team.test"));
        Assert.Equal(3, (await SerialsAsync(bed, "under=evilteam.test")).Length);
        Assert.Equal([second], await SerialsAsync(bed, "fingerprint=" + Convert.ToHexString(SHA256.HashData(b.RawData))));
        Assert.Equal([second], await SerialsAsync(bed, "key=" + Convert.ToHexString(SHA256.HashData(b.PublicKey.ExportSubjectPublicKeyInfo()))));
        Assert.Equal([second, first], await SerialsAsync(bed, "account=" + account));
        Assert.Equal(5, (await SerialsAsync(bed, "issuer=" + issuer)).Length);
        Assert.Empty(await SerialsAsync(bed, "issuer=nonsense"));
        Assert.Equal([second], await SerialsAsync(bed, "profile=client"));
        Assert.Equal([first], await SerialsAsync(bed, "under=team.test&profile=server&status=valid"));
        Assert.Empty(await SerialsAsync(bed, "expiresUntil=" + Uri.EscapeDataString(DateTimeOffset.UnixEpoch.AddYears(50).ToString("O", System.Globalization.CultureInfo.InvariantCulture)[..19] + "Z")));
        Assert.Equal(2, (await SerialsAsync(bed, "account=" + account + "&expiresFrom=2020-01-01")).Length);
        Assert.Empty(await SerialsAsync(bed, "status=revoked"));

        var shown = (await bed.Bed.GetAsync("certificates/" + first.ToUpperInvariant(), bed.Arno)).Body;
        Assert.Equal((account, "valid", Convert.ToHexStringLower(SHA256.HashData(a.RawData))), (Text(shown, "account"), Text(shown, "status"), Text(shown, "sha256")));
        using var again = X509Certificate2.CreateFromPem(Text(shown, "pem"));
        Assert.Equal(a.RawData, again.RawData);

        var order = (await bed.Bed.GetAsync("orders/" + Text(shown, "order"), bed.Arno)).Body;
        Assert.Equal((first, "valid"), (Text(order, "serial"), Text(order, "status")));
        var proof = (await bed.Bed.GetAsync("authorizations/" + Text(order["authorizations"]![0]!, "id"), bed.Arno)).Body;
        Assert.True(proof["validations"]![0]!["succeeded"]!.GetValue<bool>());
        Assert.NotNull(proof["validations"]![0]!["evidence"]);
        Assert.NotEmpty(proof["caaChecks"]!.AsArray());
        Assert.NotEmpty((await bed.Bed.GetAsync($"orders?account={account}&name=b.team.test&state=valid&profile=client", bed.Arno)).Body["items"]!.AsArray());
        Assert.Empty((await bed.Bed.GetAsync($"orders?account={account}&state=failed", bed.Arno)).Body["items"]!.AsArray());
        Assert.Single((await bed.Bed.GetAsync($"authorizations?account={account}&name=b.team.test&status=valid", bed.Arno)).Body["items"]!.AsArray());
    }

    [SkippableTheory]
    [InlineData("name=" + "%27%20OR%201%3D1%20--")]
    [InlineData("under=" + "%25")]
    [InlineData("key=" + "%27%3B%20DROP%20TABLE%20certificates")]
    [InlineData("fingerprint=zz")]
    [InlineData("account=" + "%27%27%27%27%27%27%27%27%27%27%27%27%27%27%27%27")]
    [InlineData("status=Valid")]
    [InlineData("expiresFrom=yesterday")]
    [InlineData("issuer=")]
    public async Task What_cannot_be_a_mark_is_refused_and_not_searched(string query)
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        var (status, body) = await bed.Bed.GetAsync("certificates?" + query, bed.Arno);
        Assert.Equal(400, status);
        Assert.StartsWith($"The parameter '{query.Split('=')[0]}' is ", Text(body, "detail"), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Text_that_would_be_a_pattern_or_a_statement_matches_itself_alone()
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        await OperatorBed.FillAsync(bed.Authority.Store, 2, "a.test");
        foreach (var text in new[] { "%", "_", "' OR '1'='1", "\\", "*", "server' --" })
        {
            Assert.Empty(await SerialsAsync(bed, "issuer=" + Uri.EscapeDataString(text)));
            Assert.Empty(await SerialsAsync(bed, "profile=" + Uri.EscapeDataString(text)));
            Assert.Empty((await bed.Bed.GetAsync("audit?actor=" + Uri.EscapeDataString(text), bed.Arno)).Body["items"]!.AsArray());
        }
    }

    [SkippableFact]
    public async Task Certificates_are_exported_one_and_many_and_not_more_than_are_allowed()
    {
        await using var bed = await DecisionBed.StartAsync(kind, o => o.Operators.MaxExport = 2);
        using var client = await bed.Authority.RegisteredAsync();
        bed.Authority.Publish(client, "a.test", PersistDialect.Draft02);
        using var leaf = X509Certificate2.CreateFromPem(await client.IssueAsync("dns-persist-01", "a.test"));
        var path = "certificates/" + Convert.ToHexStringLower(leaf.SerialNumberBytes.Span) + "/export";
        Assert.Equal(leaf.ExportCertificatePem() + "\n", (await bed.Bed.GetAsync(path, bed.Arno)).Body.GetValue<string>());
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem((await bed.Bed.GetAsync(path + "?format=chain", bed.Arno)).Body.GetValue<string>());
        Assert.Equal(2, chain.Count);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(bed.Authority.Options.Server.BaseUrl + "/admin/v1/" + path + "?format=der"));
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + bed.Arno);
        Assert.Equal(leaf.RawData, await (await bed.Bed.Http.SendAsync(request)).Content.ReadAsByteArrayAsync());

        await OperatorBed.FillAsync(bed.Authority.Store, 2, "many.test");
        var lines = (await bed.Bed.GetAsync("certificates/export?under=many.test", bed.Arno)).Body.GetValue<string>().TrimEnd().Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.All(lines, l => Assert.EndsWith(".many.test", JsonNode.Parse(l)!["names"]![0]!.GetValue<string>(), StringComparison.Ordinal));
        var (status, refused) = await bed.Bed.GetAsync("certificates/export", bed.Arno);
        Assert.Equal(409, status);
        Assert.StartsWith("More than 2 certificates match (Operators:MaxExport)", Text(refused, "detail"), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Pages_of_certificates_do_not_repeat_and_leave_none_out()
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        var all = await OperatorBed.FillAsync(bed.Authority.Store, 25, "a.test");
        var seen = new List<string>();
        for (string? cursor = null; ;)
        {
            var page = (await bed.Bed.GetAsync("certificates?limit=10" + (cursor is null ? "" : "&cursor=" + cursor), bed.Arno)).Body;
            seen.AddRange(page["items"]!.AsArray().Select(c => Text(c!, "serial")));
            cursor = page["next"]?.GetValue<string>();
            if (cursor is null)
            {
                break;
            }
        }

        Assert.Equal(all, seen.Order(StringComparer.Ordinal));
    }

    [SkippableFact]
    public async Task Certificates_of_before_there_were_searches_are_filled_in()
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        var serials = await OperatorBed.FillAsync(bed.Authority.Store, 3, "old.test");
        await bed.Authority.Store.ReadAsync(
            async db =>
            {
                await db.CertifiedNames.ExecuteDeleteAsync(None);
                return await db.Certificates.ExecuteUpdateAsync(s => s.SetProperty(c => c.Sha256, (string?)null), None);
            },
            None);
        Assert.Empty(await SerialsAsync(bed, "under=old.test"));
        await bed.Authority.RestartAsync();
        Assert.Equal(serials, (await SerialsAsync(bed, "under=old.test")).Order(StringComparer.Ordinal));
        Assert.Single(await SerialsAsync(bed, "fingerprint=" + Convert.ToHexString(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(serials[0])))));
    }
}

public sealed class SqliteCertificateSearchTests() : CertificateSearchTests(StoreKind.Sqlite);

public sealed class PostgreSqlCertificateSearchTests() : CertificateSearchTests(StoreKind.PostgreSql);

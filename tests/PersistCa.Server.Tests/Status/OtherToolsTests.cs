using PersistCa.Testing;

namespace PersistCa.Server.Tests.Status;

/// <summary>What OpenSSL and GnuTLS say of lists and answers.</summary>
public sealed class OtherToolsTests(StatusBed bed) : IClassFixture<StatusBed>
{
    private string Issuer => Path.Combine(bed.Folder, "issuer.pem");

    private string Root => Path.Combine(bed.Folder, "ca", "root.pem");

    [SkippableFact]
    public async Task OpenSSL_accepts_good_revoked_and_unknown_by_get_and_by_post()
    {
        using var client = await bed.Authority.RegisteredAsync();
        var (leaf, _) = await bed.IssueAsync(client);
        var path = bed.Write(leaf);
        foreach (var hash in new[] { "-sha1", "-sha256" })
        {
            foreach (var nonce in new[] { "-nonce", "-no_nonce" })
            {
                await ExpectAsync(": good", "Response verify OK", hash, nonce, "-cert", path);
                await ExpectAsync(": unknown", "Response verify OK", hash, nonce, "-serial", "0x4fffffffffffffffffffffffffffffff");
            }
        }

        await StatusBed.RevokeAsync(client, leaf, 1);
        await ExpectAsync(": revoked", "Reason: keyCompromise", "-sha256", "-no_nonce", "-cert", path);

        // By GET: the question from a file, the answer checked from a file.
        foreach (var (arguments, status) in new (string[], string)[] { (["-cert", path], ": revoked"), (["-serial", "0x4ffffffffffffffffffffffffffffffe"], ": unknown") })
        {
            var (request, response) = (Path.Combine(bed.Folder, "q.der"), Path.Combine(bed.Folder, "a.der"));
            await StatusBed.RunAsync("openssl", ["ocsp", "-issuer", Issuer, .. arguments, "-no_nonce", "-reqout", request]);
            var url = bed.OcspUrl + "/" + Uri.EscapeDataString(Convert.ToBase64String(await File.ReadAllBytesAsync(request)));
            await File.WriteAllBytesAsync(response, await bed.Http.GetByteArrayAsync(new Uri(url)));
            var (exit, output) = await StatusBed.RunAsync("openssl", ["ocsp", "-issuer", Issuer, .. arguments, "-no_nonce", "-respin", response, "-CAfile", Root, "-verify_other", Issuer]);
            Assert.True(exit == 0 && output.Contains(status, StringComparison.Ordinal) && output.Contains("Response verify OK", StringComparison.Ordinal), output);
        }
    }

    [SkippableFact]
    public async Task OpenSSL_accepts_the_whole_list_and_that_of_a_part_and_finds_the_revocation()
    {
        using var client = await bed.Authority.RegisteredAsync();
        var (leaf, _) = await bed.IssueAsync(client);
        var (good, _) = await bed.IssueAsync(client);
        await StatusBed.RevokeAsync(client, leaf, 4);
        await bed.UntilListedAsync(StatusBed.CrlUrl(leaf), leaf);
        var part = await FetchAsync(StatusBed.CrlUrl(leaf));
        var (_, output) = await StatusBed.RunAsync("openssl", "crl", "-in", part, "-CAfile", Issuer, "-noout", "-text");
        Assert.Contains("verify OK", output, StringComparison.Ordinal);
        Assert.Contains("Only User Certificates", output, StringComparison.Ordinal);
        Assert.Contains("Superseded", output, StringComparison.Ordinal);

        foreach (var (certificate, expected) in new[] { (leaf, "certificate revoked"), (good, ": OK") })
        {
            var list = await FetchAsync(StatusBed.CrlUrl(certificate));
            (_, output) = await StatusBed.RunAsync(
                "openssl", "verify", "-CAfile", Root, "-untrusted", Issuer, "-CRLfile", list, "-crl_check", "-extended_crl", bed.Write(certificate));
            Assert.Contains(expected, output, StringComparison.Ordinal);
        }

        await using var single = await RunningAuthority.StartAsync();
        var whole = Path.Combine(bed.Folder, "whole.crl");
        using var http = new HttpClient();
        var id = await single.Store.ReadAsync(db => Task.FromResult(db.Issuers.First().Id), StatusBed.None);
        var (url, issuer) = ($"{single.Options.Server.PublicationUrl}/crl/{id}.crl", Path.Combine(single.Options.Server.DataDirectory, "ca", "issuing.pem"));
        await File.WriteAllBytesAsync(whole, await GetAsync(http, url));
        (_, output) = await StatusBed.RunAsync("openssl", "crl", "-in", whole, "-CAfile", issuer, "-noout", "-text");
        Assert.Contains("verify OK", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Issuing Distribution Point", output, StringComparison.Ordinal);
        (_, output) = await StatusBed.RunAsync("certtool", "--verify-crl", "--infile", await PemAsync(whole), "--load-ca-certificate", issuer);
        Assert.Contains("Verified", output, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task GnuTLS_accepts_answers_and_lists_of_parts()
    {
        using var client = await bed.Authority.RegisteredAsync();
        var (leaf, _) = await bed.IssueAsync(client);
        var path = bed.Write(leaf);
        var (exit, output) = await StatusBed.RunAsync("ocsptool", $"--ask={bed.OcspUrl}", "--load-cert", path, "--load-issuer", Issuer);
        Assert.True(exit == 0 && output.Contains("Certificate Status: good", StringComparison.Ordinal) && output.Contains("Verifying OCSP Response: Success", StringComparison.Ordinal), output);
        await StatusBed.RevokeAsync(client, leaf, 1);
        (_, output) = await StatusBed.RunAsync("ocsptool", $"--ask={bed.OcspUrl}", "--nonce", "--load-cert", path, "--load-issuer", Issuer);
        Assert.Contains("Certificate Status: revoked", output, StringComparison.Ordinal);
        Assert.Contains("Verifying OCSP Response: Success", output, StringComparison.Ordinal);

        await bed.UntilListedAsync(StatusBed.CrlUrl(leaf), leaf);
        var part = await FetchAsync(StatusBed.CrlUrl(leaf));
        (exit, output) = await StatusBed.RunAsync("certtool", "--verify-crl", "--infile", await PemAsync(part), "--load-ca-certificate", Issuer);
        Assert.True(exit == 0 && output.Contains("Verified", StringComparison.Ordinal), output);
    }

    private async Task ExpectAsync(string status, string more, params string[] arguments)
    {
        var (exit, output) = await StatusBed.RunAsync("openssl", ["ocsp", arguments[0], "-issuer", Issuer, .. arguments[2..], arguments[1], "-url", bed.OcspUrl, "-CAfile", Root, "-verify_other", Issuer]);
        Assert.True(exit == 0 && output.Contains(status, StringComparison.Ordinal) && output.Contains(more, StringComparison.Ordinal), output);
    }

    /// <summary>The same list in PEM, since certtool reads both of its files in one form.</summary>
    private static async Task<string> PemAsync(string list)
    {
        var der = await File.ReadAllBytesAsync(list);
        await File.WriteAllTextAsync(list + ".pem", System.Security.Cryptography.PemEncoding.WriteString("X509 CRL", der));
        return list + ".pem";
    }

    private async Task<string> FetchAsync(string url)
    {
        var path = Path.Combine(bed.Folder, url.Split('/')[^1]);
        await File.WriteAllBytesAsync(path, await bed.Http.GetByteArrayAsync(new Uri(url)));
        return path;
    }

    private static Task<byte[]> GetAsync(HttpClient http, string url) => Patience.UntilAsync(
        async () =>
        {
            using var response = await http.GetAsync(new Uri(url));
            return response.IsSuccessStatusCode ? await response.Content.ReadAsByteArrayAsync() : null;
        },
        url);
}

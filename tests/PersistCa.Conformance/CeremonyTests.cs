using System.Text.Json.Nodes;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Testing;

namespace PersistCa.Conformance;

/// <summary>Ceremonies as two people hold them: the executable in an empty folder, judged by OpenSSL, and a server over what came out.</summary>
public sealed class CeremonyTests : IDisposable
{
    private static readonly Dictionary<string, string> Secrets = new() { ["PERSISTCA_PASSPHRASE"] = "of the issuing key", ["PERSISTCA_KEY_PASSPHRASE"] = "of the file" };
    private readonly string folder = Directory.CreateTempSubdirectory("persistca-ceremony-").FullName;

    private string this[string name] => Path.Combine(folder, "ceremony", name);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private async Task<string> RunAsync(int exit, params string[] arguments)
    {
        var (found, output) = await CommandLine.PersistCaAsync(folder, Secrets, arguments);
        Assert.True(found == exit, $"persistca {string.Join(' ', arguments)} ended with {found}: {output}");
        return output;
    }

    private async Task<string> OpenSslAsync(params string[] arguments)
    {
        var (exit, output) = await CommandLine.RunAsync(Requirement.Program("openssl"), folder, Secrets, arguments);
        Assert.True(exit == 0, $"openssl {string.Join(' ', arguments)} ended with {exit}: {output}");
        return output;
    }

    private static string[] Shares(params int[] indexes) => [.. indexes.SelectMany(i => new[] { "--share", Path.Combine("shares", $"share-{i}.txt") })];

    private static JsonObject Configured(string output) =>
        JsonNode.Parse(output.Split('\n').Last(l => l.StartsWith("configure", StringComparison.Ordinal))["configure".Length..])!["Authority"]!["Issuers"]![0]!.AsObject();

    private static IssuerOptions Issuer(JsonObject configured) => new()
    {
        Name = configured["Name"]!.GetValue<string>(),
        CertificateFile = configured["CertificateFile"]!.GetValue<string>(),
        KeyFile = configured["KeyFile"]!.GetValue<string>(),
        ChainFile = configured["ChainFile"]?.GetValue<string>() ?? "",
    };

    private Task<RunningAuthority> ServeAsync(IssuerOptions issuer, string root)
    {
        var passphrase = Path.Combine(folder, "issuing-passphrase");
        File.WriteAllText(passphrase, Secrets["PERSISTCA_PASSPHRASE"]);
        return RunningAuthority.StartAsync(o =>
        {
            o.Authority.Issuers = [issuer];
            o.Authority.PassphraseFile = passphrase;
            o.Authority.RootCertificateFile = root;
        });
    }

    [SkippableFact]
    public async Task A_three_of_five_root_signs_an_issuing_authority_that_a_server_issues_with_while_the_root_key_is_away()
    {
        Requirement.Program("openssl");
        await RunAsync(0, ["ceremony", "root", "--organization", "Example", "--country", "CH", "--threshold", "3", "--shares", "5", "--witness", "Alice", "--witness", "Bob", "--yes"]);
        await RunAsync(0, "ceremony", "request");
        Assert.Contains("there are 2 shares", await RunAsync(2, ["ceremony", "sign", "--yes", .. Shares(1, 2)]), StringComparison.Ordinal);
        Assert.Contains("nobody agreed", await RunAsync(2, ["ceremony", "sign", .. Shares(1, 2, 4)]), StringComparison.Ordinal);
        var signed = await RunAsync(0, ["ceremony", "sign", "--permit", "example.test", "--permit", "localhost", "--yes", .. Shares(5, 2, 4)]);
        var serial = signed.Split('\n').First(l => l.Contains("  serial ", StringComparison.Ordinal)).Split(' ')[^1];
        await RunAsync(0, ["ceremony", "rotate", "--yes", .. Shares(1, 2, 3)]);
        await RunAsync(0, ["ceremony", "crl", "--revoke", serial + "=5", .. Shares(3, 4, 5)]);
        Assert.Contains("share 2 of set", await ForgedAsync(), StringComparison.Ordinal);
        Assert.Contains("verified     6 steps", await RunAsync(0, "ceremony", "verify"), StringComparison.Ordinal);

        // The first is revoked in the list, the second is not.
        Assert.Contains("OK", await OpenSslAsync("verify", "-CAfile", this["root.pem"], this["issuing-1.pem"]), StringComparison.Ordinal);
        Assert.Contains("verify OK", await OpenSslAsync("crl", "-inform", "DER", "-in", this["root-1.crl"], "-CAfile", this["root.pem"], "-noout"), StringComparison.Ordinal);
        await OpenSslAsync("crl", "-inform", "DER", "-in", this["root-1.crl"], "-out", "list.pem");
        await OpenSslAsync("verify", "-CAfile", this["root.pem"], "-crl_check", "-CRLfile", "list.pem", this["issuing-2.pem"]);
        var (exit, said) = await CommandLine.RunAsync(Requirement.Program("openssl"), folder, Secrets, ["verify", "-CAfile", this["root.pem"], "-crl_check", "-CRLfile", "list.pem", this["issuing-1.pem"]]);
        Assert.True(exit != 0 && said.Contains("certificate revoked", StringComparison.Ordinal), said);

        // The server never needs the root's key.
        var key = await RunAsync(0, "ceremony", "verify");
        var fingerprint = key.Split('\n').First(l => l.Contains("root         key sha-256", StringComparison.Ordinal)).Split("sha-256 ")[1].Split(' ')[0];
        Assert.Contains("nothing was destroyed", await RunAsync(2, ["ceremony", "destroy", "--key", "file:root", "--confirm", serial, .. Shares(1, 2, 3)]), StringComparison.Ordinal);
        await RunAsync(0, ["ceremony", "destroy", "--key", "file:root", "--confirm", fingerprint, .. Shares(1, 2, 3)]);
        Assert.False(File.Exists(this["root.key.pem"]));
        Assert.Contains("verified     7 steps", await RunAsync(0, "ceremony", "verify"), StringComparison.Ordinal);

        var issuer = new IssuerOptions { Name = "issuing-2", CertificateFile = this["issuing-2.pem"], KeyFile = this["issuing-2.key.pem"], ChainFile = this["root.pem"] };
        await using var authority = await ServeAsync(issuer, this["root.pem"]);
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "www.example.test", PersistDialect.Draft02);
        var leaf = Path.Combine(folder, "leaf.pem");
        await File.WriteAllTextAsync(leaf, await client.IssueAsync("dns-persist-01", "www.example.test"));
        await OpenSslAsync("verify", "-CAfile", this["root.pem"], "-untrusted", this["issuing-2.pem"], "-verify_hostname", "www.example.test", leaf);
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync(["www.example.org"], CancellationToken.None));
        Assert.Equal("rejectedIdentifier", refused.Answer.Problem);

        async Task<string> ForgedAsync()
        {
            var other = Path.Combine(folder, "other");
            await RunAsync(0, "ceremony", "root", "--folder", other, "--shares-to", Path.Combine(other, "shares"), "--organization", "Other", "--threshold", "3", "--shares", "5", "--yes");
            return await RunAsync(2, ["ceremony", "shares", .. Shares(1), "--share", Path.Combine(other, "shares", "share-2.txt"), .. Shares(3)]);
        }
    }

    [SkippableFact]
    public async Task A_flipped_byte_in_a_ceremonys_folder_is_named_by_verify()
    {
        await RunAsync(0, "ceremony", "root", "--organization", "Example", "--threshold", "2", "--shares", "2", "--yes");
        var text = await File.ReadAllTextAsync(this["root.pem"]);
        await File.WriteAllTextAsync(this["root.pem"], text + "\n");
        Assert.Contains("differs      001-root.json: the file root.pem is not the one", await RunAsync(1, "ceremony", "verify"), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task An_issuer_of_a_foreign_root_is_imported_and_its_constraints_are_obeyed()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "ca.cnf"), """
            [req]
            distinguished_name = dn
            [dn]
            [root]
            basicConstraints = critical,CA:TRUE
            keyUsage = critical,keyCertSign,cRLSign
            subjectKeyIdentifier = hash
            [issuing]
            basicConstraints = critical,CA:TRUE,pathlen:0
            keyUsage = critical,keyCertSign,cRLSign
            subjectKeyIdentifier = hash
            authorityKeyIdentifier = keyid
            extendedKeyUsage = serverAuth
            nameConstraints = critical,permitted;DNS:corp.test,permitted;DNS:localhost,excluded;DNS:secret.corp.test,excluded;IP:10.0.0.0/255.0.0.0
            """);
        await OpenSslAsync("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out", "root.pem", "-sha512", "-days", "3650", "-subj", "/O=Foreign/CN=Foreign Root", "-config", "ca.cnf", "-extensions", "root");
        await OpenSslAsync("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "issuing.key", "-out", "issuing.csr", "-subj", "/O=Foreign/CN=Foreign Issuing", "-config", "ca.cnf");
        await OpenSslAsync("x509", "-req", "-in", "issuing.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-sha384", "-days", "1825", "-extfile", "ca.cnf", "-extensions", "issuing", "-out", "issuing.pem");
        await OpenSslAsync("pkcs12", "-export", "-inkey", "issuing.key", "-in", "issuing.pem", "-certfile", "root.pem", "-passout", "env:PERSISTCA_KEY_PASSPHRASE", "-out", "issuing.p12");

        Assert.Contains("the chain ends before a root", await RunAsync(2, "issuer", "import", "--name", "foreign", "--certificate", "issuing.pem", "--key", "issuing.key"), StringComparison.Ordinal);
        Assert.Contains("their public keys differ", await RunAsync(2, "issuer", "import", "--name", "foreign", "--certificate", "issuing.pem", "--chain", "root.pem", "--key", "root.key"), StringComparison.Ordinal);
        Assert.Contains("it is a root's", await RunAsync(2, "issuer", "import", "--name", "foreign", "--certificate", "root.pem", "--key", "root.key"), StringComparison.Ordinal);
        var imported = await RunAsync(0, "issuer", "import", "--name", "foreign", "--pkcs12", "issuing.p12");
        Assert.Contains("--name", await RunAsync(2, "issuer", "import", "--name", "foreign", "--pkcs12", "issuing.p12"), StringComparison.Ordinal);
        var issuer = Issuer(Configured(imported));
        issuer.CertificateFile = Path.Combine(folder, issuer.CertificateFile);
        issuer.KeyFile = Path.Combine(folder, issuer.KeyFile);
        Assert.Contains("ENCRYPTED", await File.ReadAllTextAsync(issuer.KeyFile), StringComparison.Ordinal);

        await using var authority = await ServeAsync(issuer, Path.Combine(folder, "root.pem"));
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "www.corp.test", PersistDialect.Draft02);
        var leaf = Path.Combine(folder, "leaf.pem");
        await File.WriteAllTextAsync(leaf, await client.IssueAsync("dns-persist-01", "www.corp.test"));
        await OpenSslAsync("verify", "-CAfile", "root.pem", "-untrusted", issuer.CertificateFile, "-verify_hostname", "www.corp.test", leaf);
        foreach (var outside in new[] { "www.corp.example", "a.secret.corp.test" })
        {
            var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync([outside], CancellationToken.None));
            Assert.Equal("rejectedIdentifier", refused.Answer.Problem);
        }
    }

    [Fact]
    public async Task Init_gives_constraints_and_path_length_and_moves_the_root_key_out()
    {
        await RunAsync(0, "init", "--permit", "example.test", "--exclude", "10.0.0.0/8", "--path-length", "1", "--export-root", "root-away.pem");
        Assert.False(File.Exists(Path.Combine(folder, "data", "ca", "root.key.pem")));
        Assert.Contains("ENCRYPTED", await File.ReadAllTextAsync(Path.Combine(folder, "root-away.pem")), StringComparison.Ordinal);
        Assert.Contains("'10.0.0.1/8' is no network", await RunAsync(2, "init", "--data", "other", "--permit", "10.0.0.1/8"), StringComparison.Ordinal);
        Assert.Contains("--path-length", await RunAsync(2, "init", "--data", "other", "--path-length", "0"), StringComparison.Ordinal);
    }
}

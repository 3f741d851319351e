using System.Text.Json.Nodes;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Testing;

namespace PersistCa.Conformance;

/// <summary>Ceremonies as two people hold them: the executable in an empty folder, judged by OpenSSL, and a server over what came out.</summary>
public sealed class CeremonyTests : IDisposable
{
    private readonly CeremonyRoom room = CeremonyRoom.Open();

    public void Dispose() => room.Dispose();

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
        var passphrase = Path.Combine(room.Folder, "issuing-passphrase");
        File.WriteAllText(passphrase, CeremonyRoom.IssuingPassphrase);
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
        await room.RunAsync(0, ["ceremony", "root", "--organization", "Example", "--country", "CH", "--threshold", "3", "--shares", "5", "--witness", "Alice", "--witness", "Bob", "--yes"]);
        await room.RunAsync(0, "ceremony", "request");
        Assert.Contains("there are 2 shares", await room.RunAsync(2, ["ceremony", "sign", "--yes", .. CeremonyRoom.Shares(1, 2)]), StringComparison.Ordinal);
        Assert.Contains("nobody agreed", await room.RunAsync(2, ["ceremony", "sign", .. CeremonyRoom.Shares(1, 2, 4)]), StringComparison.Ordinal);
        var signed = await room.RunAsync(0, ["ceremony", "sign", "--permit", "example.test", "--permit", "localhost", "--yes", .. CeremonyRoom.Shares(5, 2, 4)]);
        var serial = signed.Split('\n').First(l => l.Contains("  serial ", StringComparison.Ordinal)).Split(' ')[^1];
        await room.RunAsync(0, ["ceremony", "rotate", "--yes", .. CeremonyRoom.Shares(1, 2, 3)]);
        await room.RunAsync(0, ["ceremony", "crl", "--revoke", serial + "=cessationOfOperation", .. CeremonyRoom.Shares(3, 4, 5)]);
        Assert.Contains("share 2 of set", await ForgedAsync(), StringComparison.Ordinal);
        Assert.Contains("verified     6 steps", await room.RunAsync(0, "ceremony", "verify"), StringComparison.Ordinal);

        // The first is revoked in the list, the second is not.
        Assert.Contains("OK", await room.OpenSslAsync("verify", "-CAfile", room["root.pem"], room["issuing-1.pem"]), StringComparison.Ordinal);
        Assert.Contains("verify OK", await room.OpenSslAsync("crl", "-inform", "DER", "-in", room["root-1.crl"], "-CAfile", room["root.pem"], "-noout"), StringComparison.Ordinal);
        await room.OpenSslAsync("crl", "-inform", "DER", "-in", room["root-1.crl"], "-out", "list.pem");
        await room.OpenSslAsync("verify", "-CAfile", room["root.pem"], "-crl_check", "-CRLfile", "list.pem", room["issuing-2.pem"]);
        var (exit, said) = await CommandLine.RunAsync(Requirement.Program("openssl"), room.Folder, room.Variables, ["verify", "-CAfile", room["root.pem"], "-crl_check", "-CRLfile", "list.pem", room["issuing-1.pem"]]);
        Assert.True(exit != 0 && said.Contains("certificate revoked", StringComparison.Ordinal), said);

        // The server never needs the root's key.
        var key = await room.RunAsync(0, "ceremony", "verify");
        var fingerprint = key.Split('\n').First(l => l.Contains("root         key sha-256", StringComparison.Ordinal)).Split("sha-256 ")[1].Split(' ')[0];
        Assert.Contains("nothing was destroyed", await room.RunAsync(2, ["ceremony", "destroy", "--key", "file:root", "--confirm", serial, .. CeremonyRoom.Shares(1, 2, 3)]), StringComparison.Ordinal);
        await room.RunAsync(0, ["ceremony", "destroy", "--key", "file:root", "--confirm", fingerprint, .. CeremonyRoom.Shares(1, 2, 3)]);
        Assert.False(File.Exists(room["root.key.pem"]));
        Assert.Contains("verified     7 steps", await room.RunAsync(0, "ceremony", "verify"), StringComparison.Ordinal);

        var issuer = new IssuerOptions { Name = "issuing-2", CertificateFile = room["issuing-2.pem"], KeyFile = room["issuing-2.key.pem"], ChainFile = room["root.pem"] };
        await using var authority = await ServeAsync(issuer, room["root.pem"]);
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "www.example.test", PersistDialect.Draft02);
        var leaf = Path.Combine(room.Folder, "leaf.pem");
        await File.WriteAllTextAsync(leaf, await client.IssueAsync("dns-persist-01", "www.example.test"));
        await room.OpenSslAsync("verify", "-CAfile", room["root.pem"], "-untrusted", room["issuing-2.pem"], "-verify_hostname", "www.example.test", leaf);
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync(["www.example.org"], CancellationToken.None));
        Assert.Equal("rejectedIdentifier", refused.Answer.Problem);

        async Task<string> ForgedAsync()
        {
            var other = Path.Combine(room.Folder, "other");
            await room.RunAsync(0, "ceremony", "root", "--folder", other, "--shares-to", Path.Combine(other, "shares"), "--organization", "Other", "--threshold", "3", "--shares", "5", "--yes");
            return await room.RunAsync(2, ["ceremony", "shares", .. CeremonyRoom.Shares(1), "--share", Path.Combine(other, "shares", "share-2.txt"), .. CeremonyRoom.Shares(3)]);
        }
    }

    [SkippableFact]
    public async Task A_flipped_byte_in_a_ceremonys_folder_is_named_by_verify()
    {
        await room.RunAsync(0, "ceremony", "root", "--organization", "Example", "--threshold", "2", "--shares", "2", "--yes");
        var text = await File.ReadAllTextAsync(room["root.pem"]);
        await File.WriteAllTextAsync(room["root.pem"], text + "\n");
        Assert.Contains("differs      001-root.json: the file root.pem is not the one", await room.RunAsync(1, "ceremony", "verify"), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task An_issuer_of_a_foreign_root_is_imported_and_its_constraints_are_obeyed()
    {
        await File.WriteAllTextAsync(Path.Combine(room.Folder, "ca.cnf"), """
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
        await room.OpenSslAsync("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out", "root.pem", "-sha512", "-days", "3650", "-subj", "/O=Foreign/CN=Foreign Root", "-config", "ca.cnf", "-extensions", "root");
        await room.OpenSslAsync("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "issuing.key", "-out", "issuing.csr", "-subj", "/O=Foreign/CN=Foreign Issuing", "-config", "ca.cnf");
        await room.OpenSslAsync("x509", "-req", "-in", "issuing.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-sha384", "-days", "1825", "-extfile", "ca.cnf", "-extensions", "issuing", "-out", "issuing.pem");
        await room.OpenSslAsync("pkcs12", "-export", "-inkey", "issuing.key", "-in", "issuing.pem", "-certfile", "root.pem", "-passout", "env:PERSISTCA_KEY_PASSPHRASE", "-out", "issuing.p12");

        Assert.Contains("the chain ends before a root", await room.RunAsync(2, "issuer", "import", "--name", "foreign", "--certificate", "issuing.pem", "--key", "issuing.key"), StringComparison.Ordinal);
        Assert.Contains("their public keys differ", await room.RunAsync(2, "issuer", "import", "--name", "foreign", "--certificate", "issuing.pem", "--chain", "root.pem", "--key", "root.key"), StringComparison.Ordinal);
        Assert.Contains("it is a root's", await room.RunAsync(2, "issuer", "import", "--name", "foreign", "--certificate", "root.pem", "--key", "root.key"), StringComparison.Ordinal);
        var imported = await room.RunAsync(0, "issuer", "import", "--name", "foreign", "--pkcs12", "issuing.p12");
        Assert.Contains("--name", await room.RunAsync(2, "issuer", "import", "--name", "foreign", "--pkcs12", "issuing.p12"), StringComparison.Ordinal);
        var issuer = Issuer(Configured(imported));
        issuer.CertificateFile = Path.Combine(room.Folder, issuer.CertificateFile);
        issuer.KeyFile = Path.Combine(room.Folder, issuer.KeyFile);
        Assert.Contains("ENCRYPTED", await File.ReadAllTextAsync(issuer.KeyFile), StringComparison.Ordinal);

        await using var authority = await ServeAsync(issuer, Path.Combine(room.Folder, "root.pem"));
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "www.corp.test", PersistDialect.Draft02);
        var leaf = Path.Combine(room.Folder, "leaf.pem");
        await File.WriteAllTextAsync(leaf, await client.IssueAsync("dns-persist-01", "www.corp.test"));
        await room.OpenSslAsync("verify", "-CAfile", "root.pem", "-untrusted", issuer.CertificateFile, "-verify_hostname", "www.corp.test", leaf);
        foreach (var outside in new[] { "www.corp.example", "a.secret.corp.test" })
        {
            var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync([outside], CancellationToken.None));
            Assert.Equal("rejectedIdentifier", refused.Answer.Problem);
        }
    }

    [Fact]
    public async Task Init_gives_constraints_and_path_length_and_moves_the_root_key_out()
    {
        await room.RunAsync(0, "init", "--permit", "example.test", "--exclude", "10.0.0.0/8", "--path-length", "1", "--export-root", "root-away.pem");
        Assert.False(File.Exists(Path.Combine(room.Folder, "data", "ca", "root.key.pem")));
        Assert.Contains("ENCRYPTED", await File.ReadAllTextAsync(Path.Combine(room.Folder, "root-away.pem")), StringComparison.Ordinal);
        Assert.Contains("'10.0.0.1/8' is no network", await room.RunAsync(2, "init", "--data", "other", "--permit", "10.0.0.1/8"), StringComparison.Ordinal);
        Assert.Contains("--path-length", await room.RunAsync(2, "init", "--data", "other", "--path-length", "0"), StringComparison.Ordinal);
    }
}

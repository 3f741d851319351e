using PersistCa.Protocol.Records;
using PersistCa.Server.Hosting;
using PersistCa.Testing;

namespace PersistCa.Conformance;

/// <summary>A ceremony from the root to its end with every key in one store.</summary>
public abstract class CeremonyStoreTests : IAsyncLifetime
{
    private CeremonyRoom room = null!;

    private protected CeremonyRoom Room => room;

    /// <summary>Where a key of a name is.</summary>
    protected abstract string Reference(string name);

    /// <summary>Leads a server to the store.</summary>
    protected abstract void Use(PersistCaOptions options);

    /// <summary>What a command says of a key that was destroyed.</summary>
    protected abstract string Gone { get; }

    public virtual Task InitializeAsync()
    {
        room = CeremonyRoom.Open();
        return Task.CompletedTask;
    }

    public virtual Task DisposeAsync()
    {
        room.Dispose();
        return Task.CompletedTask;
    }

    [SkippableFact]
    public async Task A_ceremony_with_every_key_in_the_store_is_held_and_replayed_and_a_server_issues_below_it()
    {
        string[] root = ["--root-key", Reference("root")];
        await room.StepAsync(0, ["root", "--organization", "Example", "--algorithm", "p384", "--witness", "Alice", "--yes", .. root]);
        await room.StepAsync(0, "request", "--key", Reference("issuing-1"));
        var signed = await room.StepAsync(0, ["sign", "--yes", .. root]);
        Assert.Contains($"\"Key\":\"{Reference("issuing-1")}\"", signed, StringComparison.Ordinal);
        await room.StepAsync(0, ["rotate", "--algorithm", "rsa2048", "--key", Reference("issuing-2"), "--yes", .. root]);
        await room.StepAsync(0, ["crl", "--revoke", CeremonyRoom.Said(signed, "serial") + "=cACompromise", .. root]);

        var other = Path.Combine(room.Folder, "other");
        room.Variables["PERSISTCA_ROOT_PASSPHRASE"] = "of the other root's key";
        await room.StepAsync(0, "root", "--folder", other, "--organization", "Other", "--yes");
        await room.StepAsync(0, ["cross-sign", "--name", "bridge", "--certificate", Path.Combine(other, "root.pem"), "--yes", .. root]);

        // Nobody takes a key that is there for a new one.
        Assert.Contains("never overwritten", await room.StepAsync(2, "request", "--name", "issuing-3", "--key", Reference("issuing-1")), StringComparison.Ordinal);
        Assert.Contains("verified     7 steps", await room.RunAsync(0, "ceremony", "verify"), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(room.Folder, "ceremony"), "*.key.pem"));

        await room.OpenSslAsync("verify", "-CAfile", room["root.pem"], room["issuing-1.pem"], room["issuing-2.pem"], room["bridge.pem"]);
        Assert.Contains("CA Compromise", await room.OpenSslAsync("crl", "-inform", "DER", "-in", room["root-1.crl"], "-CAfile", room["root.pem"], "-noout", "-text"), StringComparison.Ordinal);
        await IssueAsync();

        var fingerprint = (await room.RunAsync(0, "ceremony", "verify")).Split('\n').First(l => l.Contains("root         key sha-256", StringComparison.Ordinal)).Split("sha-256 ")[1].Split(' ')[0];
        await room.StepAsync(0, ["destroy", "--key", Reference("root"), "--confirm", fingerprint]);
        Assert.Contains(Gone, await room.StepAsync(2, ["crl", .. root]), StringComparison.Ordinal);
        Assert.Contains("verified     8 steps", await room.RunAsync(0, "ceremony", "verify"), StringComparison.Ordinal);
    }

    private async Task IssueAsync()
    {
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            o.Authority.Issuers = [new IssuerOptions { Name = "issuing-2", CertificateFile = room["issuing-2.pem"], Key = Reference("issuing-2"), ChainFile = room["root.pem"] }];
            o.Authority.RootCertificateFile = room["root.pem"];
            Use(o);
        });
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "www.example.test", PersistDialect.Draft02);
        var leaf = Path.Combine(room.Folder, "leaf.pem");
        await File.WriteAllTextAsync(leaf, await client.IssueAsync("dns-persist-01", "www.example.test"));
        await room.OpenSslAsync("verify", "-CAfile", room["root.pem"], "-untrusted", room["issuing-2.pem"], "-verify_hostname", "www.example.test", leaf);
    }
}

/// <summary>In a token of SoftHSM.</summary>
public sealed class TokenCeremonyTests : CeremonyStoreTests
{
    private SoftHsm hsm = null!;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        hsm = SoftHsm.Create();
        foreach (var (name, value) in hsm.Variables)
        {
            Room.Variables[name] = value;
        }

        Room.Settings.AddRange(["--set", "KeyStores:Pkcs11:Module=" + hsm.Module, "--set", "KeyStores:Pkcs11:PinFile=" + hsm.PinFile]);
    }

    public override async Task DisposeAsync()
    {
        hsm?.Dispose();
        await base.DisposeAsync();
    }

    [SkippableFact]
    public async Task Shares_are_not_dealt_of_a_key_in_a_token()
    {
        Assert.Contains("in no file", await Room.StepAsync(2, "root", "--organization", "Example", "--root-key", Reference("root"), "--threshold", "2", "--shares", "3", "--yes"), StringComparison.Ordinal);
        Assert.Contains("in no file", await Room.StepAsync(2, "deal", "--root-key", Reference("root"), "--threshold", "2", "--shares", "3", "--yes"), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_root_that_nobody_agreed_to_leaves_no_key_in_the_token()
    {
        Assert.Contains("nobody agreed", await Room.StepAsync(2, "root", "--organization", "Example", "--root-key", Reference("root")), StringComparison.Ordinal);
        using var store = hsm.Store();
        Assert.Empty((await store.ListAsync(CancellationToken.None)).Value!);
    }

    protected override string Gone => "0 keys named root";

    protected override string Reference(string name) => hsm.Reference(name);

    protected override void Use(PersistCaOptions options)
    {
        options.KeyStores.Pkcs11.Module = hsm.Module;
        options.KeyStores.Pkcs11.PinFile = hsm.PinFile;
    }
}

/// <summary>In AWS KMS, by a double of it.</summary>
public sealed class KmsCeremonyTests : CeremonyStoreTests
{
    private KmsDouble service = null!;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        service = await KmsDouble.StartAsync();
        foreach (var variable in new[] { "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED" })
        {
            Room.Variables[variable] = Environment.GetEnvironmentVariable(variable)!;
        }

        Room.Settings.AddRange(["--set", "KeyStores:Kms:Endpoint=" + service.Endpoint, "--set", "KeyStores:Kms:Region=eu-central-1"]);
    }

    public override async Task DisposeAsync()
    {
        await service.DisposeAsync();
        await base.DisposeAsync();
    }

    protected override string Gone => "KMS has no key alias/root";

    protected override string Reference(string name) => "aws-kms:alias/" + name;

    protected override void Use(PersistCaOptions options)
    {
        options.KeyStores.Kms.Endpoint = service.Endpoint;
        options.KeyStores.Kms.Region = "eu-central-1";
    }
}

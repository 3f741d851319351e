using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Workers;

/// <summary>Issuance with the issuing key in each store, and what happens to orders while the store is away.</summary>
public sealed class KeyStoreTests
{
    private static CancellationToken None => CancellationToken.None;

    [SkippableTheory]
    [InlineData("file")]
    [InlineData("pkcs11")]
    [InlineData("aws-kms")]
    public async Task The_same_order_is_issued_with_the_key_in(string store)
    {
        var openssl = Requirement.Program("openssl");
        using var hsm = store == "pkcs11" ? SoftHsm.Create() : null;
        await using var kms = await KmsDouble.StartAsync();
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            o.Authority.IssuingKey = store switch { "file" => "file:issuing", "pkcs11" => hsm!.Reference("issuing"), _ => "aws-kms:alias/issuing" };
            o.KeyStores.Kms.Endpoint = kms.Endpoint;
            o.KeyStores.Kms.Region = "eu-central-1";
            if (hsm is not null)
            {
                Use(o, hsm);
            }
        });
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.example.test", PersistDialect.Draft01);
        var chain = await client.IssueAsync("dns-persist-01", "a.example.test");

        var folder = Directory.CreateTempSubdirectory("persistca-chain-");
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "root.pem"), authority.RootPem);
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "chain.pem"), chain);
        using var process = Process.Start(new ProcessStartInfo(openssl, ["verify", "-CAfile", "root.pem", "-untrusted", "chain.pem", "-verify_hostname", "a.example.test", "chain.pem"])
        {
            WorkingDirectory = folder.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var said = await process.StandardOutput.ReadToEndAsync() + await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        folder.Delete(recursive: true);
        Assert.True(process.ExitCode == 0, said);
        Assert.Equal(store == "aws-kms", kms.MessageTypes.Contains("DIGEST"));
        Assert.Equal(store == "file", File.Exists(Path.Combine(AuthorityFiles.Folder(authority.Options), "issuing.key.pem")));
    }

    [SkippableFact]
    public async Task Orders_wait_for_a_token_that_was_pulled_and_all_are_issued_when_it_is_back()
    {
        using var hsm = SoftHsm.Create();
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            Use(o, hsm);
            o.Authority.IssuingKey = hsm.Reference("issuing");
            o.Server.MaxWorkAttempts = 2; // more attempts will be made, none of which may count
            o.Acme.FinalizeWait = TimeSpan.Zero;
        });
        using var client = await authority.RegisteredAsync();
        var names = Enumerable.Range(0, 6).Select(i => $"n{i}.example.test").ToArray();
        var orders = new List<AcmeAnswer>();
        foreach (var name in names)
        {
            authority.Publish(client, name, PersistDialect.Draft01);
            orders.Add(await client.ReadyOrderAsync("dns-persist-01", name));
        }

        await FinalizeAsync(client, orders[0], names[0]);
        Assert.Equal("valid", (await client.PollAsync(orders[0].Location!, ["processing"], TimeProvider.System, None)).Json["status"]!.GetValue<string>());

        hsm.Pull();
        await ReadyAsync(authority, false);
        for (var i = 1; i < names.Length; i++)
        {
            await FinalizeAsync(client, orders[i], names[i]);
        }

        // Until each has been tried more often than MaxWorkAttempts, had it counted: the pauses are half a second at first.
        await UntilAsync(async () => await authority.Store.ReadAsync(db => db.Certificates.CountAsync(c => c.Status == CertificateStatus.Intended), None) == names.Length - 1);
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
        foreach (var order in orders.Skip(1))
        {
            Assert.Equal("processing", (await client.FetchAsync(order.Location!, None)).Json["status"]!.GetValue<string>());
        }

        Assert.False(await IsReadyAsync(authority));

        hsm.PutBack();
        foreach (var order in orders)
        {
            Assert.Equal("valid", (await client.PollAsync(order.Location!, ["processing"], TimeProvider.System, None)).Json["status"]!.GetValue<string>());
        }

        await ReadyAsync(authority, true);
        var serials = await authority.Store.ReadAsync(db => db.Certificates.Select(c => c.Serial).ToListAsync(), None);
        Assert.Equal(names.Length, serials.Count);
        Assert.Equal(names.Length, serials.Distinct().Count());
        Assert.Equal(names.Length, await authority.Store.ReadAsync(db => db.Certificates.CountAsync(c => c.Status == CertificateStatus.Issued), None));
    }

    [SkippableFact]
    public async Task A_server_whose_token_is_away_at_the_start_does_not_start()
    {
        using var hsm = SoftHsm.Create();
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            Use(o, hsm);
            o.Authority.IssuingKey = hsm.Reference("issuing");
        });
        authority.Options.KeyStores.Pkcs11.PinFile = "/nowhere/pin";
        var refused = await Assert.ThrowsAsync<StartRefusedException>(authority.RestartAsync);
        Assert.Contains("Authority:IssuingKey: the PIN's file /nowhere/pin cannot be read", refused.Message, StringComparison.Ordinal);
        authority.Options.KeyStores.Pkcs11.PinFile = hsm.PinFile;
        await authority.RestartAsync();
    }

    private static void Use(PersistCaOptions options, SoftHsm hsm)
    {
        options.KeyStores.Pkcs11.Module = hsm.Module;
        options.KeyStores.Pkcs11.PinFile = hsm.PinFile;
        options.KeyStores.Pkcs11.LongestPause = TimeSpan.FromMilliseconds(300);
        options.KeyStores.ProbeInterval = TimeSpan.FromMilliseconds(200);
    }

    private static async Task FinalizeAsync(AcmeClient client, AcmeAnswer order, string name)
    {
        var (csr, key) = RunningAuthority.Csr(name);
        key.Dispose();
        await client.PostAsync(order.Json["finalize"]!.GetValue<string>(), $$"""{"csr":"{{System.Buffers.Text.Base64Url.EncodeToString(csr)}}"}""", None);
    }

    private static Task ReadyAsync(RunningAuthority authority, bool ready) => UntilAsync(async () => await IsReadyAsync(authority) == ready);

    private static async Task<bool> IsReadyAsync(RunningAuthority authority)
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri($"http://{authority.Options.Server.ListenPublication}/health/ready"));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode || text.StartsWith("the key store is away (pkcs11: ", StringComparison.Ordinal), text);
        return answer.IsSuccessStatusCode;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
        }
    }
}

using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Demo;

/// <summary>The demonstration: an account, a record, and a certificate, by the same doors that any client uses.</summary>
internal sealed class DemoRun(PersistCaOptions options, LoopbackZone zone, string passphrase, TextWriter output, TimeProvider clock)
{
    /// <summary>The name that the demonstration gets a certificate for.</summary>
    public const string Name = "www.demo.test";

    private readonly long began = clock.GetTimestamp();

    /// <summary>Runs it.</summary>
    /// <returns>Null when the certificate was verified, else what went wrong.</returns>
    public async Task<string?> RunAsync(CancellationToken cancel)
    {
        var rootPem = await File.ReadAllTextAsync(AuthorityFiles.RootCertificate(options), cancel);
        using var client = new AcmeClient(RootTrust.Client(rootPem), options.Server.BaseUrl + AuthorityUrls.Paths.Directory, AccountKey());
        try
        {
            return await RunAsync(client, rootPem, cancel);
        }
        catch (AcmeRefusedException e)
        {
            return "the server refused: " + e.Message;
        }
    }

    private async Task<string?> RunAsync(AcmeClient client, string rootPem, CancellationToken cancel)
    {
        var registered = await client.RegisterAsync(cancel);
        Say($"account     {client.AccountUrl} ({(registered.Status == 201 ? "registered" : "found again")})");

        var name = DnsName.Parse(Name).Value!;
        var id = client.AccountUrl!.Split('/')[^1];
        var record = RecordText.For(
            PersistDialect.Draft02,
            name,
            new AccountFacts(id, client.AccountUrl!, [client.Thumbprint], IsValid: true),
            AuthorityRegistration.Policy(options),
            wildcard: false,
            clock.GetUtcNow() + TimeSpan.FromDays(365));
        zone.SetTxt(record.Owner, record.Value);
        Say($"record      {record.Owner} TXT \"{record.Value}\"");
        Say("            published once: every certificate for this name, by this account, rests on it until it ends");

        var order = await client.OrderAsync([Name], cancel);
        Say($"order       {order.Location} for {Name}");
        var authorization = await client.FetchAsync(order.Json["authorizations"]![0]!.GetValue<string>(), cancel);
        if (authorization.Json["status"]!.GetValue<string>() == "valid")
        {
            Say("validated   earlier: the authorization is still good");
        }
        else
        {
            var challenge = authorization.Json["challenges"]!.AsArray().First(c => c!["type"]!.GetValue<string>() == "dns-persist-01")!;
            await client.PostAsync(challenge["url"]!.GetValue<string>(), "{}", cancel);
            authorization = await client.PollAsync(order.Json["authorizations"]![0]!.GetValue<string>(), ["pending"], clock, cancel);
            if (authorization.Json["status"]!.GetValue<string>() != "valid")
            {
                return "the validation failed: " + authorization.Body;
            }

            Say("validated   by dns-persist-01, from a real look-up of the record");
        }

        return await FinishAsync(client, order, rootPem, cancel);
    }

    private async Task<string?> FinishAsync(AcmeClient client, AcmeAnswer order, string rootPem, CancellationToken cancel)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(Name);
        request.CertificateExtensions.Add(names.Build());
        var csr = Base64Url.EncodeToString(request.CreateSigningRequest());
        await client.PostAsync(order.Json["finalize"]!.GetValue<string>(), new JsonObject { ["csr"] = csr }.ToJsonString(), cancel);
        var final = await client.PollAsync(order.Location!, ["processing"], clock, cancel);
        if (final.Json["certificate"]?.GetValue<string>() is not { } url)
        {
            return "the order failed: " + final.Body;
        }

        Say("finalized   the order is valid");
        var chain = (await client.FetchAsync(url, cancel)).Body;
        if (RootTrust.Verify(chain, rootPem, Name) is { } reason)
        {
            return "the chain does not verify: " + reason;
        }

        var folder = Path.Combine(options.Server.DataDirectory, "demo");
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, Name + ".pem");
        await File.WriteAllTextAsync(path, chain, cancel);
        using var leaf = X509Certificate2.CreateFromPem(chain);
        Say($"certificate {leaf.SerialNumber.ToLowerInvariant()}, until {leaf.NotAfter.ToUniversalTime():yyyy-MM-dd}; chain verified up to the root; saved as {path}");
        return null;
    }

    private ECDsa AccountKey()
    {
        var folder = Path.Combine(options.Server.DataDirectory, "demo");
        var path = Path.Combine(folder, "account.key.pem");
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (File.Exists(path))
        {
            key.ImportFromEncryptedPem(File.ReadAllText(path), passphrase);
            return key;
        }

        Directory.CreateDirectory(folder);
        File.WriteAllText(path, key.ExportEncryptedPkcs8PrivateKeyPem(passphrase, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 100_000)) + "\n");
        return key;
    }

    private void Say(string text) => output.WriteLine($"{clock.GetElapsedTime(began).TotalSeconds,7:0.000} s  {text}");
}

using System.Buffers.Text;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Status;

/// <summary>An authority whose certificates have OCSP and lists in parts, and the ways of whoever asks what became of them.</summary>
public sealed class StatusBed : IAsyncLifetime
{
    private int names;

    public RunningAuthority Authority { get; private set; } = null!;

    /// <summary>For the publication door.</summary>
    public HttpClient Http { get; } = new();

    public static CancellationToken None => CancellationToken.None;

    public string OcspUrl => Authority.Options.Server.PublicationUrl + "/ocsp/" + IssuerId;

    public string IssuerId { get; private set; } = "";

    public string Folder => Authority.Options.Server.DataDirectory;

    public static void Configure(PersistCaOptions options)
    {
        options.Issuance.Ocsp.Enabled = true;
        options.Issuance.CrlShards = 4;
    }

    public async Task InitializeAsync()
    {
        Authority = await RunningAuthority.StartAsync(Configure);
        IssuerId = await Authority.Store.ReadAsync(db => Task.FromResult(db.Issuers.First().Id), None);
        await File.WriteAllTextAsync(Path.Combine(Folder, "issuer.pem"), await IssuerPemAsync());
    }

    public async Task DisposeAsync()
    {
        Http.Dispose();
        await Authority.DisposeAsync();
    }

    /// <summary>A name that no other test uses.</summary>
    public string Fresh() => $"s{Interlocked.Increment(ref names)}.example.test";

    /// <summary>Issues a certificate for names that are published for the client.</summary>
    public async Task<(X509Certificate2 Leaf, ECDsa Key)> IssueAsync(AcmeClient client, string[]? wanted = null, ECDsa? key = null)
    {
        wanted ??= [Fresh()];
        foreach (var name in wanted)
        {
            Authority.Publish(client, name, PersistDialect.Draft02);
        }

        key ??= ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var order = await client.ReadyOrderAsync("dns-persist-01", wanted);
        var final = await client.FinalizeAsync(order, RunningAuthority.Csr(key, wanted));
        return (X509Certificate2.CreateFromPem((await client.FetchAsync(final.Json["certificate"]!.GetValue<string>(), None)).Body), key);
    }

    /// <summary>Asks for a revocation; the status and the problem, if there is one.</summary>
    public static async Task<(int Status, string? Problem)> RevokeAsync(AcmeClient client, X509Certificate2 leaf, int? reason = null, bool bareKey = false)
    {
        var payload = $$"""{"certificate":"{{Base64Url.EncodeToString(leaf.RawData)}}"{{(reason is null ? "" : $",\"reason\":{reason}")}}}""";
        try
        {
            return ((await client.PostAsync(await client.UrlAsync("revokeCert", None), payload, None, bareKey)).Status, null);
        }
        catch (AcmeRefusedException refused)
        {
            return (refused.Answer.Status, refused.Answer.Problem);
        }
    }

    /// <summary>A client that signs with a certificate's key.</summary>
    public AcmeClient Bearer(ECDsa key) => new(Authority.Http(), Authority.DirectoryUrl, key);

    /// <summary>The URL of the list that a certificate points at.</summary>
    public static string CrlUrl(X509Certificate2 leaf)
    {
        var distribution = leaf.Extensions.First(e => e.Oid!.Value == "2.5.29.31").Format(false);
        return distribution[distribution.IndexOf("http://", StringComparison.Ordinal)..].Split(".crl")[0] + ".crl";
    }

    public static string Serial(X509Certificate2 leaf) => Convert.ToHexStringLower(leaf.SerialNumberBytes.Span);

    /// <summary>Waits until a list names a serial number; the time it took.</summary>
    public async Task<TimeSpan> UntilListedAsync(string url, X509Certificate2 leaf)
    {
        var time = Stopwatch.StartNew();
        while (time.Elapsed < TimeSpan.FromSeconds(60))
        {
            var builder = CertificateRevocationListBuilder.Load(await Http.GetByteArrayAsync(new Uri(url)), out _);
            if (builder.RemoveEntry(leaf.SerialNumberBytes.Span.ToArray()))
            {
                return time.Elapsed;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }

        throw new TimeoutException($"{url} does not name the revoked certificate after {time.Elapsed}");
    }

    /// <summary>Runs a program of another project.</summary>
    public static async Task<(int Exit, string Output)> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(Requirement.Program(program), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(None), process.StandardError.ReadToEndAsync(None));
        await process.WaitForExitAsync(None);
        return (process.ExitCode, await output + await error);
    }

    /// <summary>Writes a certificate for such a program.</summary>
    public string Write(X509Certificate2 leaf)
    {
        var path = Path.Combine(Folder, Serial(leaf) + ".pem");
        File.WriteAllText(path, leaf.ExportCertificatePem());
        return path;
    }

    private async Task<string> IssuerPemAsync()
    {
        using var issuer = X509CertificateLoader.LoadCertificate(await Http.GetByteArrayAsync(new Uri($"{Authority.Options.Server.PublicationUrl}/issuer/{IssuerId}.crt")));
        return issuer.ExportCertificatePem();
    }
}

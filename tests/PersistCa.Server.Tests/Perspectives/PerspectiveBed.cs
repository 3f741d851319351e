using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Perspectives;

/// <summary>
/// Six nodes in the role perspective on loopback, each with a zone of its own, and the certificates by which they and an authority know each other. The
/// date is that of 2026-11-24, when the Baseline Requirements demand four.
/// </summary>
public sealed class PerspectiveBed : IAsyncLifetime
{
    public const int Count = 6;

    private static readonly DateTimeOffset Date = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    private readonly string folder = Directory.CreateTempSubdirectory("persistca-perspectives-").FullName;
    private readonly List<RunningServer> servers = [];
    private readonly ECDsa rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private X509Certificate2 root = null!;
    private int names;

    /// <summary>What each perspective sees.</summary>
    public List<LoopbackZone> Zones { get; } = [];

    /// <summary>Where each perspective is.</summary>
    public List<string> Urls { get; } = [];

    /// <summary>Takes connections and never says a word.</summary>
    public TcpListener Silence { get; } = new(IPAddress.Loopback, 0);

    public SteppedClock Clock { get; } = new();

    public string SilentUrl => $"https://{Silence.LocalEndpoint}";

    public string RootFile => Path.Combine(folder, "root.pem");

    public string ClientFile => Path.Combine(folder, "client.pem");

    public string ServerFile => Path.Combine(folder, "server.pem");

    /// <summary>A name that no other test uses.</summary>
    public string Fresh() => $"p{Interlocked.Increment(ref names)}.example.test";

    public static string KeyOf(string certificateFile) => Path.ChangeExtension(certificateFile, ".key");

    public static string Fingerprint(string certificateFile)
    {
        using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(certificateFile));
        return Convert.ToHexStringLower(SHA256.HashData(certificate.RawData));
    }

    public async Task InitializeAsync()
    {
        Clock.Ahead = Date - TimeProvider.System.GetUtcNow();
        var request = new CertificateRequest("CN=perspectives", rootKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        root = request.CreateSelfSigned(Date.AddYears(-20), Date.AddYears(20));
        await File.WriteAllTextAsync(RootFile, root.ExportCertificatePem());
        Make("server", PeerTrust.ServerUsage);
        Make("client", PeerTrust.ClientUsage);
        Silence.Start();
        for (var i = 0; i < Count; i++)
        {
            Zones.Add(LoopbackZone.Start(options: new LoopbackZoneOptions { DefaultAddress = IPAddress.Loopback }));
            var options = Options(Zones[i]);
            servers.Add(await ServerHost.StartAsync(options, Clock, CancellationToken.None));
            Urls.Add("https://" + options.Perspective.Listen);
        }
    }

    /// <summary>A node that is a perspective and nothing else: neither database nor key of an issuer is there.</summary>
    public PersistCaOptions Options(LoopbackZone zone)
    {
        var options = new PersistCaOptions();
        options.Server.DataDirectory = Path.Combine(folder, "data");
        options.Server.Roles = ["perspective"];
        options.Perspective.Listen = $"127.0.0.1:{RunningAuthority.FreePort()}";
        options.Perspective.TlsCertificateFile = ServerFile;
        options.Perspective.TlsKeyFile = KeyOf(ServerFile);
        options.Perspective.ClientTrustFile = RootFile;
        options.Validation.Dns.Resolvers = [zone.EndPoint.ToString()];
        options.Validation.Dns.Timeout = TimeSpan.FromMilliseconds(300);
        options.Validation.Dns.OverallTimeout = TimeSpan.FromMilliseconds(600);
        options.Validation.Dns.Retries = 0;
        options.Validation.Dns.FailuresUntilCooling = 1000;
        options.Validation.Targets.AllowLoopback = true;
        options.Log.Level = LogLevel.Error;
        return options;
    }

    /// <summary>Has an authority ask the first so many perspectives, in two regions by turns.</summary>
    public void Ask(PersistCaOptions options, int count, string regime = PerspectiveRules.CabfBr, string? onlyRegion = null)
    {
        options.Validation.PerspectiveRegime = regime;
        options.Validation.PerspectiveDeadline = TimeSpan.FromSeconds(5);
        options.Validation.PerspectiveGrace = TimeSpan.FromSeconds(5);
        options.Validation.PerspectiveTls.CertificateFile = ClientFile;
        options.Validation.PerspectiveTls.KeyFile = KeyOf(ClientFile);
        options.Validation.PerspectiveTls.TrustFile = RootFile;
        options.Validation.Perspectives = [.. Enumerable.Range(0, count).Select(i => new RemotePerspectiveOptions
        {
            Id = $"p{i}",
            Region = onlyRegion ?? (i % 2 == 0 ? "arin" : "ripe ncc"),
            Url = Urls[i],
        })];
    }

    /// <summary>A client of the API; shows a certificate if one is named.</summary>
    public HttpClient Http(string? certificateFile)
    {
        var known = PeerTrust.Load("root", RootFile, [], PeerTrust.ServerUsage, Clock);
        var handler = new SocketsHttpHandler { UseProxy = false, SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, shown, _, _) => known.Admits(shown as X509Certificate2, null) } };
        if (certificateFile is not null)
        {
            handler.SslOptions.ClientCertificates = [X509Certificate2.CreateFromPemFile(certificateFile, KeyOf(certificateFile))];
        }

        return new HttpClient(handler);
    }

    /// <summary>Writes a certificate and its key.</summary>
    /// <param name="name">Name of the files.</param>
    /// <param name="usage">Extended key usage.</param>
    /// <param name="strange">Signed by itself and not by the root.</param>
    /// <param name="years">End of its life, in years from the date.</param>
    public string Make(string name, string usage, bool strange = false, int years = 10)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var san = new SubjectAlternativeNameBuilder();
        san.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(san.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        var (from, to) = (Date.AddYears(-15), Date.AddYears(years));
        using var certificate = strange ? request.CreateSelfSigned(from, to) : request.Create(root, from, to, RandomNumberGenerator.GetBytes(12));
        var file = Path.Combine(folder, name + ".pem");
        File.WriteAllText(file, certificate.ExportCertificatePem());
        File.WriteAllText(KeyOf(file), key.ExportPkcs8PrivateKeyPem());
        return file;
    }

    public async Task DisposeAsync()
    {
        foreach (var server in servers)
        {
            await server.DisposeAsync();
        }

        Zones.ForEach(z => z.Dispose());
        Silence.Dispose();
        root.Dispose();
        rootKey.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}

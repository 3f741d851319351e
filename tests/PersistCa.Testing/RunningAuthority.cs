using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Storage;

namespace PersistCa.Testing;

/// <summary>The real time, moved by a step that a test sets. Timers run in real time.</summary>
public sealed class SteppedClock : TimeProvider
{
    /// <summary>How far this clock is ahead of the machine's.</summary>
    public TimeSpan Ahead { get; set; }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Ahead;
}

/// <summary>A whole authority on loopback: server, store, and a zone that it resolves through.</summary>
public sealed class RunningAuthority : IAsyncDisposable
{
    private static readonly ConcurrentDictionary<int, bool> PortsGiven = new();
    private static readonly ConcurrentBag<FileStream> Claims = [];

    private readonly string folder;
    private RunningServer server;

    private RunningAuthority(string folder, PersistCaOptions options, LoopbackZone zone, SteppedClock clock, RunningServer server)
    {
        this.folder = folder;
        Options = options;
        Zone = zone;
        Clock = clock;
        this.server = server;
    }

    /// <summary>Its configuration.</summary>
    public PersistCaOptions Options { get; }

    /// <summary>The zone it resolves through; every name is at 127.0.0.1.</summary>
    public LoopbackZone Zone { get; }

    /// <summary>Its time.</summary>
    public SteppedClock Clock { get; }

    /// <summary>What it is made of.</summary>
    public IServiceProvider Services => server.Services;

    /// <summary>Its store.</summary>
    public CaStore Store => Services.GetRequiredService<CaStore>();

    /// <summary>What it judges records by.</summary>
    public PersistPolicy Policy => Services.GetRequiredService<PersistPolicy>();

    /// <summary>The root certificate, PEM.</summary>
    public string RootPem => File.ReadAllText(AuthorityFiles.RootCertificate(Options));

    /// <summary>URL of the directory.</summary>
    public string DirectoryUrl => Options.Server.BaseUrl + AuthorityUrls.Paths.Directory;

    /// <summary>Starts one.</summary>
    /// <param name="configure">Changes the configuration first.</param>
    /// <param name="postgres">Connection string of a PostgreSQL database; null for SQLite.</param>
    public static async Task<RunningAuthority> StartAsync(Action<PersistCaOptions>? configure = null, string? postgres = null)
    {
        for (var left = 3; ; left--)
        {
            try
            {
                return await StartOnceAsync(configure, postgres);
            }
            catch (StartRefusedException taken) when (left > 0 && taken.Message.Contains("cannot be listened on", StringComparison.Ordinal))
            {
                // Somebody took the port between the look and the listening: other ports, then.
            }
        }
    }

    private static async Task<RunningAuthority> StartOnceAsync(Action<PersistCaOptions>? configure, string? postgres)
    {
        var folder = Directory.CreateTempSubdirectory("persistca-test-").FullName;
        var zone = LoopbackZone.Start(options: new LoopbackZoneOptions { DefaultAddress = IPAddress.Loopback });
        var clock = new SteppedClock();
        var (https, http) = (FreePort(), FreePort());
        var options = new PersistCaOptions();
        options.Server.DataDirectory = folder;
        options.Server.BaseUrl = $"https://localhost:{https}";
        options.Server.Listen = $"127.0.0.1:{https}";
        options.Server.PublicationUrl = $"http://localhost:{http}";
        options.Server.ListenPublication = $"127.0.0.1:{http}";
        options.Validation.Dns.Resolvers = [zone.EndPoint.ToString()];
        options.Validation.Targets.AllowLoopback = true;
        options.Server.StopTimeout = TimeSpan.FromSeconds(1); // what a test left under way goes back into the queue
        options.KeyStores.File.Iterations = 1000; // nobody guesses at these
        options.Log.Level = Microsoft.Extensions.Logging.LogLevel.Error;
        if (postgres is not null)
        {
            options.Store.Kind = StoreKind.PostgreSql;
            options.Store.ConnectionString = postgres;
        }

        configure?.Invoke(options);
        Passphrase.Generate(folder);
        if (options.Store is { Kind: StoreKind.Sqlite, ConnectionString: "" })
        {
            await StoreTemplate.CopyAsync(Path.Combine(folder, "persistca.db"));
        }

        try
        {
            // One that was made elsewhere brings its own root.
            if (options.Authority.RootCertificateFile.Length == 0)
            {
                await AuthorityFiles.CreateAsync(options, SigningAlgorithms.EcdsaP256, Passphrase.Find(options), clock.GetUtcNow(), CancellationToken.None);
            }

            return new RunningAuthority(folder, options, zone, clock, await ServerHost.StartAsync(options, clock, CancellationToken.None));
        }
        catch
        {
            zone.Dispose();
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Stops the server and starts it again over the same store.</summary>
    public async Task RestartAsync()
    {
        await server.DisposeAsync();
        server = await ServerHost.StartAsync(Options, Clock, CancellationToken.None);
    }

    /// <summary>Starts another node over the same database, with copies of the authority's files.</summary>
    public async Task<RunningNode> JoinAsync(string name)
    {
        for (var left = 3; ; left--)
        {
            try
            {
                return await RunningNode.StartAsync(this, name, folder);
            }
            catch (StartRefusedException taken) when (left > 0 && taken.Message.Contains("cannot be listened on", StringComparison.Ordinal))
            {
                // Somebody took the port between the look and the listening: other ports, then.
            }
        }
    }

    /// <summary>An HTTP client that trusts this authority.</summary>
    public HttpClient Http() => RootTrust.Client(RootPem);

    /// <summary>A client with a new account key, not registered.</summary>
    public AcmeClient Client() => new(Http(), DirectoryUrl, ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>A client with an account.</summary>
    public async Task<AcmeClient> RegisteredAsync()
    {
        var client = Client();
        await client.RegisterAsync(CancellationToken.None);
        return client;
    }

    /// <summary>A request in DER for names, with a new key.</summary>
    public static (byte[] Csr, ECDsa Key) Csr(params string[] names)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return (Csr(key, names), key);
    }

    /// <summary>A request in DER for names with a key.</summary>
    public static byte[] Csr(ECDsa key, params string[] names)
    {
        var request = new CertificateRequest("", key, HashAlgorithmName.SHA256);
        var san = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                san.AddIpAddress(address);
            }
            else
            {
                san.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(san.Build());
        return request.CreateSigningRequest();
    }

    /// <summary>Claims a port for this process as long as it lives: other test processes pick at the same time, and listen later.</summary>
    private static bool Claim(int port)
    {
        try
        {
            var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "persistca-ports")).FullName;
            Claims.Add(new FileStream(Path.Combine(folder, port.ToString(System.Globalization.CultureInfo.InvariantCulture)), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            return true;
        }
        catch (IOException)
        {
            return false; // another process has it
        }
    }

    /// <summary>
    /// A port that nothing listens on now. Below those that outgoing connections get by themselves, one of which could take it before a server listens
    /// there; at random, since other test processes pick too; claimed from those by a locked file; and never the same twice in this one.
    /// </summary>
    public static int FreePort()
    {
        const int least = 10_000;
        const int most = 14_000; // some kernels give outgoing connections ports from 16,000 on, and the demonstration has 14,000 and more
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(least, most);
            if (!PortsGiven.TryAdd(port, true) || !Claim(port))
            {
                continue;
            }

            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Somebody has it: another one, then.
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        Zone.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(folder, recursive: true);
    }
}

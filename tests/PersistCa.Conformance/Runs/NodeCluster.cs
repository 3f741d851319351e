using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using PersistCa.Server.Demo;
using PersistCa.Testing;

namespace PersistCa.Conformance.Runs;

/// <summary>How HAProxy stands before the nodes: a file of deploy/haproxy each.</summary>
public enum Balancing
{
    Passthrough,
    Terminate,
}

/// <summary>Three nodes as processes over one PostgreSQL, behind HAProxy with the configuration of deploy/haproxy, and the zone through which they resolve.</summary>
internal sealed class NodeCluster : IAsyncDisposable
{
    private readonly string folder;
    private readonly string connection;
    private readonly IReadOnlyDictionary<string, string> settings;
    private readonly (int Https, int Http)[] ports;
    private readonly Process?[] nodes;
    private readonly StringBuilder[] logs;
    private readonly int acme = RunningAuthority.FreePort();
    private readonly int publication = RunningAuthority.FreePort();
    private readonly Balancing balancing;
    private Process? balancer;

    private NodeCluster(string folder, string connection, Balancing balancing, IReadOnlyDictionary<string, string> settings)
    {
        this.folder = folder;
        this.connection = connection;
        this.balancing = balancing;
        this.settings = settings;
        ports = [.. Enumerable.Range(0, 3).Select(_ => (RunningAuthority.FreePort(), RunningAuthority.FreePort()))];
        nodes = new Process?[ports.Length];
        logs = [.. ports.Select(_ => new StringBuilder())];
    }

    public int Count => ports.Length;

    public LoopbackZone Zone { get; } = LoopbackZone.Start(options: new LoopbackZoneOptions { DefaultAddress = IPAddress.Loopback });

    public string DirectoryUrl => $"https://localhost:{acme}/directory";

    public string PublicationUrl => $"http://localhost:{publication}";

    /// <summary>The root of the authority.</summary>
    public string RootPem => File.ReadAllText(Path.Combine(folder, "data", "ca", "root.pem"));

    /// <summary>What clients have to trust to reach it.</summary>
    public string DoorPem => balancing == Balancing.Terminate ? File.ReadAllText(Path.Combine(folder, "door.pem")) : RootPem;

    public string Log => string.Concat(logs.Select((l, n) =>
    {
        lock (l)
        {
            return $"node {n}:\n{l}\n";
        }
    }));

    /// <summary>Makes an authority and starts its nodes and the balancer.</summary>
    /// <param name="connection">What the nodes connect by.</param>
    /// <param name="balancing">How HAProxy stands before them.</param>
    /// <param name="settings">Further settings of theirs.</param>
    /// <param name="direct">What the schema is made by, where it is not the same.</param>
    public static async Task<NodeCluster> StartAsync(string connection, Balancing balancing, IReadOnlyDictionary<string, string>? settings = null, string? direct = null)
    {
        Requirement.Program("haproxy");
        var cluster = new NodeCluster(Directory.CreateTempSubdirectory("persistca-run-").FullName, connection, balancing, settings ?? new Dictionary<string, string>());
        try
        {
            await cluster.CommandAsync("init", "--generate-passphrase");
            await cluster.CommandAsync(["database", "migrate", .. direct is null ? Array.Empty<string>() : ["--set", "Store:ConnectionString=" + direct, "--set", "Store:TransactionPooler=false"]]);
            await Task.WhenAll(Enumerable.Range(0, cluster.Count).Select(cluster.StartNodeAsync));
            await cluster.StartBalancerAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a node, again.</summary>
    public async Task StartNodeAsync(int node)
    {
        LaunchNode(node);
        await ReadyAsync(node);
    }

    /// <summary>Starts a node without waiting for it: the database may be away.</summary>
    public void LaunchNode(int node)
    {
        nodes[node]?.Dispose();
        var start = new ProcessStartInfo(Programs.Dotnet, [Programs.Server, "serve", .. Settings(node)]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        var process = Process.Start(start) ?? throw new InvalidOperationException("dotnet does not start");
        process.OutputDataReceived += (_, e) => Note(node, e.Data);
        process.ErrorDataReceived += (_, e) => Note(node, e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        nodes[node] = process;
    }

    /// <summary>Waits until a node says that it is ready; one that could not start is started again.</summary>
    public async Task ReadyAsync(int node)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        await Patience.UntilAsync(
            async () =>
            {
                if (nodes[node]!.HasExited)
                {
                    LaunchNode(node);
                }

                try
                {
                    return (await http.GetAsync(new Uri($"http://127.0.0.1:{ports[node].Http}/health/ready"))).IsSuccessStatusCode;
                }
                catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
                {
                    return false;
                }
            },
            "node " + node + " does not get ready: " + Log);
    }

    /// <summary>Tells a node to stop, as systemd does, and waits until it has.</summary>
    public async Task StopNodeAsync(int node)
    {
        var process = nodes[node]!;
        await Programs.RunAsync("kill", "-TERM", process.Id.ToString(CultureInfo.InvariantCulture));
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"node {node} ended with {process.ExitCode}: {Log}");
    }

    /// <summary>Ends a node as the end of its machine would.</summary>
    public async Task KillNodeAsync(int node)
    {
        nodes[node]!.Kill();
        await nodes[node]!.WaitForExitAsync();
    }

    /// <summary>Stops a process in its tracks, or lets it go on: a machine that hangs.</summary>
    public Task SignalAsync(int node, string signal) => Programs.RunAsync("kill", "-" + signal, nodes[node]!.Id.ToString(CultureInfo.InvariantCulture));

    /// <summary>Name by which a node has leases and duties.</summary>
    public static string Name(int node) => "node" + (node + 1).ToString(CultureInfo.InvariantCulture);

    /// <summary>Runs a command of the program with the cluster's configuration.</summary>
    /// <returns>Its output.</returns>
    public Task<string> CommandAsync(params string[] command)
    {
        // What is given twice counts as it was given last.
        var words = command.TakeWhile(w => w != "--set").ToArray();
        return Programs.RunAsync(Programs.Dotnet, [Programs.Server, .. words, .. Settings(0), .. command.Skip(words.Length)]);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in nodes.Append(balancer).OfType<Process>())
        {
            if (!process.HasExited)
            {
                process.Kill();
                await process.WaitForExitAsync();
            }

            process.Dispose();
        }

        Zone.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private IEnumerable<string> Settings(int node)
    {
        var all = new Dictionary<string, string>
        {
            ["Server:BaseUrl"] = $"https://localhost:{acme}",
            ["Server:PublicationUrl"] = PublicationUrl,
            ["Server:DataDirectory"] = Path.Combine(folder, "data"),
            ["Server:NodeName"] = Name(node),
            ["Server:Listen"] = $"127.0.0.1:{ports[node].Https}",
            ["Server:ListenPublication"] = $"127.0.0.1:{ports[node].Http}",
            ["Server:TrustedProxies"] = "127.0.0.0/8",
            ["Server:ProxyProtocol"] = balancing == Balancing.Passthrough ? "true" : "false",
            ["Server:DrainDelay"] = "00:00:05",
            ["Store:Kind"] = "PostgreSql",
            ["Store:ConnectionString"] = connection,
            ["Store:Migrate"] = "false",
            ["Validation:Dns:Resolvers"] = Zone.EndPoint.ToString(),
            ["Validation:Targets:AllowLoopback"] = "true",
            ["Limits:NewAccountsPerAddress"] = "off",
            ["Log:Level"] = "Warning",
        };
        foreach (var (key, value) in settings)
        {
            all[key] = value;
        }

        return all.SelectMany(s => new[] { "--set", $"{s.Key}={s.Value}" });
    }

    private async Task StartBalancerAsync()
    {
        if (balancing == Balancing.Terminate)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
            var san = new SubjectAlternativeNameBuilder();
            san.AddDnsName("localhost");
            request.CertificateExtensions.Add(san.Build());
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            var now = TimeProvider.System.GetUtcNow();
            using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
            await File.WriteAllTextAsync(Path.Combine(folder, "door.pem"), certificate.ExportCertificatePem());
            await File.WriteAllTextAsync(Path.Combine(folder, "door-with-key.pem"), certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
        }

        // As it is shipped, but under the user who runs the tests.
        var shipped = await File.ReadAllLinesAsync(Path.Combine(SourceTree.Root, "deploy", "haproxy", balancing == Balancing.Passthrough ? "passthrough.cfg" : "terminate.cfg"));
        var file = Path.Combine(folder, "haproxy.cfg");
        await File.WriteAllLinesAsync(file, shipped.Where(l => l.Trim() is not ("user haproxy" or "group haproxy")));
        var start = new ProcessStartInfo(Requirement.Program("haproxy"), ["-db", "-f", file]) { RedirectStandardOutput = true, RedirectStandardError = true };
        var places = new Dictionary<string, string>
        {
            ["ACME"] = $"127.0.0.1:{acme}",
            ["PUBLICATION"] = $"127.0.0.1:{publication}",
            ["CERTIFICATE"] = Path.Combine(folder, "door-with-key.pem"),
            ["ROOT"] = Path.Combine(folder, "data", "ca", "root.pem"),
            ["HOST"] = "localhost",
        };
        for (var node = 0; node < Count; node++)
        {
            places[$"NODE{node + 1}"] = $"127.0.0.1:{ports[node].Https}";
            places[$"NODE{node + 1}_PUBLICATION"] = $"127.0.0.1:{ports[node].Http}";
        }

        foreach (var (name, value) in places)
        {
            start.Environment["PERSISTCA_" + name] = value;
        }

        balancer = Process.Start(start) ?? throw new InvalidOperationException("haproxy does not start");
        balancer.OutputDataReceived += (_, e) => Note(0, e.Data);
        balancer.ErrorDataReceived += (_, e) => Note(0, e.Data);
        balancer.BeginOutputReadLine();
        balancer.BeginErrorReadLine();
        using var http = new HttpClient(RootTrust.Handler(DoorPem));
        await Patience.UntilAsync(
            async () =>
            {
                try
                {
                    return (await http.GetAsync(new Uri(DirectoryUrl))).IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            "there is no way through the balancer: " + Log);
    }

    private void Note(int node, string? line)
    {
        lock (logs[node])
        {
            logs[node].AppendLine(line);
        }
    }
}

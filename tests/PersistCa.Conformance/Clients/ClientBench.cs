using System.Diagnostics;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using PersistCa.Server.Demo;
using PersistCa.Testing;

namespace PersistCa.Conformance.Clients;

/// <summary>What clients need to know of a server, whether it is a process of its own or stands in this one.</summary>
/// <param name="DirectoryUrl">URL of the directory.</param>
/// <param name="RootFile">Its root certificate, where any user can read it.</param>
/// <param name="HttpChallenge">Port that http-01 is fetched from.</param>
/// <param name="TlsChallenge">Port that tls-alpn-01 connects to.</param>
/// <param name="Zone">The zone that it resolves through.</param>
/// <param name="Log">What it wrote.</param>
/// <param name="Owner">Stops it.</param>
public sealed record BenchServer(string DirectoryUrl, string RootFile, int HttpChallenge, int TlsChallenge, LoopbackZone Zone, Func<string> Log, IAsyncDisposable Owner);

/// <summary>A server, and what clients need around it: a way to publish TXT records, and a web root.</summary>
public sealed class ClientBench : IAsyncDisposable
{
    private readonly HttpListener api = new();
    private readonly int apiPort = RunningAuthority.FreePort();
    private readonly List<string> folders = [];
    private int names;

    private ClientBench(BenchServer server)
    {
        Server = server;
        api.Prefixes.Add($"http://127.0.0.1:{apiPort}/");
        api.Start();
        _ = ServeAsync();
    }

    public BenchServer Server { get; }

    /// <summary>Adds (first argument add) or clears (clear) a TXT record: owner, value.</summary>
    public string RecordCommand => $"curl -sf -G http://127.0.0.1:{apiPort}/";

    public static async Task<ClientBench> StartAsync(string? postgres)
    {
        var server = await ServerProcess.StartAsync(postgres);
        return new(new BenchServer(server.DirectoryUrl, server.RootFile, server.HttpChallenge, server.TlsChallenge, server.Zone, () => server.Log, server));
    }

    /// <summary>A bench for a server in this process.</summary>
    /// <param name="authority">The server; its configuration has these ports.</param>
    /// <param name="http">Port that http-01 is fetched from.</param>
    /// <param name="tls">Port that tls-alpn-01 connects to.</param>
    public static ClientBench Over(RunningAuthority authority, int http, int tls)
    {
        var root = Path.Combine(Directory.CreateTempSubdirectory("persistca-bench-").FullName, "root.pem");
        File.WriteAllText(root, authority.RootPem);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Path.GetDirectoryName(root)!, (UnixFileMode)Convert.ToInt32("755", 8));
        }

        var bench = new ClientBench(new BenchServer(authority.DirectoryUrl, root, http, tls, authority.Zone, () => "", authority));
        bench.folders.Add(Path.GetDirectoryName(root)!);
        return bench;
    }

    /// <summary>A name that nothing else uses.</summary>
    public string Fresh(string client) => $"{client}-{Interlocked.Increment(ref names)}.example.test";

    /// <summary>Runs a shell script in a folder of its own; its output is in the failure.</summary>
    /// <returns>The folder.</returns>
    public async Task<string> RunAsync(string script)
    {
        var folder = Directory.CreateTempSubdirectory("persistca-client-").FullName;
        folders.Add(folder);
        var start = new ProcessStartInfo("/bin/bash", ["-c", "set -euo pipefail\n" + script]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in new Dictionary<string, string>
        {
            ["DIRECTORY"] = Server.DirectoryUrl,
            ["ROOT"] = Server.RootFile,
            ["HTTP_PORT"] = Server.HttpChallenge.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["TLS_PORT"] = Server.TlsChallenge.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["HOME"] = folder,
            ["ADD"] = RecordCommand + "add",
            ["CLEAR"] = RecordCommand + "clear",
        })
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start) ?? throw new InvalidOperationException("bash does not start");
        var output = new StringBuilder();
        var readers = Task.WhenAll(CollectAsync(process.StandardOutput, output), CollectAsync(process.StandardError, output));
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2), TimeProvider.System);
            await readers.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail("the client did not end in time:\n" + Text(output) + Server.Log());
        }

        Assert.True(process.ExitCode == 0, $"exit {process.ExitCode}:\n{Text(output)}\n{Server.Log()}");
        return folder;
    }

    /// <summary>The chain in a file verifies up to the root and names every name.</summary>
    public void Verify(string file, params string[] names)
    {
        var chain = File.ReadAllText(file);
        Assert.All(names, n => Assert.Null(RootTrust.Verify(chain, File.ReadAllText(Server.RootFile), n.Replace("*", "any", StringComparison.Ordinal))));
    }

    /// <summary>The first certificate of a file is on the CRL.</summary>
    public static async Task IsRevokedAsync(string file)
    {
        using var leaf = X509Certificate2.CreateFromPem(File.ReadAllText(file));
        var distribution = leaf.Extensions.First(e => e.Oid!.Value == "2.5.29.31").Format(false);
        var url = distribution[distribution.IndexOf("http://", StringComparison.Ordinal)..].Split(".crl")[0] + ".crl";
        using var http = new HttpClient();
        await Patience.UntilAsync(
            async () => CertificateRevocationListBuilder.Load(await http.GetByteArrayAsync(new Uri(url)), out _).RemoveEntry(leaf.SerialNumberBytes.Span),
            "the certificate is not on the CRL");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        api.Close();
        await Server.Owner.DisposeAsync();
        folders.ForEach(f => Directory.Delete(f, recursive: true));
    }

    private static async Task CollectAsync(StreamReader reader, StringBuilder into)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (into)
            {
                into.AppendLine(line);
            }
        }
    }

    private static string Text(StringBuilder output)
    {
        lock (output)
        {
            return output.ToString();
        }
    }

    private async Task ServeAsync()
    {
        while (api.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await api.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            var query = context.Request.QueryString;
            var owner = query["owner"] ?? "";
            if (context.Request.Url!.AbsolutePath == "/add")
            {
                Server.Zone.AddTxt(owner, query["value"] ?? "");
            }
            else
            {
                Server.Zone.ClearTxt(owner);
            }

            context.Response.Close();
        }
    }
}

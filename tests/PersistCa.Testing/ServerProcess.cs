using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using PersistCa.Server.Demo;

namespace PersistCa.Testing;

/// <summary>The server as an operator runs it: a process of its own over a folder, with a zone in this process to resolve through.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private readonly string folder;
    private readonly string? postgres;
    private readonly IReadOnlyDictionary<string, string> settings;
    private readonly IReadOnlyDictionary<string, string> environment;
    private readonly StringBuilder log = new();
    private Process? process;

    private ServerProcess(
        string folder,
        string? postgres,
        IReadOnlyDictionary<string, string> settings,
        IReadOnlyDictionary<string, string> environment,
        LoopbackZone zone)
    {
        this.environment = environment;
        this.folder = folder;
        this.postgres = postgres;
        this.settings = settings;
        Zone = zone;
        (Https, Http, HttpChallenge, TlsChallenge) = (RunningAuthority.FreePort(), RunningAuthority.FreePort(), RunningAuthority.FreePort(), RunningAuthority.FreePort());
    }

    public LoopbackZone Zone { get; }

    public int Https { get; }

    public int Http { get; }

    /// <summary>Port that http-01 is fetched from.</summary>
    public int HttpChallenge { get; }

    /// <summary>Port that tls-alpn-01 connects to.</summary>
    public int TlsChallenge { get; }

    public string DirectoryUrl => $"https://localhost:{Https}/directory";

    /// <summary>The root certificate, where any user can read it.</summary>
    public string RootFile => Path.Combine(folder, "root.pem");

    public string RootPem => File.ReadAllText(RootFile);

    /// <summary>What the process wrote.</summary>
    public string Log
    {
        get
        {
            lock (log)
            {
                return log.ToString();
            }
        }
    }

    /// <summary>The SQLite file, where that is the store.</summary>
    public string SqliteFile => Path.Combine(folder, "data", "persistca.db");

    /// <summary>True once the process has ended.</summary>
    public bool HasExited => process is null || process.HasExited;

    /// <summary>Makes an authority in a fresh folder and starts its server.</summary>
    public static async Task<ServerProcess> StartAsync(
        string? postgres = null,
        string? crashAt = null,
        IReadOnlyDictionary<string, string>? settings = null,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var folder = Directory.CreateTempSubdirectory("persistca-run-").FullName;
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, (UnixFileMode)Convert.ToInt32("755", 8));
        }

        var zone = LoopbackZone.Start(options: new LoopbackZoneOptions { DefaultAddress = IPAddress.Loopback });
        var server = new ServerProcess(folder, postgres, settings ?? new Dictionary<string, string>(), environment ?? new Dictionary<string, string>(), zone);
        try
        {
            using var init = server.Launch("init", null, ["--generate-passphrase"]);
            await init.WaitForExitAsync();
            if (init.ExitCode != 0)
            {
                throw new InvalidOperationException("init failed: " + server.Log);
            }

            File.Copy(Path.Combine(folder, "data", "ca", "root.pem"), server.RootFile);
            await server.StartAgainAsync(crashAt);
            return server;
        }
        catch
        {
            await server.DisposeAsync(); // a process that nobody ends takes the machine from every test after it
            throw;
        }
    }

    /// <summary>Starts the process (again) and waits until it is ready, or has ended as told.</summary>
    public async Task StartAgainAsync(string? crashAt = null)
    {
        process?.Dispose();
        process = Launch("serve", crashAt, []);
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        for (var start = TimeProvider.System.GetTimestamp(); !process.HasExited && TimeProvider.System.GetElapsedTime(start) < Patience.Most;)
        {
            try
            {
                if ((await http.GetAsync(new Uri($"http://127.0.0.1:{Http}/health/ready"))).IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                // Not listening yet, or slow to answer.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }

        throw new InvalidOperationException("the server does not get ready: " + Log);
    }

    /// <summary>Waits for the process to end by itself.</summary>
    public async Task<bool> EndsAsync(TimeSpan most)
    {
        try
        {
            await process!.WaitForExitAsync().WaitAsync(most, TimeProvider.System);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>With what the process ended.</summary>
    public int ExitCode => process!.ExitCode;

    /// <summary>Tells the process to stop, as systemd does.</summary>
    public async Task TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", process!.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Ends the process as a power cut would.</summary>
    public async Task KillAsync()
    {
        process!.Kill();
        await process.WaitForExitAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!HasExited)
        {
            await KillAsync();
        }

        process?.Dispose();
        Zone.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private Process Launch(string command, string? crashAt, IReadOnlyList<string> more)
    {
        var program = typeof(Server.Commands.PersistCaCommand).Assembly.Location;
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet")
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var arguments = new List<string> { program, command };
        arguments.AddRange(more);
        foreach (var (key, value) in Settings())
        {
            arguments.AddRange(["--set", $"{key}={value}"]);
        }

        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        if (crashAt is not null)
        {
            start.Environment["PERSISTCA_CRASH_AT"] = crashAt;
        }

        var launched = Process.Start(start) ?? throw new InvalidOperationException("dotnet does not start");
        launched.OutputDataReceived += (_, e) => Note(e.Data);
        launched.ErrorDataReceived += (_, e) => Note(e.Data);
        launched.BeginOutputReadLine();
        launched.BeginErrorReadLine();
        return launched;
    }

    private Dictionary<string, string> Settings()
    {
        var all = new Dictionary<string, string>
        {
            ["Server:BaseUrl"] = $"https://localhost:{Https}",
            ["Server:Listen"] = $"127.0.0.1:{Https}",
            ["Server:PublicationUrl"] = $"http://localhost:{Http}",
            ["Server:ListenPublication"] = $"127.0.0.1:{Http}",
            ["Validation:Dns:Resolvers"] = Zone.EndPoint.ToString(),
            ["Validation:Targets:AllowLoopback"] = "true",
            ["Validation:Http:Port"] = HttpChallenge.ToString(CultureInfo.InvariantCulture),
            ["Validation:TlsAlpnPort"] = TlsChallenge.ToString(CultureInfo.InvariantCulture),
        };
        if (postgres is not null)
        {
            all["Store:Kind"] = "PostgreSql";
            all["Store:ConnectionString"] = postgres;
        }

        foreach (var (key, value) in settings)
        {
            all[key] = value;
        }

        return all;
    }

    private void Note(string? line)
    {
        lock (log)
        {
            log.AppendLine(line);
        }
    }
}

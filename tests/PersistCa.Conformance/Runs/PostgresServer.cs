using System.Diagnostics;
using System.Globalization;
using Npgsql;
using PersistCa.Testing;

namespace PersistCa.Conformance.Runs;

/// <summary>A PostgreSQL server of Debian's binaries that can be killed, started again, copied into a standby and promoted. It writes to the disk as a real one.</summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private readonly string binaries;
    private readonly string folder;

    private PostgresServer(string binaries, string folder, int port)
    {
        this.binaries = binaries;
        this.folder = folder;
        Port = port;
    }

    public int Port { get; }

    private string Data => Path.Combine(folder, "data");

    private string PgCtl => Path.Combine(binaries, "pg_ctl");

    /// <summary>Makes one, with an empty database persistca.</summary>
    public static async Task<PostgresServer> StartAsync(string options = "")
    {
        var server = New();
        await AsPostgresAsync(Path.Combine(server.binaries, "initdb"), "-D", server.Data, "-A", "trust", "-U", "postgres", "--no-sync", "--no-instructions", "--locale=C.UTF-8");
        await server.StartAgainAsync(options);
        await server.ExecuteAsync("CREATE DATABASE persistca", "postgres");
        return server;
    }

    /// <summary>Makes a streaming standby of this server.</summary>
    public async Task<PostgresServer> StandbyAsync()
    {
        var standby = New();
        await AsPostgresAsync(
            Path.Combine(binaries, "pg_basebackup"),
            "-D", standby.Data, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", $"host=127.0.0.1 port={Port} user=postgres application_name=standby");
        await standby.StartAgainAsync();
        return standby;
    }

    /// <summary>Starts it, again.</summary>
    public Task StartAgainAsync(string options = "") => AsPostgresAsync(
        "/bin/sh",
        "-c",
        $"'{PgCtl}' -D '{Data}' -w -t 120 -l '{folder}/log' -o '-p {Port} -k {folder} -h 127.0.0.1 -c max_connections=150 {options}' start >'{folder}/start' 2>&1 || {{ cat '{folder}/start' '{folder}/log'; exit 1; }}");

    /// <summary>Kills every process of it at once, as the end of its machine would, and takes away what says that they run.</summary>
    public async Task KillAsync()
    {
        var postmaster = int.Parse(File.ReadLines(Path.Combine(Data, "postmaster.pid")).First(), CultureInfo.InvariantCulture);
        var children = Directory.EnumerateDirectories("/proc")
            .Select(d => int.TryParse(Path.GetFileName(d), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id > 0 && ParentOf(id) == postmaster).ToList();
        foreach (var id in children.Prepend(postmaster))
        {
            try
            {
                using var process = Process.GetProcessById(id);
                process.Kill();
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException)
            {
                // It ended by itself meanwhile.
            }
        }

        // The next start would take one that nobody has reaped yet for alive; after the end of a machine there is none.
        await Patience.UntilAsync(() => Task.FromResult(children.Prepend(postmaster).All(id => !Lives(id))), "a killed server lives on");
        File.Delete(Path.Combine(Data, "postmaster.pid"));
        File.Delete(Path.Combine(folder, $".s.PGSQL.{Port}.lock"));
    }

    /// <summary>Makes the standby the primary, and waits until it is.</summary>
    public Task PromoteAsync() => AsPostgresAsync(PgCtl, "-D", Data, "-w", "-t", "120", "promote");

    public async Task ExecuteAsync(string sql, string database = "persistca") => await ScalarAsync(sql, database);

    public async Task<object?> ScalarAsync(string sql, string database = "persistca")
    {
        await using var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={Port};Username=postgres;Database={database};Pooling=false");
        await connection.OpenAsync();
#pragma warning disable CA2100 // constant texts of the runs
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        return await command.ExecuteScalarAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(Data, "postmaster.pid")))
        {
            try
            {
                await AsPostgresAsync(PgCtl, "-D", Data, "-m", "immediate", "-w", "stop");
            }
            catch (InvalidOperationException)
            {
                // It was killed: its file of the process is all that is left of it.
            }
        }

        Directory.Delete(folder, recursive: true);
    }

    private static PostgresServer New()
    {
        var binaries = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").Select(d => Path.Combine(d, "bin")).Where(d => File.Exists(Path.Combine(d, "initdb"))).Order(StringComparer.Ordinal).LastOrDefault()
            : null;
        Requirement.Need(binaries is not null, "postgresql", "there is no installed PostgreSQL server");
        Requirement.Need(Environment.UserName != "root" || Requirement.Find("setpriv") is not null, "postgresql", "its server refuses to run as root, and there is no setpriv");
        var folder = Directory.CreateTempSubdirectory("persistca-run-pg-").FullName;
        if (Environment.UserName == "root")
        {
            using var chown = Process.Start("chown", ["postgres", folder]);
            chown.WaitForExit();
        }

        return new PostgresServer(binaries!, folder, RunningAuthority.FreePort());
    }

    private static int ParentOf(int id) => Stat(id) is { } stat ? int.Parse(stat[1], CultureInfo.InvariantCulture) : 0;

    /// <summary>Whether a process is there and has not ended.</summary>
    private static bool Lives(int id) => Stat(id) is { } stat && stat[0] is not ("Z" or "X");

    /// <summary>State, parent and more of a process; null where there is none.</summary>
    private static string[]? Stat(int id)
    {
        try
        {
            // "pid (name) state ppid ...": the name may hold anything, so what counts comes after its end.
            var stat = File.ReadAllText($"/proc/{id}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null; // gone meanwhile
        }
    }

    private static Task<string> AsPostgresAsync(string program, params string[] arguments) => Environment.UserName == "root"
        ? Programs.RunAsync("setpriv", ["--reuid=postgres", "--regid=postgres", "--init-groups", program, .. arguments])
        : Programs.RunAsync(program, arguments);
}

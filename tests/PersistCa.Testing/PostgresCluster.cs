using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Testcontainers.PostgreSql;

namespace PersistCa.Testing;

/// <summary>
/// A PostgreSQL for tests, one per process: the one that PERSISTCA_TEST_POSTGRES names, else a container where Docker is, else a throw-away cluster from
/// Debian's binaries.
/// </summary>
public sealed class PostgresCluster
{
    private static readonly Lazy<Task<PostgresCluster>> Shared = new(StartAsync);

    private readonly string? connectionString;
    private readonly string reason;
    private int databases;

    private PostgresCluster(string? connectionString, string reason)
    {
        this.connectionString = connectionString;
        this.reason = reason;
    }

    /// <summary>Makes a fresh database; the test is skipped, or fails, where there is no PostgreSQL.</summary>
    /// <returns>Its connection string.</returns>
    public static async Task<string> NewDatabaseAsync()
    {
        var cluster = await Shared.Value;
        Requirement.Need(cluster.connectionString is not null, "postgresql", cluster.reason);
        var name = $"persistca_{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}_{Interlocked.Increment(ref cluster.databases).ToString(CultureInfo.InvariantCulture)}";
        await using var source = NpgsqlDataSource.Create(cluster.connectionString!);
        await using (var command = source.CreateCommand($"CREATE DATABASE {name}"))
        {
            await command.ExecuteNonQueryAsync();
        }

        return new NpgsqlConnectionStringBuilder(cluster.connectionString) { Database = name, MaxPoolSize = 12 }.ConnectionString;
    }

    private static async Task<PostgresCluster> StartAsync()
    {
        if (Environment.GetEnvironmentVariable("PERSISTCA_TEST_POSTGRES") is { Length: > 0 } given)
        {
            return new PostgresCluster(given, "");
        }

        if (Environment.GetEnvironmentVariable("DOCKER_HOST") is { Length: > 0 } || File.Exists("/var/run/docker.sock"))
        {
            var container = new PostgreSqlBuilder("postgres:17-alpine").Build();
            await container.StartAsync();
            return new PostgresCluster(container.GetConnectionString(), "");
        }

        var binaries = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").Select(d => Path.Combine(d, "bin")).Where(d => File.Exists(Path.Combine(d, "initdb"))).Order().LastOrDefault()
            : null;
        return binaries is null
            ? new PostgresCluster(null, "there is neither PERSISTCA_TEST_POSTGRES nor Docker nor an installed PostgreSQL server")
            : await StartLocalAsync(binaries);
    }

    private static async Task<PostgresCluster> StartLocalAsync(string binaries)
    {
        var folder = Directory.CreateTempSubdirectory("persistca-pg-").FullName;
        var data = Path.Combine(folder, "data");
        if (Environment.UserName == "root")
        {
            // The server refuses to run as root.
            await RunAsync("chown", ["postgres", folder]);
        }

        var port = RunningAuthority.FreePort();
        await RunAsPostgresAsync(Path.Combine(binaries, "initdb"), ["-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "--no-instructions", "--locale=C.UTF-8"]);
        var pgCtl = Path.Combine(binaries, "pg_ctl");
        await RunAsPostgresAsync(
            "/bin/sh",
            ["-c", $"'{pgCtl}' -D '{data}' -w -l '{folder}/log' -o '-p {port} -k {folder} -h 127.0.0.1 -c fsync=off -c max_connections=200' start >'{folder}/start' 2>&1"]);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Stop(pgCtl, data, folder);
        return new PostgresCluster($"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres", "");
    }

    private static void Stop(string pgCtl, string data, string folder)
    {
        using var stop = Process.Start(AsPostgres("/bin/sh", ["-c", $"'{pgCtl}' -D '{data}' -m immediate stop >/dev/null 2>&1"]));
        stop?.WaitForExit();
        Directory.Delete(folder, recursive: true);
    }

    private static Task RunAsPostgresAsync(string program, IReadOnlyList<string> arguments) => RunAsync(AsPostgres(program, arguments));

    private static ProcessStartInfo AsPostgres(string program, IReadOnlyList<string> arguments) => Environment.UserName == "root"
        ? new ProcessStartInfo("setpriv", ["--reuid=postgres", "--regid=postgres", "--init-groups", program, .. arguments]) { WorkingDirectory = "/" }
        : new ProcessStartInfo(program, arguments);

    private static Task RunAsync(string program, IReadOnlyList<string> arguments) => RunAsync(new ProcessStartInfo(program, arguments));

    private static async Task RunAsync(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} does not start");
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{start.FileName} {string.Join(' ', start.ArgumentList)} failed: {await output}{await error}");
        }
    }
}

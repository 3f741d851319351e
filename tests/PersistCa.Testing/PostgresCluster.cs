using System.Diagnostics;
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

    private static readonly Lazy<Task<string>> Template = new(MakeTemplateAsync);

    private readonly string? connectionString;
    private readonly string reason;
    private readonly Process? keeper; // held, so that its input stays open

    private PostgresCluster(string? connectionString, string reason, Process? keeper = null)
    {
        this.keeper = keeper;
        this.connectionString = connectionString;
        this.reason = reason;
    }

    /// <summary>Makes a fresh database; the test is skipped, or fails, where there is no PostgreSQL.</summary>
    /// <returns>Its connection string.</returns>
    public static async Task<string> NewDatabaseAsync() => await NewDatabaseAsync("");

    /// <summary>Makes a database with the schema in place; the test is skipped, or fails, where there is no PostgreSQL.</summary>
    /// <returns>Its connection string.</returns>
    public static async Task<string> MigratedDatabaseAsync()
    {
        Requirement.Need((await Shared.Value).connectionString is not null, "postgresql", (await Shared.Value).reason);
        return await NewDatabaseAsync($" TEMPLATE {await Template.Value}");
    }

    private static async Task<string> MakeTemplateAsync()
    {
        var template = new NpgsqlConnectionStringBuilder(await NewDatabaseAsync()) { Pooling = false }; // nobody may be connected to a template
        await StoreTemplate.MigrateAsync(Storage.StoreKind.PostgreSql, template.ConnectionString);
        return template.Database!;
    }

    private static async Task<string> NewDatabaseAsync(string from)
    {
        var cluster = await Shared.Value;
        Requirement.Need(cluster.connectionString is not null, "postgresql", cluster.reason);
        var name = $"persistca_{Guid.NewGuid():N}"; // a lasting server may hold what an earlier run left
        await using var source = NpgsqlDataSource.Create(cluster.connectionString!);
        await using (var command = source.CreateCommand($"CREATE DATABASE {name}{from}"))
        {
            await command.ExecuteNonQueryAsync();
        }

        return new NpgsqlConnectionStringBuilder(cluster.connectionString) { Database = name, MaxPoolSize = 12 }.ConnectionString;
    }

    /// <summary>Drops a database that <see cref="NewDatabaseAsync"/> made, with the idle connections to it: servers allow few.</summary>
    /// <param name="database">Its connection string.</param>
    public static async Task DropDatabaseAsync(string database)
    {
        var cluster = await Shared.Value;
        await using (var pooled = new NpgsqlConnection(database))
        {
            NpgsqlConnection.ClearPool(pooled);
        }

        await using var source = NpgsqlDataSource.Create(cluster.connectionString!);
        await using var command = source.CreateCommand($"DROP DATABASE IF EXISTS {new NpgsqlConnectionStringBuilder(database).Database} WITH (FORCE)");
        await command.ExecuteNonQueryAsync();
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
        if (binaries is null)
        {
            return new PostgresCluster(null, "there is neither PERSISTCA_TEST_POSTGRES nor Docker nor an installed PostgreSQL server");
        }

        var hasUser = File.ReadLines("/etc/passwd").Any(line => line.StartsWith("postgres:", StringComparison.Ordinal));
        if (Environment.UserName == "root" && (!hasUser || Requirement.Find("setpriv") is null))
        {
            return new PostgresCluster(null, "its server refuses to run as root, and there is no user postgres, or no setpriv, to run it as");
        }

        return await StartLocalAsync(binaries);
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

        var pgCtl = Path.Combine(binaries, "pg_ctl");
        var keeper = StartKeeper(pgCtl, data, folder);
        var port = RunningAuthority.FreePort();
        await RunAsPostgresAsync(Path.Combine(binaries, "initdb"), ["-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "--no-instructions", "--locale=C.UTF-8"]);
        await RunAsPostgresAsync(
            "/bin/sh",
            ["-c", $"'{pgCtl}' -D '{data}' -w -l '{folder}/log' -o '-p {port} -k {folder} -h 127.0.0.1 -c fsync=off -c max_connections=200' start >'{folder}/start' 2>&1"]);
        return new PostgresCluster($"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres", "", keeper);
    }

    /// <summary>
    /// A shell that waits for its input to end, which it does when this process ends in whatever way: test hosts are killed before a handler of theirs could
    /// have stopped a server.
    /// </summary>
    private static Process StartKeeper(string pgCtl, string data, string folder)
    {
        var start = AsPostgres(
            "/bin/sh",
            ["-c", $"exec >/dev/null 2>&1; trap '' HUP INT TERM; read -r end; '{pgCtl}' -D '{data}' -m immediate stop; rm -rf '{folder}'"]);
        start.RedirectStandardInput = true;
        return Process.Start(start) ?? throw new InvalidOperationException("/bin/sh does not start");
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

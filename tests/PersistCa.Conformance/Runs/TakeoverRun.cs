using System.Diagnostics;
using System.Globalization;
using Npgsql;
using PersistCa.Testing;
using Xunit.Abstractions;

namespace PersistCa.Conformance.Runs;

/// <summary>The node with the periodic work hangs, comes back, and dies: another has the work each time, and whoever hung records nothing more.</summary>
public sealed class TakeoverRun(ITestOutputHelper output)
{
    public static TheoryData<bool> Poolers => RunSettings.IsLong ? [false, true] : [true];

    [SkippableTheory]
    [MemberData(nameof(Poolers))]
    public async Task Another_node_takes_the_periodic_work_of_one_that_hangs_or_dies(bool pooler)
    {
        Requirement.Program("haproxy");
        await using var database = await PostgresServer.StartAsync();
        var direct = string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={database.Port};Username=postgres;Database=persistca;Maximum Pool Size=20");
        using var bouncer = pooler ? await Bouncer.StartAsync(database.Port) : null;
        var connection = bouncer is null ? direct : new NpgsqlConnectionStringBuilder(direct) { Port = bouncer.Port }.ConnectionString;
        await using var cluster = await NodeCluster.StartAsync(
            connection, Balancing.Passthrough, new Dictionary<string, string> { ["Store:TransactionPooler"] = pooler ? "true" : "false" }, direct);
        await using var clients = new LoadClients(cluster);
        clients.Start(2);
        await clients.MoreAsync(10);

        var (epoch, holder) = await HolderAsync(database, 0);
        await cluster.SignalAsync(holder, "STOP");
        var hung = TimeProvider.System.GetTimestamp();
        var (second, successor) = await HolderAsync(database, epoch);
        var afterHang = TimeProvider.System.GetElapsedTime(hung);
        await cluster.SignalAsync(holder, "CONT");
        Assert.NotEqual(holder, successor);
        await clients.MoreAsync(10);
        Assert.Equal(second, (await HolderAsync(database, epoch)).Epoch); // the one that is back leaves it

        await cluster.KillNodeAsync(successor);
        var died = TimeProvider.System.GetTimestamp();
        var (_, last) = await HolderAsync(database, second);
        var afterDeath = TimeProvider.System.GetElapsedTime(died);
        Assert.NotEqual(successor, last);
        await cluster.StartNodeAsync(successor);
        await clients.MoreAsync(10);
        await clients.FinishAsync();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{(pooler ? "behind PgBouncer" : "with sessions")}: taken {afterHang.TotalSeconds:0.0} s after a hang, {afterDeath.TotalSeconds:0.0} s after a death"));
        await Ledger.CheckAsync(cluster, clients, direct);
        Assert.True(!RunSettings.IsStrict || (afterHang < TimeSpan.FromSeconds(15) && afterDeath < TimeSpan.FromSeconds(15)), $"it took {afterHang} and {afterDeath}");
    }

    /// <summary>Who has the work in an epoch after the one given.</summary>
    private static async Task<(long Epoch, int Node)> HolderAsync(PostgresServer database, long after)
    {
        var text = await Patience.UntilAsync(
            async () => (string?)await database.ScalarAsync($"SELECT epoch || ' ' || holder FROM duties WHERE name = 'periodic' AND epoch > {after.ToString(CultureInfo.InvariantCulture)}"),
            "nobody takes the periodic work");
        var words = text.Split(' ');
        return (long.Parse(words[0], CultureInfo.InvariantCulture), int.Parse(words[1].AsSpan("node".Length), CultureInfo.InvariantCulture) - 1);
    }

    /// <summary>PgBouncer with the file of deploy/pgbouncer, before a server of this machine.</summary>
    private sealed class Bouncer : IDisposable
    {
        private readonly Process process;
        private readonly string folder;

        private Bouncer(Process process, string folder, int port)
        {
            this.process = process;
            this.folder = folder;
            Port = port;
        }

        public int Port { get; }

        public static async Task<Bouncer> StartAsync(int database)
        {
            var program = Requirement.Program("pgbouncer");
            var port = RunningAuthority.FreePort();
            var folder = Directory.CreateTempSubdirectory("persistca-bouncer-").FullName;

            // As it is shipped, but for its places, and without TLS and passwords: those are this machine's matter.
            var shipped = await File.ReadAllLinesAsync(Path.Combine(SourceTree.Root, "deploy", "pgbouncer", "pgbouncer.ini"));
            var lines = shipped.Where(l => !l.StartsWith("client_tls", StringComparison.Ordinal)).Select(l => l switch
            {
                "listen_addr = 0.0.0.0" => "listen_addr = 127.0.0.1",
                "listen_port = 6432" => "listen_port = " + port.ToString(CultureInfo.InvariantCulture),
                "auth_type = scram-sha-256" => "auth_type = any",
                _ when l.StartsWith("auth_file", StringComparison.Ordinal) => "",
                _ when l.StartsWith("persistca =", StringComparison.Ordinal) => $"persistca = host=127.0.0.1 port={database} dbname=persistca user=postgres",
                _ => l,
            });
            var file = Path.Combine(folder, "pgbouncer.ini");
            await File.WriteAllLinesAsync(file, lines);
            var arguments = new[] { "-q", file };
            var start = Environment.UserName == "root"
                ? new ProcessStartInfo("setpriv", ["--reuid=postgres", "--regid=postgres", "--init-groups", program, .. arguments])
                : new ProcessStartInfo(program, arguments);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(folder, (UnixFileMode)Convert.ToInt32("755", 8));
            }

            var bouncer = new Bouncer(Process.Start(start) ?? throw new InvalidOperationException("pgbouncer does not start"), folder, port);
            await Patience.UntilAsync(
                async () =>
                {
                    try
                    {
                        await using var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={port};Username=postgres;Database=persistca;Pooling=false");
                        await connection.OpenAsync();
                        return true;
                    }
                    catch (NpgsqlException)
                    {
                        return false;
                    }
                },
                "there is no way through pgbouncer");
            return bouncer;
        }

        public void Dispose()
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
            Directory.Delete(folder, recursive: true);
        }
    }
}

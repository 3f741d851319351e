using System.Globalization;
using System.Threading.Channels;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace PersistCa.Storage.Postgres;

/// <summary>
/// The one connection that a node keeps open: it listens to the other nodes, and holds the lock of the duties it has. The server ends it when the node dies
/// or falls silent, and frees its locks with it.
/// </summary>
public sealed class NodeSession : IAsyncDisposable
{
    /// <summary>Longest silence of a node before the server ends its session.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(10);

    /// <summary>How often a node has to be heard.</summary>
    public static readonly TimeSpan Beat = TimeSpan.FromSeconds(3);

    /// <summary>Most octets of a message; PostgreSQL has 8000.</summary>
    public const int MaxMessageOctets = 7800;

    private const string Channel = "persistca";

    /// <summary>The name by which sessions of nodes are counted in pg_stat_activity.</summary>
    private const string ApplicationName = "persistca node";

    private readonly NpgsqlConnection connection;
    private readonly Channel<string> heard = System.Threading.Channels.Channel.CreateBounded<string>(new BoundedChannelOptions(1000) { FullMode = BoundedChannelFullMode.DropOldest });

    private NodeSession(NpgsqlConnection connection)
    {
        this.connection = connection;
        connection.Notification += (_, e) =>
        {
            if (e.PID != connection.ProcessID)
            {
                heard.Writer.TryWrite(e.Payload);
            }
        };
    }

    /// <summary>Opens it and begins to listen.</summary>
    /// <exception cref="NpgsqlException">The database does not answer.</exception>
    public static async Task<NodeSession> OpenAsync(string connectionString, CancellationToken cancel)
    {
        var text = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, ApplicationName = ApplicationName, Multiplexing = false };
        if (text.CommandTimeout is 0 or > 10)
        {
            text.CommandTimeout = 10; // a command on it that takes longer says that the database is away
        }

        var connection = new NpgsqlConnection(text.ConnectionString);
        try
        {
            await connection.OpenAsync(cancel);

            // A node that dies with its machine, or is stopped, must not keep its locks: the server looks whether it is there (tcp_*), and whether it speaks.
            var silence = ((int)LongestSilence.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
            await using var batch = new NpgsqlBatch(connection)
            {
                BatchCommands =
                {
                    new NpgsqlBatchCommand("SET tcp_keepalives_idle = 3"),
                    new NpgsqlBatchCommand("SET tcp_keepalives_interval = 2"),
                    new NpgsqlBatchCommand("SET tcp_keepalives_count = 3"),
                    new NpgsqlBatchCommand($"SET tcp_user_timeout = {silence}"),
                    new NpgsqlBatchCommand($"SET idle_session_timeout = {silence}"),
                    new NpgsqlBatchCommand("LISTEN " + Channel),
                },
            };
            await batch.ExecuteNonQueryAsync(cancel);
            return new NodeSession(connection);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Tries to get a lock, which is kept as long as the session.</summary>
    public async Task<bool> TryLockAsync(long key, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("SELECT pg_try_advisory_lock($1)", connection) { Parameters = { new() { Value = key } } };
        return (bool)(await command.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>Shows the server that this node is there, and asks how many are.</summary>
    /// <returns>Nodes that have a session, this one included.</returns>
    public async Task<long> BeatAsync(CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1", connection) { Parameters = { new() { Value = ApplicationName } } };
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>Waits for messages of other nodes, at most for a beat.</summary>
    /// <returns>What was heard, nothing as a rule.</returns>
    public async Task<IReadOnlyList<string>> WaitAsync(TimeSpan most, CancellationToken cancel)
    {
        if (heard.Reader.Count == 0 && most > TimeSpan.Zero)
        {
            await connection.WaitAsync(most, cancel);
        }

        var messages = new List<string>();
        while (heard.Reader.TryRead(out var message))
        {
            messages.Add(message);
        }

        return messages;
    }

    /// <summary>Gives a lock up.</summary>
    public async Task UnlockAsync(long key, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("SELECT pg_advisory_unlock($1)", connection) { Parameters = { new() { Value = key } } };
        await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>Tells the other nodes something.</summary>
    /// <param name="db">Any connection: news need no session.</param>
    /// <param name="message">At most <see cref="MaxMessageOctets"/>.</param>
    /// <param name="cancel">Stops.</param>
    public static Task<int> TellAsync(CaDb db, string message, CancellationToken cancel) => db.Database.ExecuteSqlAsync($"SELECT pg_notify({Channel}, {message})", cancel);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => connection.DisposeAsync();
}

using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Storage.Nodes;
using PersistCa.Storage.Postgres;

namespace PersistCa.Server.Workers;

/// <summary>Keeps this node in touch with the others: hears their news, tells its own, and takes the periodic work when nobody has it.</summary>
internal sealed partial class NodeWorker(
    CaStore store,
    DutyBook book,
    PeriodicDuty duty,
    NodeBell bell,
    WorkSignal work,
    Completions completions,
    CrlSignal lists,
    NodeIdentity node,
    Readiness readiness,
    PersistCaOptions options,
    TimeProvider clock,
    ILogger<NodeWorker> logger) : BackgroundService
{
    /// <summary>Where no session says that its holder lives, a duty is left to it for so long after it was last heard of.</summary>
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(10);

    /// <summary>Between two messages: what came up meanwhile goes together.</summary>
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>The lock of the periodic work: "persistp" in ASCII.</summary>
    private const long PeriodicLock = 0x7065727369737470;

    private readonly bool works = options.Server.Roles.Count == 0 || options.Server.Roles.Contains("worker");

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => options.Store switch
    {
        { Kind: StoreKind.Sqlite } => AloneAsync(stoppingToken),
        { TransactionPooler: true } => LeaseAsync(stoppingToken),
        _ => Task.WhenAll(LinkAsync(stoppingToken), TellAsync(stoppingToken)),
    };

    /// <summary>SQLite: no other process has the file, so that nobody else can have the duty.</summary>
    private async Task AloneAsync(CancellationToken cancel)
    {
        while (works && duty.Epoch is null)
        {
            try
            {
                Took(await book.TakeAsync(DutyBook.Periodic, node.Name, null, cancel));
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogAway(logger, e);
                await Task.Delay(Pause, clock, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Behind a pooler: the duty is a row with a time.</summary>
    private async Task LeaseAsync(CancellationToken cancel)
    {
        while (works && !cancel.IsCancellationRequested)
        {
            try
            {
                if (readiness.Leaving.IsCancellationRequested)
                {
                    break;
                }

                if (duty.Epoch is not { } epoch)
                {
                    Took(await book.TakeAsync(DutyBook.Periodic, node.Name, Hold, cancel));
                }
                else if (!await book.KeepAsync(DutyBook.Periodic, epoch, Hold, cancel))
                {
                    duty.End();
                    LogLost(logger);
                }
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                duty.End();
                LogAway(logger, e);
            }

            await Task.Delay(NodeSession.Beat, clock, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (duty.Epoch is { } last)
        {
            duty.End();
            await book.LeaveAsync(DutyBook.Periodic, last, CancellationToken.None);
        }
    }

    /// <summary>A session with the database that listens, and whose lock is the duty.</summary>
    private async Task LinkAsync(CancellationToken cancel)
    {
        var wasAway = false;
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await using var session = await NodeSession.OpenAsync(options.Store.ConnectionString, cancel);
                if (wasAway)
                {
                    LogBack(logger);
                    wasAway = false;
                }

                await LiveAsync(session, cancel);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                if (!wasAway)
                {
                    LogAway(logger, e);
                }

                wasAway = true;
            }
            finally
            {
                duty.End();
                bell.IsHeard = false;
            }

            await Task.Delay(Pause, clock, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LiveAsync(NodeSession session, CancellationToken cancel)
    {
        while (true)
        {
            bell.IsHeard = await session.BeatAsync(cancel) > 1;
            if (readiness.Leaving.IsCancellationRequested)
            {
                if (duty.Epoch is not null)
                {
                    duty.End();
                    await session.UnlockAsync(PeriodicLock, cancel);
                }
            }
            else if (works && duty.Epoch is null && await session.TryLockAsync(PeriodicLock, cancel))
            {
                Took(await book.TakeAsync(DutyBook.Periodic, node.Name, null, cancel));
            }

            for (var start = clock.GetTimestamp(); clock.GetElapsedTime(start) is var passed && passed < NodeSession.Beat;)
            {
                foreach (var message in await session.WaitAsync(NodeSession.Beat - passed, cancel))
                {
                    NodeBell.Hear(message, work, completions, lists);
                }
            }
        }
    }

    private async Task TellAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                var message = await bell.TakeAsync(NodeSession.MaxMessageOctets, cancel);
                await store.ReadAsync(db => NodeSession.TellAsync(db, message, cancel), cancel);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogUntold(logger, e); // others look by themselves
            }

            await Task.Delay(Gather, clock, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Took(long? epoch)
    {
        if (epoch is { } taken)
        {
            duty.Begin(taken);
            LogTook(logger, taken);
        }
    }

    [LoggerMessage(LogLevel.Information, "This node has the periodic work now, epoch {Epoch}")]
    private static partial void LogTook(ILogger logger, long epoch);

    [LoggerMessage(LogLevel.Warning, "Another node took the periodic work")]
    private static partial void LogLost(ILogger logger);

    [LoggerMessage(LogLevel.Warning, "The session with the database was lost; it is tried again")]
    private static partial void LogAway(ILogger logger, Exception exception);

    [LoggerMessage(LogLevel.Information, "The session with the database is back")]
    private static partial void LogBack(ILogger logger);

    [LoggerMessage(LogLevel.Debug, "The other nodes could not be told")]
    private static partial void LogUntold(ILogger logger, Exception exception);
}

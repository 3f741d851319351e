using PersistCa.Issuance.KeyStores;
using PersistCa.Server.Registration;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Server.Workers;

/// <summary>
/// Takes leased items through a handler, so many at a time. A handler that throws has met broken surroundings: the item goes back with a
/// growing delay and is tried again, since a verdict would have been returned, not thrown; what fails every time is given up in the end.
/// </summary>
internal abstract partial class LeaseLoop(WorkKind kind, WorkLeases leases, WorkSignal signal, NodeIdentity node, TimeProvider clock, ILogger logger) : BackgroundService
{
    /// <summary>How long a lease lasts; several times the longest a handler may take.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    /// <summary>How often the queue is looked at without a signal: other nodes and lapsed leases give none.</summary>
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(1);

    /// <summary>Names the objects at hand on every log line of a handler.</summary>
    protected static readonly Func<ILogger, string, string, IDisposable?> Scope =
        LoggerMessage.DefineScope<string, string>("account {AccountId} {Subject}");

    /// <summary>The time.</summary>
    protected TimeProvider Clock => clock;

    /// <summary>Items at a time.</summary>
    protected abstract int Concurrency { get; }

    /// <summary>Attempts after which work is given up.</summary>
    protected abstract int MaxAttempts { get; }

    /// <summary>Records that the work cannot be done: it was tried too often, each time in vain.</summary>
    protected abstract Task GiveUpAsync(WorkItem item, CancellationToken cancel);

    /// <summary>Does the work and records its outcome.</summary>
    protected abstract Task HandleAsync(WorkItem item, CancellationToken cancel);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var free = new SemaphoreSlim(Concurrency, Concurrency);
        var failures = 0;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await free.WaitAsync(stoppingToken);
                var most = 1;
                while (most < Concurrency && free.CurrentCount > 0 && await free.WaitAsync(TimeSpan.Zero, stoppingToken))
                {
                    most++;
                }

                var started = 0;
                try
                {
                    var items = await leases.LeaseAsync(kind, node.Name, most, Lease, WorkShares.Of(Concurrency), stoppingToken);
                    failures = 0;
                    foreach (var item in items)
                    {
                        started++;
                        _ = RunAsync(item, free, stoppingToken);
                    }
                }
                finally
                {
                    if (most > started)
                    {
                        free.Release(most - started);
                    }
                }

                if (started < most)
                {
                    await signal.WaitAsync(kind, Poll, clock, stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                failures++;
                LogQueueFailed(logger, e, kind);
                await Task.Delay(Backoff(failures), clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Gives an item back, to be tried again after a delay that grows with its attempts.</summary>
    protected Task PostponeAsync(WorkItem item, CancellationToken cancel) => leases.PostponeAsync(item, Backoff(item.Attempts), cancel);

    /// <summary>Gives an item back that waits for something that is nobody's fault and will pass: the attempt does not count.</summary>
    protected Task WaitAsync(WorkItem item, CancellationToken cancel) => leases.PostponeAsync(item, AwayDelay(clock.GetUtcNow() - item.CreatedAt), cancel, counted: false);

    private async Task RunAsync(WorkItem item, SemaphoreSlim free, CancellationToken cancel)
    {
        try
        {
            if (item.Attempts > MaxAttempts)
            {
                LogGivenUp(logger, kind, item.SubjectId, MaxAttempts);
                await GiveUpAsync(item, cancel);
            }
            else
            {
                await HandleAsync(item, cancel);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // Stopping: the lease is freed at the next start of this node, or lapses.
        }
        catch (KeyStoreAwayException e)
        {
            // No fault of the work's: it waits as long as the key store is away, and the attempt does not count.
            LogKeyStoreAway(logger, kind, item.SubjectId, e.Message);
            await PutBackAsync(item, AwayDelay(clock.GetUtcNow() - item.CreatedAt), counted: false, cancel);
        }
        catch (Exception e)
        {
            LogItemFailed(logger, e, kind, item.SubjectId, item.Attempts);
            await PutBackAsync(item, Backoff(item.Attempts), counted: true, cancel);
        }
        finally
        {
            Release(free);
        }
    }

    private static void Release(SemaphoreSlim free)
    {
        try
        {
            free.Release();
        }
        catch (ObjectDisposedException)
        {
            // The loop has ended meanwhile: nobody waits for the place.
        }
    }

    private async Task PutBackAsync(WorkItem item, TimeSpan delay, bool counted, CancellationToken cancel)
    {
        try
        {
            await leases.PostponeAsync(item, delay, cancel, counted);
        }
        catch (Exception e)
        {
            LogItemFailed(logger, e, kind, item.SubjectId, item.Attempts); // its lease lapses by itself
        }
    }

    /// <summary>A quarter of the time the work has waited already, within half a second and half a minute.</summary>
    private static TimeSpan AwayDelay(TimeSpan age) => TimeSpan.FromSeconds(Math.Clamp(age.TotalSeconds / 4, 0.5, 30));

    private static TimeSpan Backoff(int attempt) =>
        TimeSpan.FromMilliseconds(Math.Min(LongestDelay.TotalMilliseconds, 250 * Math.Pow(2, Math.Min(attempt, 12))));

    [LoggerMessage(LogLevel.Error, "The {Kind} queue cannot be read")]
    private static partial void LogQueueFailed(ILogger logger, Exception exception, WorkKind kind);

    [LoggerMessage(LogLevel.Warning, "{Kind} work on {Subject} waits for the key store: {Reason}")]
    private static partial void LogKeyStoreAway(ILogger logger, WorkKind kind, long subject, string reason);

    [LoggerMessage(LogLevel.Critical, "{Kind} work on {Subject} is given up after {Attempts} attempts")]
    private static partial void LogGivenUp(ILogger logger, WorkKind kind, long subject, int attempts);

    [LoggerMessage(LogLevel.Error, "{Kind} work on {Subject} failed at attempt {Attempt} and will be tried again")]
    private static partial void LogItemFailed(ILogger logger, Exception exception, WorkKind kind, long subject, int attempt);
}

/// <summary>This node among those that share the database.</summary>
/// <param name="Name">Its name.</param>
public sealed record NodeIdentity(string Name);

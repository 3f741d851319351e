using System.Collections.Concurrent;
using PersistCa.Issuance.KeyStores;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Server.Workers;

/// <summary>
/// Takes leased items through a handler, so many at a time. A handler that throws has met broken surroundings: the item goes back with a
/// growing delay and is tried again, since a verdict would have been returned, not thrown; what fails every time is parked, and given up in the end.
/// </summary>
internal abstract partial class LeaseLoop(WorkKind kind, WorkLeases leases, WorkSignal signal, NodeIdentity node, Readiness readiness, PersistCaOptions options, TimeProvider clock, ILogger logger)
    : BackgroundService
{
    /// <summary>How long a lease lasts; several times the longest a handler may take.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    /// <summary>How often the queue is looked at without a signal: other nodes and lapsed leases give none.</summary>
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    /// <summary>While the queue itself cannot be read: the database may be back in a moment, and clients wait.</summary>
    private static readonly TimeSpan LongestQueueDelay = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<long, bool> running = new();

    /// <summary>Names the objects at hand on every log line of a handler.</summary>
    protected static readonly Func<ILogger, string, string, IDisposable?> Scope =
        LoggerMessage.DefineScope<string, string>("account {AccountId} {Subject}");

    /// <summary>The time.</summary>
    protected TimeProvider Clock => clock;

    /// <summary>The configuration.</summary>
    protected PersistCaOptions Options => options;

    /// <summary>Items at a time.</summary>
    protected abstract int Concurrency { get; }

    /// <summary>Records that the work cannot be done: it was tried too often, each time in vain, and no operator released it.</summary>
    protected abstract Task GiveUpAsync(WorkItem item, CancellationToken cancel);

    /// <summary>Does the work and records its outcome.</summary>
    protected abstract Task HandleAsync(WorkItem item, CancellationToken cancel);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var free = new SemaphoreSlim(Concurrency, Concurrency);
        var places = new WorkPlaces(free, WorkShares.Of(Concurrency));
        using var leasing = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, readiness.Leaving);
        signal.Serve(kind, true);
        var leaving = leasing.Token;
        signal.TakeByHand(kind, (account, domain) => leaving.IsCancellationRequested ? null
            : places.Take(account, domain, new QueueLease(node.Name, Lease), item => RunAsync(item, places, stoppingToken)));
        try
        {
            await LeaseAsync(places, leaving, stoppingToken);
        }
        finally
        {
            signal.Serve(kind, false);
            signal.TakeByHand(kind, null);
        }

        // What is under way comes to its end, or back into the queue once this node stops in earnest.
        for (var place = 0; place < Concurrency; place++)
        {
            await free.WaitAsync(CancellationToken.None);
        }
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        readiness.Stopping();
        if (ExecuteTask is { } executing)
        {
            await executing.WaitAsync(options.Server.StopTimeout, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await base.StopAsync(cancellationToken);
    }

    private async Task LeaseAsync(WorkPlaces places, CancellationToken leaving, CancellationToken stoppingToken)
    {
        // While the queue is looked at, some places stay for what is handed over.
        var (free, share) = (places.Free, Math.Max(1, Concurrency / 2));
        var failures = 0;
        while (!leaving.IsCancellationRequested)
        {
            try
            {
                await free.WaitAsync(leaving);
                var most = 1;
                while (most < share && free.CurrentCount > 0 && await free.WaitAsync(TimeSpan.Zero, CancellationToken.None))
                {
                    most++;
                }

                var started = 0;
                try
                {
                    if (failures > 0)
                    {
                        // Before the queue was away it may have given leases of which no word came back.
                        await leases.ReleaseNodeAsync(kind, node.Name, running.Keys, stoppingToken);
                    }

                    // Not called off once it is on its way: what it leases has to be known.
                    var items = await leases.LeaseAsync(kind, node.Name, most, Lease, WorkShares.Of(Concurrency), stoppingToken);
                    failures = 0;
                    foreach (var item in items)
                    {
                        started++;
                        places.Begin(item.AccountId, item.Domain);
                        _ = RunAsync(item, places, stoppingToken);
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
                    await signal.WaitAsync(kind, Poll, clock, leaving);
                }
                else if (free.CurrentCount == 0)
                {
                    signal.Overflow(kind);
                }
            }
            catch (OperationCanceledException) when (leaving.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                failures++;
                LogQueueFailed(logger, e, kind);
                await Task.Delay(Backoff(failures, LongestQueueDelay), clock, leaving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Gives an item back, to be tried again after a delay that grows with its attempts.</summary>
    protected Task PostponeAsync(WorkItem item, CancellationToken cancel) => leases.PostponeAsync(item, Backoff(item.Attempts, WorkLeases.LongestDelay), cancel);

    /// <summary>Gives an item back that waits for something that is nobody's fault and will pass: the attempt does not count.</summary>
    protected Task WaitAsync(WorkItem item, CancellationToken cancel) => leases.PostponeAsync(item, AwayDelay(clock.GetUtcNow() - item.CreatedAt), cancel, counted: false);

    private async Task RunAsync(WorkItem item, WorkPlaces places, CancellationToken cancel)
    {
        running[item.Id] = true;
        try
        {
            if (item.ParkedAt is not null)
            {
                LogGivenUp(logger, kind, item.SubjectId, options.Server.ParkedLifetime);
                await GiveUpAsync(item, cancel);
            }
            else
            {
                await HandleAsync(item, cancel);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // Stopping: another node, or this one after its start, begins anew.
            await PutBackAsync(item, TimeSpan.Zero, counted: false, null);
        }
        catch (KeyStoreAwayException e)
        {
            // No fault of the work's: it waits as long as the key store is away, and the attempt does not count.
            LogKeyStoreAway(logger, kind, item.SubjectId, e.Message);
            await PutBackAsync(item, AwayDelay(clock.GetUtcNow() - item.CreatedAt), counted: false, "the key store is away: " + e.Message);
        }
        catch (Exception e)
        {
            LogItemFailed(logger, e, kind, item.SubjectId, item.Attempts);
            await PutBackAsync(item, Backoff(item.Attempts, WorkLeases.LongestDelay), counted: true, $"{e.GetType().Name}: {e.Message}");
        }
        finally
        {
            running.TryRemove(item.Id, out _);
            places.End(item.AccountId, item.Domain);
        }
    }

    /// <summary>Puts an item back, or parks it after its last attempt; also while the node stops.</summary>
    private async Task PutBackAsync(WorkItem item, TimeSpan delay, bool counted, string? reason)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await PutBackOnceAsync(item, delay, counted, reason);
                return;
            }
            catch (Exception e)
            {
                // The database is away, as a rule. When it is back the work should not wait for its lease to lapse.
                LogItemFailed(logger, e, kind, item.SubjectId, item.Attempts);
                if (clock.GetUtcNow() >= item.LeasedUntil || (attempt > 1 && readiness.Leaving.IsCancellationRequested))
                {
                    return;
                }

                await Task.Delay(Backoff(attempt, LongestQueueDelay), clock, CancellationToken.None);
            }
        }
    }

    private async Task PutBackOnceAsync(WorkItem item, TimeSpan delay, bool counted, string? reason)
    {
        if (!counted || item.Attempts < options.Server.MaxWorkAttempts)
        {
            await leases.PostponeAsync(item, delay, CancellationToken.None, counted, reason);
            return;
        }

        // One that is parked already and could not be given up either stays parked, and is given up a little later.
        await leases.ParkAsync(item, item.ParkedAt is null ? options.Server.ParkedLifetime : delay, reason ?? "", CancellationToken.None);
        LogParked(logger, kind, item.SubjectId, item.Attempts, reason ?? "", options.Server.ParkedLifetime);
    }

    /// <summary>A quarter of the time the work has waited already, within half a second and half a minute.</summary>
    private static TimeSpan AwayDelay(TimeSpan age) => TimeSpan.FromSeconds(Math.Clamp(age.TotalSeconds / 4, 0.5, 30));

    private static TimeSpan Backoff(int attempt, TimeSpan longest) =>
        TimeSpan.FromMilliseconds(Math.Min(longest.TotalMilliseconds, 250 * Math.Pow(2, Math.Min(attempt, 12))));

    [LoggerMessage(LogLevel.Error, "The {Kind} queue cannot be read")]
    private static partial void LogQueueFailed(ILogger logger, Exception exception, WorkKind kind);

    [LoggerMessage(LogLevel.Warning, "{Kind} work on {Subject} waits for the key store: {Reason}")]
    private static partial void LogKeyStoreAway(ILogger logger, WorkKind kind, long subject, string reason);

    [LoggerMessage(LogLevel.Critical, "{Kind} work on {Subject} is parked after {Attempts} attempts in vain ({Reason}); unless an operator releases it, it is given up in {Lifetime}")]
    private static partial void LogParked(ILogger logger, WorkKind kind, long subject, int attempts, string reason, TimeSpan lifetime);

    [LoggerMessage(LogLevel.Critical, "{Kind} work on {Subject} is given up: it was parked for {Lifetime}")]
    private static partial void LogGivenUp(ILogger logger, WorkKind kind, long subject, TimeSpan lifetime);

    [LoggerMessage(LogLevel.Error, "{Kind} work on {Subject} failed at attempt {Attempt} and will be tried again")]
    private static partial void LogItemFailed(ILogger logger, Exception exception, WorkKind kind, long subject, int attempt);
}

/// <summary>This node among those that share the database.</summary>
/// <param name="Name">Its name.</param>
public sealed record NodeIdentity(string Name);

using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using PersistCa.Server.Hosting;
using PersistCa.Server.Telemetry;
using PersistCa.Storage;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Server.Workers;

/// <summary>Forgets stale nonces and what lapsed long ago, and measures the queues.</summary>
internal sealed partial class UpkeepWorker(StoreUpkeep upkeep, WorkLeases leases, PeriodicDuty duty, PersistCaOptions options, TimeProvider clock, ILogger<UpkeepWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan NonceInterval = TimeSpan.FromMinutes(10);

    /// <summary>Orders, and authorizations, deleted at a time.</summary>
    private const int MostForgotten = 1000;

    private ImmutableArray<Measurement<long>> depths = [];
    private ImmutableArray<Measurement<long>> parked = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        CaTelemetry.ObserveQueues(() => depths, () => parked);
        using var timer = new PeriodicTimer(Interval, clock);
        var nonces = clock.GetTimestamp();
        do
        {
            try
            {
                var (waiting, stuck) = (ImmutableArray.CreateBuilder<Measurement<long>>(), ImmutableArray.CreateBuilder<Measurement<long>>());
                foreach (var kind in Enum.GetValues<WorkKind>())
                {
                    var tag = new KeyValuePair<string, object?>("kind", kind.ToString().ToLowerInvariant());
                    waiting.Add(new Measurement<long>(await leases.DepthAsync(kind, stoppingToken), tag));
                    stuck.Add(new Measurement<long>(await leases.ParkedAsync(kind, stoppingToken), tag));
                }

                (depths, parked) = (waiting.ToImmutable(), stuck.ToImmutable());
                if (duty.Epoch is not null && clock.GetElapsedTime(nonces) > NonceInterval)
                {
                    nonces = clock.GetTimestamp();
                    await upkeep.ForgetStaleNoncesAsync(stoppingToken);
                    await upkeep.ForgetFullBucketsAsync(stoppingToken);
                    await upkeep.ForgetLapsedAsync(clock.GetUtcNow() - options.Store.KeepLapsed, MostForgotten, stoppingToken);
                }
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogFailed(logger, e);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    [LoggerMessage(LogLevel.Warning, "Upkeep of the store failed; it is tried again")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}

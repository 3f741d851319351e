using PersistCa.Issuance.KeyStores;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Workers;

/// <summary>Probes the key stores; while one is away this node is not ready, and as soon as it is back it is.</summary>
internal sealed partial class KeyProbeWorker(KeyRing ring, Readiness readiness, PersistCaOptions options, TimeProvider clock, ILogger<KeyProbeWorker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.KeyStores.ProbeInterval, clock);
        string? before = null;
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var reason = await ProbeAsync(stoppingToken);
            readiness.KeyStores(reason is null ? null : $"the key store is away ({reason})");
            if (reason is not null && before is null)
            {
                LogAway(logger, reason);
            }
            else if (reason is null && before is not null)
            {
                LogBack(logger);
            }

            before = reason;
        }
    }

    private async Task<string?> ProbeAsync(CancellationToken cancel)
    {
        try
        {
            return await ring.ProbeAsync(cancel);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogProbeFailed(logger, e); // no store should throw; the worker outlives one that does
            return "its probe failed";
        }
    }

    [LoggerMessage(LogLevel.Error, "The key store is away: {Reason}. Orders wait; nothing is issued until it is back")]
    private static partial void LogAway(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Warning, "The key store is back")]
    private static partial void LogBack(ILogger logger);

    [LoggerMessage(LogLevel.Error, "The probe of the key stores failed")]
    private static partial void LogProbeFailed(ILogger logger, Exception exception);
}

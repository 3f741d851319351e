using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage;

namespace PersistCa.Server.Workers;

/// <summary>Looks now and then at what operators switched off through other nodes, for what is only shown.</summary>
internal sealed partial class SwitchWorker(CaStore store, SwitchBoard switches, PersistCaOptions options, TimeProvider clock, ILogger<SwitchWorker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Operators.SwitchInterval, clock);
        do
        {
            try
            {
                await store.ReadAsync(db => switches.LookAsync(db, stoppingToken), stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogFailed(logger, e);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    [LoggerMessage(LogLevel.Warning, "The switches of operators cannot be read; it is tried again")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}

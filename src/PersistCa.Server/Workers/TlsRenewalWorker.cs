using PersistCa.Server.Hosting;

namespace PersistCa.Server.Workers;

/// <summary>Renews the server's own TLS certificate in time.</summary>
internal sealed partial class TlsRenewalWorker(TlsIdentity identity, TimeProvider clock, ILogger<TlsRenewalWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Look = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Look, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (identity.RenewAt is not { } due || clock.GetUtcNow() < due)
            {
                continue;
            }

            try
            {
                await identity.PrepareAsync(stoppingToken);
                LogRenewed(logger);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogFailed(logger, e);
            }
        }
    }

    [LoggerMessage(LogLevel.Information, "Renewed this server's TLS certificate")]
    private static partial void LogRenewed(ILogger logger);

    [LoggerMessage(LogLevel.Error, "This server's TLS certificate could not be renewed; it is tried again")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}

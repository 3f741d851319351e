using PersistCa.Server.Registration;

namespace PersistCa.Server.Workers;

/// <summary>Goes on with bulk revocations that stand still: at the start with all that are unfinished, later with those at which nobody has been for a while.</summary>
internal sealed partial class RevocationWorker(RevocationRunner runner, PeriodicDuty duty, TimeProvider clock, ILogger<RevocationWorker> logger) : BackgroundService
{
    /// <summary>How often is looked.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(10);

    /// <summary>How long a revocation stands still before it is taken for left.</summary>
    private static readonly TimeSpan Still = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var still = TimeSpan.Zero;
        using var timer = new PeriodicTimer(Look, clock);
        do
        {
            await duty.WaitAsync(stoppingToken);
            await TryAsync(async () =>
            {
                if (await runner.ResumeAsync(still, stoppingToken) is > 0 and var resumed)
                {
                    LogResumed(logger, resumed);
                }

                still = Still;
            });
            await TryAsync(async () =>
            {
                if (await runner.BeginDueAsync(stoppingToken) is > 0 and var begun)
                {
                    LogBegun(logger, begun);
                }
            });
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>One that cannot be gone on with keeps nothing else from its time.</summary>
    private async Task TryAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogFailed(logger, e);
        }
    }

    [LoggerMessage(LogLevel.Information, "{Resumed} bulk revocations that stood still were finished")]
    private static partial void LogResumed(ILogger logger, int resumed);

    [LoggerMessage(LogLevel.Information, "{Begun} bulk revocations whose planned time had come were carried out")]
    private static partial void LogBegun(ILogger logger, int begun);

    [LoggerMessage(LogLevel.Error, "A bulk revocation could not be gone on with; it is tried again")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}

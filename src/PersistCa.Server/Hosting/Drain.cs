namespace PersistCa.Server.Hosting;

/// <summary>
/// The orderly end of a node. It says first that it is not ready and takes requests a while longer, so that no balancer sends one to a closed door; no new
/// work is leased meanwhile. Then the doors close, requests in flight are answered, work under way is finished, and what is not goes back to the queue.
/// </summary>
internal sealed partial class Drain(Readiness readiness, PersistCaOptions options, TimeProvider clock, ILogger<Drain> logger) : IHostedLifecycleService
{
    private bool drained;

    /// <summary>Time that is left, after requests and work had theirs, to put back what is not finished.</summary>
    public static TimeSpan Rest { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Before anything stops: the host awaits this.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        readiness.Stopping();
        if (drained)
        {
            return; // a host may be stopped twice
        }

        drained = true;
        LogDraining(logger, options.Server.DrainDelay);
        await Task.Delay(options.Server.DrainDelay, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        LogStopped(logger);
        return Task.CompletedTask;
    }

    /// <summary>Asks clients and balancers to take another connection, which leads to another node.</summary>
    public static void UseFarewell(IApplicationBuilder app)
    {
        var readiness = app.ApplicationServices.GetRequiredService<Readiness>();
        app.Use((context, next) =>
        {
            if (readiness.Leaving.IsCancellationRequested && HttpProtocol.IsHttp11(context.Request.Protocol))
            {
                context.Response.Headers.Connection = "close";
            }

            return next(context);
        });
    }

    [LoggerMessage(LogLevel.Information, "Told to stop: not ready any more, requests are taken for {Delay} longer")]
    private static partial void LogDraining(ILogger logger, TimeSpan delay);

    [LoggerMessage(LogLevel.Information, "Stopped")]
    private static partial void LogStopped(ILogger logger);
}

namespace PersistCa.Server.Hosting;

/// <summary>A server that is up. Disposing of it stops it in order: requests first, then workers.</summary>
public sealed class RunningServer(WebApplication app, WebApplication? perspective, IDisposable? hold) : IAsyncDisposable
{
    /// <summary>What it is made of.</summary>
    public IServiceProvider Services => app.Services;

    /// <summary>Waits until the process is told to stop.</summary>
    public Task WaitAsync(CancellationToken cancel) => app.WaitForShutdownAsync(cancel);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        if (perspective is not null)
        {
            await perspective.StopAsync();
            await perspective.DisposeAsync();
        }

        hold?.Dispose();
    }
}

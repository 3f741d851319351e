namespace PersistCa.Server.Hosting;

/// <summary>Whether this node can do its work, as far as it knows itself, and whether it is about to go.</summary>
public sealed class Readiness : IDisposable
{
    private readonly CancellationTokenSource leaving = new();
    private volatile string? notReady = "starting";
    private volatile string? keyStores;
    private volatile bool isGone;

    /// <summary>Begins with a node that is not ready.</summary>
    public Readiness() => Leaving = leaving.Token;

    /// <summary>Why not; null when it can.</summary>
    public string? NotReady => notReady ?? keyStores;

    /// <summary>Cancelled when the node is told to stop: from then on it begins no work, and asks clients not to come back on the same connection.</summary>
    public CancellationToken Leaving { get; }

    /// <summary>What is wrong with the key stores; null when nothing is.</summary>
    public void KeyStores(string? reason) => keyStores = reason;

    /// <summary>The start is done.</summary>
    public void Started() => notReady = null;

    /// <summary>The node is going down: balancers should send requests elsewhere.</summary>
    public void Stopping()
    {
        notReady = "stopping";
        if (!isGone)
        {
            leaving.Cancel(); // a host may be stopped once more after its end
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        isGone = true;
        leaving.Dispose();
    }
}

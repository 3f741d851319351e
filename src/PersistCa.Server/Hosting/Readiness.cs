namespace PersistCa.Server.Hosting;

/// <summary>Whether this node can do its work, as far as it knows itself.</summary>
public sealed class Readiness
{
    private volatile string? notReady = "starting";

    /// <summary>Why not; null when it can.</summary>
    public string? NotReady => notReady;

    /// <summary>The start is done.</summary>
    public void Started() => notReady = null;

    /// <summary>The node is going down: balancers should send requests elsewhere.</summary>
    public void Stopping() => notReady = "stopping";
}

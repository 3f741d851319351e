namespace PersistCa.Server.Hosting;

/// <summary>Whether this node can do its work, as far as it knows itself.</summary>
public sealed class Readiness
{
    private volatile string? notReady = "starting";
    private volatile string? keyStores;

    /// <summary>Why not; null when it can.</summary>
    public string? NotReady => notReady ?? keyStores;

    /// <summary>What is wrong with the key stores; null when nothing is.</summary>
    public void KeyStores(string? reason) => keyStores = reason;

    /// <summary>The start is done.</summary>
    public void Started() => notReady = null;

    /// <summary>The node is going down: balancers should send requests elsewhere.</summary>
    public void Stopping() => notReady = "stopping";
}

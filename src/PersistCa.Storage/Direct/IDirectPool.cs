namespace PersistCa.Storage.Direct;

/// <summary>Gives connections for statements that run without the model.</summary>
internal interface IDirectPool
{
    /// <summary>Takes one; whoever took it disposes it.</summary>
    public ValueTask<DirectConnection> TakeAsync(CancellationToken cancel);
}

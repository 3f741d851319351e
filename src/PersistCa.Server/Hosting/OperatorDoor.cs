namespace PersistCa.Server.Hosting;

/// <summary>Marks connections to the door for operators alone.</summary>
internal sealed class OperatorDoor
{
    /// <summary>The mark.</summary>
    public static readonly OperatorDoor Here = new();

    private OperatorDoor()
    {
    }
}

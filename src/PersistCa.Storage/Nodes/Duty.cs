namespace PersistCa.Storage.Nodes;

/// <summary>Something that one node at a time does. Whoever takes it raises the epoch: what an earlier holder still writes is refused by its epoch.</summary>
public sealed class Duty
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>How often it was taken.</summary>
    public long Epoch { get; set; }

    /// <summary>Name of the node that has it.</summary>
    public required string Holder { get; set; }

    /// <summary>When it was taken.</summary>
    public DateTimeOffset TakenAt { get; set; }

    /// <summary>Where no lock says whether its holder lives: until when others leave it to him.</summary>
    public DateTimeOffset HeldUntil { get; set; }
}

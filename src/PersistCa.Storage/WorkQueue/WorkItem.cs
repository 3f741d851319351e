namespace PersistCa.Storage.WorkQueue;

/// <summary>Kinds of queued work.</summary>
public enum WorkKind
{
    /// <summary>Validate a challenge.</summary>
    Validate = 1,

    /// <summary>Issue the certificate of an order.</summary>
    Issue = 2,
}

/// <summary>
/// Work that must be done once. The row is written in the transaction that makes the work necessary and deleted in the one that records its
/// outcome; a lease says who is at it meanwhile, and lapses when that node dies.
/// </summary>
public sealed class WorkItem
{
    /// <summary>Longest reason that is kept.</summary>
    public const int MaxReason = 500;

    public long Id { get; private set; }

    public WorkKind Kind { get; init; }

    /// <summary>Internal id of the authorization or order.</summary>
    public long SubjectId { get; init; }

    /// <summary>Ordinal of the challenge; 0 for orders.</summary>
    public int Ordinal { get; init; }

    /// <summary>Internal id of the account it is for: nobody takes all places.</summary>
    public long AccountId { get; init; }

    /// <summary>The domain it is about, empty for none: one that does not answer takes not all places.</summary>
    public string Domain { get; init; } = "";

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Not before this.</summary>
    public DateTimeOffset DueAt { get; set; }

    /// <summary>How often it was leased.</summary>
    public int Attempts { get; private set; }

    /// <summary>Node that works on it.</summary>
    public string? LeasedBy { get; set; }

    /// <summary>When the lease lapses.</summary>
    public DateTimeOffset? LeasedUntil { get; set; }

    /// <summary>Why the last attempt was in vain; null before the first that was.</summary>
    public string? Reason { get; private set; }

    /// <summary>Since when it is parked, tried too often: an operator releases it, or at <see cref="DueAt"/> it is given up. Null for work that is tried.</summary>
    public DateTimeOffset? ParkedAt { get; private set; }

    /// <summary>The store has kept it under this id.</summary>
    internal void Kept(long id) => Id = id;

    /// <summary>It is queued and leased at once, by the node that queues it.</summary>
    internal void LeaseAtOnce(string node, DateTimeOffset until) => (LeasedBy, LeasedUntil, Attempts) = (node, until, 1);

    /// <summary>Tries it again from the beginning.</summary>
    public void Release(DateTimeOffset now)
    {
        DueAt = now;
        ParkedAt = null;
        Attempts = 0;
    }

    /// <summary>W3C trace context of the order.</summary>
    public string? TraceParent { get; init; }
}

namespace PersistCa.Validation.Evidence;

/// <summary>What one remote perspective saw and what it comes to (BR section 5.4.1).</summary>
public sealed record PerspectiveEvidence
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>Its region, empty for unknown.</summary>
    public required string Region { get; init; }

    /// <summary>Corroborates, Differs or Failed.</summary>
    public required string Finding { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>dns-persist-01: the account of the record that corroborates, as it is written; null otherwise.</summary>
    public string? Account { get; init; }

    /// <summary>What a perspective that is asked over the network thinks itself of the proof of control: a cross-check; null when it was not asked.</summary>
    public bool? OwnOpinion { get; init; }

    /// <summary>The same of CAA.</summary>
    public bool? OwnOpinionOfCaa { get; init; }

    /// <summary>What went wrong on the way to it or there, null for nothing. May hold internal addresses.</summary>
    public string? Trouble { get; init; }

    /// <summary>How long it took, in milliseconds.</summary>
    public long Milliseconds { get; init; }

    /// <summary>Look-ups as told; null when there were none, or when they were left out for size.</summary>
    public IReadOnlyList<LookupEvidence>? Lookups { get; init; }

    /// <summary>dns-persist-01: our records it saw, and our judgement of each; null for none.</summary>
    public IReadOnlyList<RecordEvidence>? Judged { get; init; }

    /// <summary>What its CAA records come to, as one word; null when CAA was not asked.</summary>
    public string? Caa { get; init; }

    /// <summary>The CAA records that decided there, as zone files write them; null for none.</summary>
    public IReadOnlyList<string>? CaaRecords { get; init; }
}

/// <summary>What all remote perspectives come to.</summary>
/// <param name="Text">Corroborating out of asked, as "3/4".</param>
/// <param name="Satisfied">Whether that is enough.</param>
/// <param name="Reason">Why, as one word.</param>
/// <param name="Regime">The rules it was judged by: private or cabf-br.</param>
public sealed record QuorumEvidence(string Text, bool Satisfied, string Reason, string Regime)
{
    /// <summary>Registries' regions of those that corroborate; null for none.</summary>
    public IReadOnlyList<string>? Regions { get; init; }
}

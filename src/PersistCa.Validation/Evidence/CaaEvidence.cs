namespace PersistCa.Validation.Evidence;

/// <summary>
/// Everything one CAA check saw and why it was judged as it was (BR sections 3.2.2.8 and 5.4.1): kept with the order, refusals included, so that an
/// auditor can judge it again. Like other evidence it holds internal addresses and is never shown to an account.
/// </summary>
public sealed record CaaEvidence
{
    /// <summary>Version of this form, raised when a member changes its meaning.</summary>
    public int Version { get; init; } = 1;

    /// <summary>Name that was judged, without "*.".</summary>
    public required string Name { get; init; }

    /// <summary>Whether it was judged for the wildcard of that name.</summary>
    public required bool Wildcard { get; init; }

    /// <summary>Present URL of the account with which accounturi was compared, null when there was none.</summary>
    public string? AccountUrl { get; init; }

    /// <summary>Method with which validationmethods was compared, as on the wire.</summary>
    public required string ValidationMethod { get; init; }

    /// <summary>What became of the verdict: Enforce, Report or Off.</summary>
    public required string Mode { get; init; }

    /// <summary>When the first question was sent.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When the verdict was reached.</summary>
    public required DateTimeOffset FinishedAt { get; init; }

    /// <summary>The verdict: Permitted, Forbidden or Unknown.</summary>
    public required string Outcome { get; init; }

    /// <summary>Why, as one word.</summary>
    public required string Reason { get; init; }

    /// <summary>The same in sentences.</summary>
    public required string Detail { get; init; }

    /// <summary>Whether a certificate may be issued: permitted, or not enforced.</summary>
    public required bool MayIssue { get; init; }

    /// <summary>Until when that holds; null when it may not.</summary>
    public DateTimeOffset? FreshUntil { get; init; }

    /// <summary>Name whose records decided, null when there was none.</summary>
    public string? RelevantName { get; init; }

    /// <summary>The record that authorised, as zone files write it; null when none did.</summary>
    public string? Matched { get; init; }

    /// <summary>The URL of the account, present or former, that the accounturi of that record named; null when it has none.</summary>
    public string? MatchedAccountUrl { get; init; }

    /// <summary>Names whose failed look-up was excused, null when none was.</summary>
    public IReadOnlyList<string>? Excused { get; init; }

    /// <summary>Where the records want reports, null when nowhere.</summary>
    public IReadOnlyList<string>? Contacts { get; init; }

    /// <summary>Look-ups from the name upwards; null when there were none.</summary>
    public IReadOnlyList<LookupEvidence>? Lookups { get; init; }

    /// <summary>The records that decided and what each comes to; null when there were none.</summary>
    public IReadOnlyList<CaaRecordEvidence>? Judged { get; init; }

    /// <summary>What the remote perspectives come to; null when none was asked by this check.</summary>
    public QuorumEvidence? Quorum { get; init; }

    /// <summary>The remote perspectives, every one that was asked; null when none was.</summary>
    public IReadOnlyList<PerspectiveEvidence>? Perspectives { get; init; }

    /// <summary>Entries left out of lists to keep the whole within its size; null when none was.</summary>
    public int? Omitted { get; init; }
}

/// <summary>One CAA record and what it comes to.</summary>
/// <param name="Text">The record as zone files write it.</param>
/// <param name="Verdict">What it comes to, as one word.</param>
/// <param name="Detail">What is wrong with it; empty when nothing is.</param>
public sealed record CaaRecordEvidence(string Text, string Verdict, string Detail);

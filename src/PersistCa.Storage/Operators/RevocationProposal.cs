namespace PersistCa.Storage.Operators;

/// <summary>By what the certificates of a bulk revocation are chosen.</summary>
public enum CriterionKind
{
    /// <summary>SHA-256 of their SubjectPublicKeyInfo.</summary>
    Key = 1,

    /// <summary>Public id of their account.</summary>
    Account = 2,

    /// <summary>Id of their issuer.</summary>
    Issuer = 3,

    /// <summary>A name in them, or "*." and the name that theirs lie under.</summary>
    Name = 4,

    /// <summary>A list of serial numbers.</summary>
    Serials = 5,
}

/// <summary>What became of a proposal.</summary>
public enum ProposalStatus
{
    /// <summary>It waits for somebody else's approval.</summary>
    Pending = 1,

    /// <summary>Nobody approved it in time; for ever.</summary>
    Expired = 2,

    /// <summary>Decided, and being carried out.</summary>
    Running = 3,

    /// <summary>Carried out.</summary>
    Finished = 4,

    /// <summary>Decided, and not to be carried out before the time it was planned for.</summary>
    Scheduled = 5,
}

/// <summary>
/// A bulk revocation from its proposal to its end. The row says how far it has come, so that whoever finds it goes on. The database itself refuses an approver
/// who is the proposer, a start without approval above the limit, and an approval after the end.
/// </summary>
public sealed class RevocationProposal
{
    /// <summary>Longest comment.</summary>
    public const int MaxCommentLength = 500;

    /// <summary>Longest URL of an explanation.</summary>
    public const int MaxExplanationLength = 1024;

    public long Id { get; private set; }

    public required string PublicId { get; init; }

    public CriterionKind Kind { get; init; }

    /// <summary>The fingerprint, id or name; empty for a list of serial numbers, which the items are.</summary>
    public required string Criterion { get; init; }

    /// <summary>CRL reason code, null for none.</summary>
    public int? Reason { get; init; }

    public required string Comment { get; init; }

    /// <summary>Name of the operator who proposed it.</summary>
    public required string Proposer { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Before this it is not carried out, and from the proposal on the renewal windows of its certificates lie in the past (RFC 9773 section 4.2); null when it was not planned ahead.</summary>
    public DateTimeOffset? PlannedFor { get; init; }

    /// <summary>A page that says why, shown with the renewal windows; null for none of its own.</summary>
    public string? ExplanationUrl { get; init; }

    /// <summary>How many certificates matched.</summary>
    public int Matched { get; init; }

    /// <summary>SHA-256 over their serial numbers, sorted, a line each; lower-case hex.</summary>
    public required string MatchedSha256 { get; init; }

    /// <summary>How many the proposer could revoke alone by the configuration of that time.</summary>
    public int AloneUpTo { get; init; }

    /// <summary>Name of the operator who approved it; null for none, or not yet.</summary>
    public string? Approver { get; private set; }

    public DateTimeOffset? ApprovedAt { get; private set; }

    /// <summary>When it was decided, by approval or alone.</summary>
    public DateTimeOffset? StartedAt { get; private set; }

    /// <summary>When the last batch was done: of one that stands still somebody else takes care.</summary>
    public DateTimeOffset? ProgressAt { get; private set; }

    public DateTimeOffset? FinishedAt { get; private set; }

    /// <summary>How many of those proposed were revoked, or became keyCompromise.</summary>
    public int Revoked { get; private set; }

    /// <summary>How many that matched since were revoked too.</summary>
    public int RevokedSince { get; private set; }

    /// <summary>How many of those proposed had been revoked otherwise, or had ended, when their turn came.</summary>
    public int Gone { get; private set; }

    /// <summary>Concurrency token.</summary>
    public int Version { get; private set; }

    /// <summary>The certificates that matched. Loaded only where it is made.</summary>
    public List<RevocationItem> Items { get; } = [];

    /// <summary>Its state at a time.</summary>
    public ProposalStatus StatusAt(DateTimeOffset now) => this switch
    {
        { FinishedAt: not null } => ProposalStatus.Finished,
        { StartedAt: not null } => ProposalStatus.Running,
        { PlannedFor: not null } when Approver is not null || Matched <= AloneUpTo => ProposalStatus.Scheduled,
        _ => now < ExpiresAt ? ProposalStatus.Pending : ProposalStatus.Expired,
    };

    /// <summary>Another operator approves.</summary>
    /// <exception cref="InvalidOperationException">It does not wait for approval, or not for this one's.</exception>
    public void Approve(string approver, DateTimeOffset now)
    {
        if (StatusAt(now) != ProposalStatus.Pending || string.Equals(approver, Proposer, StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidOperationException($"a proposal of {Proposer} that is {StatusAt(now)} cannot be approved by {approver}");
        }

        Approver = approver;
        ApprovedAt = now;
        if (PlannedFor is not { } planned || now >= planned)
        {
            StartedAt = ProgressAt = now;
        }
    }

    /// <summary>The time has come that it was planned for.</summary>
    /// <exception cref="InvalidOperationException">It has not, or it was not decided.</exception>
    public void Begin(DateTimeOffset now)
    {
        if (StatusAt(now) != ProposalStatus.Scheduled || now < PlannedFor)
        {
            throw new InvalidOperationException($"a proposal that is {StatusAt(now)} and planned for {PlannedFor:O} does not begin at {now:O}");
        }

        StartedAt = ProgressAt = now;
    }

    /// <summary>It is small enough for the proposer alone.</summary>
    /// <exception cref="InvalidOperationException">It is not, or does not wait any more.</exception>
    public void StartAlone(DateTimeOffset now)
    {
        if (StatusAt(now) != ProposalStatus.Pending || Matched > AloneUpTo)
        {
            throw new InvalidOperationException($"a proposal that is {StatusAt(now)}, of {Matched} certificates, cannot be carried out by one where {AloneUpTo} can");
        }

        StartedAt = ProgressAt = now;
    }

    /// <summary>A batch is done.</summary>
    /// <param name="revoked">Of those proposed.</param>
    /// <param name="gone">Of those proposed, there was nothing to do for.</param>
    /// <param name="since">Of those that matched since.</param>
    /// <param name="now">The time.</param>
    public void Advance(int revoked, int gone, int since, DateTimeOffset now)
    {
        Require(now);
        Revoked += revoked;
        Gone += gone;
        RevokedSince += since;
        ProgressAt = now;
    }

    /// <summary>There is nothing left to do.</summary>
    public void Finish(DateTimeOffset now)
    {
        Require(now);
        FinishedAt = ProgressAt = now;
    }

    private void Require(DateTimeOffset now)
    {
        if (StatusAt(now) != ProposalStatus.Running)
        {
            throw new InvalidOperationException($"a proposal that is {StatusAt(now)} is not carried out");
        }
    }
}

/// <summary>A certificate of a proposal.</summary>
public sealed class RevocationItem
{
    public long ProposalId { get; private set; }

    /// <summary>Serial number, lower-case hex.</summary>
    public required string Serial { get; init; }

    /// <summary>When its turn was.</summary>
    public DateTimeOffset? DoneAt { get; set; }
}

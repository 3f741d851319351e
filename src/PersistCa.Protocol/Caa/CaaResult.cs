using PersistCa.Protocol.Acme;

namespace PersistCa.Protocol.Caa;

/// <summary>A verdict under its mode, at its time: what issuance asks.</summary>
/// <param name="Verdict">The verdict on the records.</param>
/// <param name="Mode">What becomes of it.</param>
/// <param name="CheckedAt">When the first question was sent.</param>
public sealed record CaaResult(CaaVerdict Verdict, CaaMode Mode, DateTimeOffset CheckedAt)
{
    /// <summary>Every permission may be used this long (BR section 3.2.2.8).</summary>
    public static readonly TimeSpan LeastAge = TimeSpan.FromHours(8);

    /// <summary>No permission is used longer, whatever the TTL says: a week, the limit that RFC 8767 section 4 gives to caches.</summary>
    public static readonly TimeSpan MostAge = TimeSpan.FromDays(7);

    /// <summary>Seconds after which a failed look-up is worth trying again.</summary>
    public const int RetryAfterSeconds = 60;

    /// <summary>The result for a name whose mode is <see cref="CaaMode.Off"/>: nothing was looked up.</summary>
    public static CaaResult SwitchedOff(DateTimeOffset now) =>
        new(new CaaVerdict(CaaOutcome.Permitted, CaaReason.SwitchedOff, "CAA is not looked at for this name."), CaaMode.Off, now);

    /// <summary>True when CAA does not stand in the way: permitted, or not enforced.</summary>
    public bool MayIssue => Verdict.Outcome == CaaOutcome.Permitted || Mode != CaaMode.Enforce;

    /// <summary>True when enforcing would have refused what is let pass: worth a warning.</summary>
    public bool WouldRefuse => Verdict.Outcome != CaaOutcome.Permitted && Mode != CaaMode.Enforce;

    /// <summary>
    /// Until when, inclusive, a certificate may be signed on this result: the TTL of the records or eight hours, whichever is longer (BR section
    /// 3.2.2.8). Null when it permits nothing: refusals are not kept, so that a corrected zone helps at once.
    /// </summary>
    public DateTimeOffset? FreshUntil => MayIssue ? FreshFrom(CheckedAt, Verdict.TtlSeconds) : null;

    /// <summary>True when a certificate may be signed on this result now. A time before the check is a clock that was set back: then no.</summary>
    public bool IsFresh(DateTimeOffset now) => FreshUntil is { } until && now >= CheckedAt && now <= until;

    /// <summary>
    /// The refusal for the account, null when CAA does not stand in the way. A prohibition is of type caa; a look-up that failed is of type dns, with
    /// the time after which to try again.
    /// </summary>
    public AcmeProblem? Problem => MayIssue ? null
        : Verdict.Reason == CaaReason.LookupFailed ? new AcmeProblem(ProblemCatalog.Dns, Verdict.Detail) { RetryAfterSeconds = RetryAfterSeconds }
        : new AcmeProblem(ProblemCatalog.Caa, Verdict.Detail);

    /// <summary>Until when a permission holds.</summary>
    /// <param name="checkedAt">When it was asked for.</param>
    /// <param name="ttlSeconds">Time to live in seconds; below zero counts as zero (RFC 2181 section 8).</param>
    private static DateTimeOffset FreshFrom(DateTimeOffset checkedAt, int ttlSeconds)
    {
        var ttl = TimeSpan.FromSeconds(ttlSeconds);
        return checkedAt + (ttl < LeastAge ? LeastAge : ttl > MostAge ? MostAge : ttl);
    }
}

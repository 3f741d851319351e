using System.Security.Cryptography;
using System.Text;

namespace PersistCa.Storage.Operators;

/// <summary>What became of a proposal that is carried out in one go.</summary>
public enum DecisionStatus
{
    /// <summary>It waits for somebody else's approval.</summary>
    Pending = 1,

    /// <summary>Nobody approved it in time; for ever.</summary>
    Expired = 2,

    /// <summary>Its proposer took it back; for ever.</summary>
    Withdrawn = 3,

    /// <summary>Carried out, in the transaction that approved it.</summary>
    Done = 4,
}

/// <summary>
/// A change of how the authority works, from its proposal to its end. The database itself refuses an approver who is the proposer, an approval that came late or
/// after a withdrawal, and an end without approval of what needs one.
/// </summary>
public sealed class OperatorProposal
{
    /// <summary>Longest comment.</summary>
    public const int MaxCommentLength = 500;

    public long Id { get; private set; }

    public required string PublicId { get; init; }

    /// <summary>What kind of change, as a word such as "profile.withdraw".</summary>
    public required string Kind { get; init; }

    /// <summary>What it is done to, such as "account:ID".</summary>
    public required string Subject { get; init; }

    /// <summary>Everything that will be done, as canonical JSON: what is approved is these octets.</summary>
    public required string Payload { get; init; }

    /// <summary>SHA-256 over kind, subject and payload; lower-case hex.</summary>
    public required string Sha256 { get; init; }

    public required string Comment { get; init; }

    /// <summary>Name of the operator who proposed it.</summary>
    public required string Proposer { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Whether the proposer could decide alone, by the configuration of that time or because the change only restricts.</summary>
    public bool Alone { get; init; }

    /// <summary>Name of the operator who approved it; null for none, or not yet.</summary>
    public string? Approver { get; private set; }

    public DateTimeOffset? ApprovedAt { get; private set; }

    public DateTimeOffset? WithdrawnAt { get; private set; }

    /// <summary>When it was carried out.</summary>
    public DateTimeOffset? DoneAt { get; private set; }

    /// <summary>Concurrency token.</summary>
    public int Version { get; private set; }

    /// <summary>The digest of a proposal.</summary>
    public static string DigestOf(string kind, string subject, string payload) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(kind + "\n" + subject + "\n" + payload)));

    /// <summary>Its state at a time.</summary>
    public DecisionStatus StatusAt(DateTimeOffset now) => this switch
    {
        { DoneAt: not null } => DecisionStatus.Done,
        { WithdrawnAt: not null } => DecisionStatus.Withdrawn,
        _ => now < ExpiresAt ? DecisionStatus.Pending : DecisionStatus.Expired,
    };

    /// <summary>Another operator approves, and it is carried out.</summary>
    /// <exception cref="InvalidOperationException">It does not wait for approval, or not for this one's.</exception>
    public void Approve(string approver, DateTimeOffset now)
    {
        if (StatusAt(now) != DecisionStatus.Pending || string.Equals(approver, Proposer, StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidOperationException($"a proposal of {Proposer} that is {StatusAt(now)} cannot be approved by {approver}");
        }

        Approver = approver;
        ApprovedAt = DoneAt = now;
    }

    /// <summary>It is carried out without a second.</summary>
    /// <exception cref="InvalidOperationException">It needs one, or does not wait any more.</exception>
    public void CarryOutAlone(DateTimeOffset now)
    {
        if (StatusAt(now) != DecisionStatus.Pending || !Alone)
        {
            throw new InvalidOperationException($"a proposal that is {StatusAt(now)} cannot be carried out by one");
        }

        DoneAt = now;
    }

    /// <summary>Its proposer takes it back.</summary>
    /// <exception cref="InvalidOperationException">It does not wait any more.</exception>
    public void Withdraw(DateTimeOffset now)
    {
        if (StatusAt(now) != DecisionStatus.Pending)
        {
            throw new InvalidOperationException($"a proposal that is {StatusAt(now)} cannot be withdrawn");
        }

        WithdrawnAt = now;
    }
}

using System.Globalization;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Acme;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Registration;

/// <summary>What the audit log says of bulk revocations, and whether their rows are still that.</summary>
internal static class RevocationEntries
{
    /// <summary>Writes an entry of a proposal, with what it is about.</summary>
    internal static void Audit(StoreTransaction t, string kind, RevocationProposal proposal, params (string, string?)[] more) =>
        t.Audit(kind, "proposal:" + proposal.PublicId, [.. What(proposal), .. more]);

    /// <summary>
    /// Whether a proposal is what was proposed: the entry of its proposal is compared with the row, by which an approval would revoke. Whoever changes one has to change
    /// the other too.
    /// </summary>
    internal static async Task<bool> IsAsProposedAsync(CaDb db, RevocationProposal proposal, CancellationToken cancel)
    {
        var subject = "proposal:" + proposal.PublicId;
        var entries = await db.AuditEntries.Where(e => e.Kind == AuditKinds.RevocationProposed && e.Subject == subject).ToListAsync(cancel);
        return entries is [var entry] && entry.Actor == Actor.OperatorNamed(proposal.Proposer).Name && entry.Facts == StoreTransaction.FactsJson(FactsOf(proposal));
    }

    /// <summary>
    /// Whether a proposal was decided as its row says: by the entry of its approval, or alone as its proposal said. Whoever writes an approver into the row, or a larger
    /// number for one officer, has decided nothing.
    /// </summary>
    internal static async Task<bool> IsDecidedAsync(CaDb db, RevocationProposal proposal, CancellationToken cancel)
    {
        if (!await IsAsProposedAsync(db, proposal, cancel))
        {
            return false;
        }

        if (proposal.Approver is not { } approver)
        {
            return proposal.Matched <= proposal.AloneUpTo;
        }

        var (subject, actor) = ("proposal:" + proposal.PublicId, Actor.OperatorNamed(approver).Name);
        return await db.AuditEntries.AnyAsync(e => e.Kind == AuditKinds.RevocationApproved && e.Subject == subject && e.Actor == actor, cancel);
    }

    /// <summary>What the entry of a proposal says.</summary>
    internal static (string Name, string? Value)[] FactsOf(RevocationProposal proposal) =>
    [
        .. What(proposal),
        ("comment", proposal.Comment),
        ("plannedFor", proposal.PlannedFor is { } planned ? AcmeJson.Time(planned) : null),
        ("explanation", proposal.ExplanationUrl),
        ("alone", proposal.Matched <= proposal.AloneUpTo ? "yes" : null),
    ];

    private static (string Name, string? Value)[] What(RevocationProposal proposal) =>
    [
        ("by", ProposalDesk.Word(proposal.Kind)),
        ("criterion", proposal.Criterion.Length == 0 ? null : proposal.Criterion),
        ("reason", proposal.Reason?.ToString(CultureInfo.InvariantCulture)),
        ("matched", proposal.Matched.ToString(CultureInfo.InvariantCulture)),
        ("sha256", proposal.MatchedSha256),
    ];
}

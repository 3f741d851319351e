using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Registration;

/// <summary>
/// Changes of how the authority works: proposed by one operator, approved by another, and carried out once, in the transaction that approves. What needs no
/// second by the configuration, or only restricts, is carried out with its proposal.
/// </summary>
public sealed class DecisionDesk(CaStore store, DecisionActions actions, PersistCaOptions options)
{
    /// <summary>Whether a kind needs two operators here.</summary>
    public bool NeedsSecond(DecisionKind kind) => options.Operators.SecondApprover is { } said ? said.Contains(kind.Word) : kind.UnlessSaid;

    /// <summary>Proposes a change, and carries it out where no second is needed.</summary>
    /// <param name="who">An operator of a role that may propose it.</param>
    /// <param name="kind">What kind.</param>
    /// <param name="subject">What it is done to.</param>
    /// <param name="payload">Everything that will be done, as canonical JSON.</param>
    /// <param name="comment">Why.</param>
    /// <param name="cancel">Stops.</param>
    /// <param name="restricts">Asked in the transaction: whether the change takes something away and gives nothing, so that no second is needed. Null for no.</param>
    /// <returns>The proposal, pending or done; or why it cannot be done.</returns>
    public async Task<Outcome<OperatorProposal>> DecideAsync(
        OperatorIdentity who,
        DecisionKind kind,
        string subject,
        string payload,
        string comment,
        CancellationToken cancel,
        Func<StoreTransaction, Task<Outcome<bool>>>? restricts = null)
    {
        if (comment.Length > OperatorProposal.MaxCommentLength || comment.Any(char.IsControl))
        {
            return new AcmeProblem(ProblemCatalog.Malformed, $"The comment has {comment.Length} characters; at most {OperatorProposal.MaxCommentLength} on one line are expected.");
        }

        return await SeenAsync(await store.WriteAsync<OperatorProposal>(
            who.Actor,
            async t =>
            {
                if (await who.RefuseAsync(t, kind.Proposers, cancel) is { } refused)
                {
                    return refused;
                }

                var alone = !NeedsSecond(kind);
                if (restricts is not null)
                {
                    if (!(await restricts(t)).TryGet(out var only, out refused))
                    {
                        return refused;
                    }

                    alone |= only;
                }

                var proposal = new OperatorProposal
                {
                    PublicId = PublicId.Next(),
                    Kind = kind.Word,
                    Subject = subject,
                    Payload = payload,
                    Sha256 = OperatorProposal.DigestOf(kind.Word, subject, payload),
                    Comment = comment,
                    Proposer = who.Name,
                    CreatedAt = t.Now,
                    ExpiresAt = t.Now + options.Operators.ProposalLifetime,
                    Alone = alone,
                };
                if (await actions.JudgeAsync(t, proposal, cancel) is { } impossible)
                {
                    return impossible;
                }

                t.Db.OperatorProposals.Add(proposal);
                Audit(t, AuditKinds.ProposalMade, proposal, ("comment", comment.Length == 0 ? null : comment));
                if (!alone)
                {
                    return proposal;
                }

                proposal.CarryOutAlone(t.Now);
                return await CarryOutAsync(t, proposal, cancel);
            },
            cancel));
    }

    /// <summary>Approves another operator's proposal, which carries it out.</summary>
    /// <returns>The proposal; unauthorized for one's own; malformed with 404, or with 409 when it does not wait any more, was tampered with, or cannot be done by now.</returns>
    public async Task<Outcome<OperatorProposal>> ApproveAsync(OperatorIdentity who, string id, CancellationToken cancel) => await SeenAsync(await store.WriteAsync<OperatorProposal>(
        who.Actor,
        async t =>
        {
            if (await t.HoldDecisionAsync(id, cancel) is not { } proposal)
            {
                return Refusals.NoSuchResource("proposal");
            }

            if (await who.RefuseAsync(t, KindOf(proposal).Approvers, cancel) is { } refused)
            {
                return refused;
            }

            if ((who.RefuseAsSecond(proposal.Proposer) ?? NotPending(proposal, t.Now)) is { } problem)
            {
                return problem;
            }

            if (OperatorProposal.DigestOf(proposal.Kind, proposal.Subject, proposal.Payload) != proposal.Sha256)
            {
                return Refusals.Conflict("The proposal is not what was proposed: somebody changed the database. Propose again, and find out who.");
            }

            if (await actions.JudgeAsync(t, proposal, cancel) is { } impossible)
            {
                return impossible;
            }

            proposal.Approve(who.Name, t.Now);
            Audit(t, AuditKinds.ProposalApproved, proposal, ("proposer", proposal.Proposer));
            return await CarryOutAsync(t, proposal, cancel);
        },
        cancel));

    /// <summary>Takes one's own proposal back.</summary>
    public Task<Outcome<OperatorProposal>> WithdrawAsync(OperatorIdentity who, string id, CancellationToken cancel) => store.WriteAsync<OperatorProposal>(
        who.Actor,
        async t =>
        {
            if (await t.HoldDecisionAsync(id, cancel) is not { } proposal)
            {
                return Refusals.NoSuchResource("proposal");
            }

            if (await who.RefuseAsync(t, KindOf(proposal).Proposers, cancel) is { } refused)
            {
                return refused;
            }

            if (proposal.Proposer != who.Name)
            {
                return new AcmeProblem(ProblemCatalog.Unauthorized, "Only who proposed it takes it back.");
            }

            if (NotPending(proposal, t.Now) is { } problem)
            {
                return problem;
            }

            proposal.Withdraw(t.Now);
            Audit(t, AuditKinds.ProposalWithdrawn, proposal);
            return proposal;
        },
        cancel);

    /// <summary>A proposal as it stands.</summary>
    public async Task<Outcome<OperatorProposal>> FindAsync(OperatorIdentity who, string id, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        return await store.ReadAsync(db => db.OperatorProposals.FirstOrDefaultAsync(p => p.PublicId == id, cancel), cancel) is { } found ? found : Refusals.NoSuchResource("proposal");
    }

    /// <summary>Proposals, the newest first.</summary>
    /// <param name="who">An operator, whatever the role.</param>
    /// <param name="status">Only those of a state; null for all.</param>
    /// <param name="page">Which of them.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<Paged<OperatorProposal>> ListAsync(OperatorIdentity who, DecisionStatus? status, PageWish page, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        var (below, now) = (page.Below, store.Now);
        return Paged.Of(
            await store.ReadAsync(
                db =>
                {
                    var rows = db.OperatorProposals.Where(p => p.Id < below);
                    rows = status switch
                    {
                        DecisionStatus.Pending => rows.Where(p => p.DoneAt == null && p.WithdrawnAt == null && p.ExpiresAt > now),
                        DecisionStatus.Expired => rows.Where(p => p.DoneAt == null && p.WithdrawnAt == null && p.ExpiresAt <= now),
                        DecisionStatus.Withdrawn => rows.Where(p => p.WithdrawnAt != null),
                        DecisionStatus.Done => rows.Where(p => p.DoneAt != null),
                        _ => rows,
                    };
                    return rows.OrderByDescending(p => p.Id).Take(page.Size + 1).ToListAsync(cancel);
                },
                cancel),
            page,
            p => p.Id);
    }

    private static DecisionKind KindOf(OperatorProposal proposal) => DecisionKinds.Find(proposal.Kind) ?? throw new InvalidOperationException($"a proposal is of no known kind: {proposal.Kind}");

    private static AcmeProblem? NotPending(OperatorProposal proposal, DateTimeOffset now) => proposal.StatusAt(now) switch
    {
        DecisionStatus.Done => Refusals.Conflict($"The proposal was carried out at {AcmeJson.Time(proposal.DoneAt!.Value)}."),
        DecisionStatus.Withdrawn => Refusals.Conflict($"The proposal was withdrawn at {AcmeJson.Time(proposal.WithdrawnAt!.Value)}."),
        DecisionStatus.Expired => Refusals.Conflict($"The proposal expired at {AcmeJson.Time(proposal.ExpiresAt)}; propose again."),
        _ => null,
    };

    private static void Audit(StoreTransaction t, string kind, OperatorProposal proposal, params (string, string?)[] more) =>
        t.Audit(kind, "proposal:" + proposal.PublicId, [("kind", proposal.Kind), ("subject", proposal.Subject), ("sha256", proposal.Sha256), .. more]);

    private async Task<Outcome<OperatorProposal>> SeenAsync(Outcome<OperatorProposal> outcome)
    {
        if (outcome.TryGet(out var proposal, out _) && proposal.DoneAt is not null)
        {
            await actions.SeenAsync(store, CancellationToken.None);
        }

        return outcome;
    }

    private async Task<Outcome<OperatorProposal>> CarryOutAsync(StoreTransaction t, OperatorProposal proposal, CancellationToken cancel)
    {
        if (await actions.CarryOutAsync(t, proposal, cancel) is { } failed)
        {
            return failed;
        }

        Audit(t, AuditKinds.ProposalCarriedOut, proposal, ("approver", proposal.Approver));
        return proposal;
    }
}

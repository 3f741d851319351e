using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Registration;

/// <summary>What a proposal will do.</summary>
/// <param name="Payload">Everything that will be done, as canonical JSON.</param>
/// <param name="OnlyRestricts">Whether it takes something away and gives nothing, so that no second is needed.</param>
public sealed record DecisionDraft(string Payload, bool OnlyRestricts = false)
{
    /// <summary>The subject says it all.</summary>
    public static readonly Outcome<DecisionDraft> SubjectAlone = new DecisionDraft("{}");
}

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
    /// <param name="comment">Why.</param>
    /// <param name="cancel">Stops.</param>
    /// <param name="draft">Asked in the transaction for what will be done; null where the subject says it all.</param>
    /// <returns>The proposal, pending or done; or why it cannot be done.</returns>
    public async Task<Outcome<OperatorProposal>> DecideAsync(
        OperatorIdentity who,
        DecisionKind kind,
        string subject,
        string comment,
        CancellationToken cancel,
        Func<StoreTransaction, Task<Outcome<DecisionDraft>>>? draft = null)
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

                var drafted = draft is null ? DecisionDraft.SubjectAlone : await draft(t);
                if (!drafted.TryGet(out var change, out refused))
                {
                    return refused;
                }

                var alone = change.OnlyRestricts || !NeedsSecond(kind);

                var proposal = new OperatorProposal
                {
                    PublicId = PublicId.Next(),
                    Kind = kind.Word,
                    Subject = subject,
                    Payload = change.Payload,
                    Sha256 = OperatorProposal.DigestOf(kind.Word, subject, change.Payload),
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
                t.Audit(AuditKinds.ProposalMade, "proposal:" + proposal.PublicId, FactsOf(proposal));
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

            if ((await who.RefuseAsSecondAsync(t, proposal.Proposer, proposal.CreatedAt, cancel) ?? NotPending(proposal, t.Now)) is { } problem)
            {
                return problem;
            }

            if (OperatorProposal.DigestOf(proposal.Kind, proposal.Subject, proposal.Payload) != proposal.Sha256 || !await IsAsProposedAsync(t.Db, proposal, cancel))
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
        t.Audit(kind, "proposal:" + proposal.PublicId, [.. What(proposal), .. more]);

    /// <summary>
    /// Whether a proposal is what was proposed, and its proposer who proposed it, by the entry of that day: a digest in the row alone could be written anew by whoever
    /// changes the row.
    /// </summary>
    private static async Task<bool> IsAsProposedAsync(CaDb db, OperatorProposal proposal, CancellationToken cancel)
    {
        var subject = "proposal:" + proposal.PublicId;
        var entries = await db.AuditEntries.Where(e => e.Kind == AuditKinds.ProposalMade && e.Subject == subject).ToListAsync(cancel);
        return entries is [var entry] && entry.Actor == Actor.OperatorNamed(proposal.Proposer).Name && entry.Facts == StoreTransaction.FactsJson(FactsOf(proposal));
    }

    private static (string Name, string? Value)[] FactsOf(OperatorProposal proposal) => [.. What(proposal), ("comment", proposal.Comment.Length == 0 ? null : proposal.Comment)];

    private static (string Name, string? Value)[] What(OperatorProposal proposal) => [("kind", proposal.Kind), ("subject", proposal.Subject), ("sha256", proposal.Sha256)];

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

using System.Globalization;
using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.Crl;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Certificates;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Operators;
using PersistCa.Storage.Status;

namespace PersistCa.Server.Registration;

/// <summary>
/// Revocation by operators: one officer proposes, another approves, the runner carries it out. What is small enough is carried out at once. The certificates are
/// fixed by the proposal; those that came to match since are revoked too if there was an approval, and counted apart.
/// </summary>
public sealed class ProposalDesk(CaStore store, RevocationRunner runner, LimitDesk limits, PersistCaOptions options)
{
    /// <summary>Certificates that a report names.</summary>
    public const int Named = 100;

    /// <summary>How long a call carries a revocation out before it answers that it goes on.</summary>
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(20);

    private static OperatorRole[] Officers { get; } = [OperatorRole.RevocationOfficer];

    private RevocationPolicyOptions Policy => options.Policy.Revocation;

    /// <summary>Says what a revocation would take, and changes nothing.</summary>
    /// <param name="who">An officer.</param>
    /// <param name="wish">What is wanted.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<Outcome<ProposalReport>> TryAsync(OperatorIdentity who, RevocationWish wish, CancellationToken cancel)
    {
        if (who.Role != OperatorRole.RevocationOfficer)
        {
            return OperatorDesk.WrongRole(who, Officers);
        }

        if (Judge(wish, store.Now) is { } problem)
        {
            return problem;
        }

        return await store.ReadAsync<Outcome<ProposalReport>>(
            async db =>
            {
                if (!(await MatchAsync(db, wish, cancel)).TryGet(out var serials, out var refused))
                {
                    return refused;
                }

                return new ProposalReport(null, null, serials.Count, await db.NamedAsync(serials, Named, cancel));
            },
            cancel);
    }

    /// <summary>Proposes a revocation; one of no more certificates than one officer may revoke alone is carried out at once.</summary>
    /// <param name="who">An officer.</param>
    /// <param name="wish">What is wanted.</param>
    /// <param name="cancel">Stops; what was decided goes on by itself.</param>
    public async Task<Outcome<ProposalReport>> ProposeAsync(OperatorIdentity who, RevocationWish wish, CancellationToken cancel)
    {
        if (Judge(wish, store.Now) is { } problem)
        {
            return problem;
        }

        var made = await store.WriteAsync<RevocationProposal>(
            who.Actor,
            async t =>
            {
                if (await who.RefuseAsync(t, Officers, cancel) is { } refused)
                {
                    return refused;
                }

                if (!(await MatchAsync(t.Db, wish, cancel)).TryGet(out var serials, out refused))
                {
                    return refused;
                }

                if (serials.Count == 0 && !TakesKey(wish.Criterion.Kind, wish.Reason))
                {
                    return Nothing(wish.Criterion.Kind);
                }

                var proposal = Proposal(who, wish, serials, t.Now);
                t.Db.RevocationProposals.Add(proposal);
                t.Audit(AuditKinds.RevocationProposed, "proposal:" + proposal.PublicId, RevocationEntries.FactsOf(proposal));
                if (serials.Count > Policy.AloneUpTo)
                {
                    return proposal;
                }

                if (await limits.TakeAsync(t, LimitKind.LoneRevocationsPerOperator, who.Name, "revocations that you decided alone", null, cancel) is { } limited)
                {
                    return limited;
                }

                if (proposal.PlannedFor is not null)
                {
                    return proposal; // decided, and begun when its time comes
                }

                proposal.StartAlone(t.Now);
                await RevocationRunner.BlockKeyAsync(t, proposal, serials.FirstOrDefault() ?? "", cancel);
                return proposal;
            },
            cancel);
        return made.TryGet(out var row, out var fault) ? await CarryOutAsync(row, cancel) : fault;
    }

    /// <summary>Approves another officer's proposal and carries it out. One that was approved already and is not finished goes on.</summary>
    /// <param name="who">An officer, not the proposer.</param>
    /// <param name="id">Id of the proposal.</param>
    /// <param name="cancel">Stops; what was decided goes on by itself.</param>
    /// <returns>The report; unauthorized for one's own; malformed with 404 or, when it is expired, finished or not what was proposed, 409.</returns>
    public async Task<Outcome<ProposalReport>> ApproveAsync(OperatorIdentity who, string id, CancellationToken cancel)
    {
        var approved = await store.WriteAsync<RevocationProposal>(
            who.Actor,
            async t =>
            {
                if (await who.RefuseAsync(t, Officers, cancel) is { } refused)
                {
                    return refused;
                }

                if (await t.HoldProposalAsync(id, cancel) is not { } proposal)
                {
                    return Refusals.NoSuchResource("proposal");
                }

                if (await who.RefuseAsSecondAsync(t, proposal.Proposer, proposal.CreatedAt, cancel) is { } notSecond)
                {
                    return notSecond;
                }

                switch (proposal.StatusAt(t.Now))
                {
                    case ProposalStatus.Running:
                        return proposal;
                    case ProposalStatus.Finished:
                        return Refusals.Conflict($"The proposal was carried out at {AcmeJson.Time(proposal.FinishedAt!.Value)}.");
                    case ProposalStatus.Scheduled:
                        return Refusals.Conflict($"The proposal is decided and begins at {AcmeJson.Time(proposal.PlannedFor!.Value)}.");
                    case ProposalStatus.Expired:
                        return Refusals.Conflict($"The proposal expired at {AcmeJson.Time(proposal.ExpiresAt)}; propose again.");
                    default:
                        break;
                }

                var serials = await t.Db.SerialsOfAsync(proposal.Id, cancel);
                if (serials.Count != proposal.Matched || RevocationProposals.DigestOf(serials) != proposal.MatchedSha256)
                {
                    return Refusals.Conflict("The certificates of the proposal are not those that were proposed: somebody changed the database. Propose again, and find out who.");
                }

                if (!await RevocationEntries.IsAsProposedAsync(t.Db, proposal, cancel))
                {
                    return Refusals.Conflict("The proposal is not what its audit entry says: somebody changed the database. Propose again, and find out who.");
                }

                proposal.Approve(who.Name, t.Now);
                RevocationEntries.Audit(t, AuditKinds.RevocationApproved, proposal, ("proposer", proposal.Proposer));
                if (proposal.StartedAt is not null)
                {
                    await RevocationRunner.BlockKeyAsync(t, proposal, serials.FirstOrDefault() ?? "", cancel);
                }

                return proposal;
            },
            cancel);
        return approved.TryGet(out var row, out var problem) ? await CarryOutAsync(row, cancel) : problem;
    }

    /// <summary>A proposal as it stands, with its first certificates and how many more match now.</summary>
    /// <param name="who">An operator, whatever the role.</param>
    /// <param name="id">Id of the proposal.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<Outcome<ProposalReport>> FindAsync(OperatorIdentity who, string id, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        var found = await store.ReadAsync(
            async db =>
            {
                if (await db.RevocationProposals.FirstOrDefaultAsync(p => p.PublicId == id, cancel) is not { } proposal)
                {
                    return null;
                }

                var status = proposal.StatusAt(store.Now);
                var serials = await db.SerialsOfAsync(proposal.Id, cancel);
                int? since = status == ProposalStatus.Pending && proposal.Kind != CriterionKind.Serials
                    ? await db.Matching(proposal.Kind, proposal.Criterion, proposal.Reason, store.Now)
                        .CountAsync(c => !db.RevocationItems.Any(i => i.ProposalId == proposal.Id && i.Serial == c.Serial), cancel)
                    : null;
                return new ProposalReport(proposal, status, proposal.Matched, await db.NamedAsync(serials, Named, cancel), since);
            },
            cancel);
        return found is null ? Refusals.NoSuchResource("proposal") : found;
    }

    /// <summary>The newest proposals, without their certificates.</summary>
    /// <param name="who">An operator, whatever the role.</param>
    /// <param name="page">Which of them.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<Paged<ProposalReport>> ListAsync(OperatorIdentity who, PageWish page, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        var below = page.Below;
        var rows = await store.ReadAsync(db => db.RevocationProposals.Where(p => p.Id < below).OrderByDescending(p => p.Id).Take(page.Size + 1).ToListAsync(cancel), cancel);
        return Paged.Of(rows, page, p => p.Id).Select(p => new ProposalReport(p, p.StatusAt(store.Now), p.Matched, []));
    }

    /// <summary>Whether a revocation blocks a key though no certificate of it may be left.</summary>
    internal static bool TakesKey(CriterionKind kind, int? reason) => kind == CriterionKind.Key && reason == RevocationReasons.KeyCompromise;

    /// <summary>The word for a kind of criterion.</summary>
    public static string Word(CriterionKind kind) => kind switch
    {
        CriterionKind.Key => "key",
        CriterionKind.Account => "account",
        CriterionKind.Issuer => "issuer",
        CriterionKind.Name => "name",
        CriterionKind.Serials => "serials",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private AcmeProblem? Judge(RevocationWish wish, DateTimeOffset now) => RevocationReasons.Judge(wish.Reason)
        ?? JudgePlan(wish, now)
        ?? (wish.Comment.Length > RevocationProposal.MaxCommentLength || wish.Comment.Any(char.IsControl)
            ? new AcmeProblem(ProblemCatalog.Malformed, $"The comment has {wish.Comment.Length} characters; at most {RevocationProposal.MaxCommentLength} on one line are expected.")
            : null);

    private AcmeProblem? JudgePlan(RevocationWish wish, DateTimeOffset now)
    {
        if (wish.PlannedFor is { } planned && (planned <= now || planned > now + Policy.LongestPlan))
        {
            return new AcmeProblem(ProblemCatalog.Malformed, $"The revocation is planned for {AcmeJson.Time(planned)}; a time after {AcmeJson.Time(now)} and within {Policy.LongestPlan:c} is expected (Policy:Revocation:LongestPlan).");
        }

        if (wish.ExplanationUrl is not { } url)
        {
            return null;
        }

        return wish.PlannedFor is null ? new AcmeProblem(ProblemCatalog.Malformed, "An explanation is given, and no time for which the revocation is planned.")
            : url.Length > RevocationProposal.MaxExplanationLength || url.Any(c => c is <= ' ' or > '~') || !Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")
                ? new AcmeProblem(ProblemCatalog.Malformed, $"The explanation is no http or https URL of at most {RevocationProposal.MaxExplanationLength} characters.")
            : null;
    }

    private RevocationProposal Proposal(OperatorIdentity who, RevocationWish wish, List<string> serials, DateTimeOffset now)
    {
        var proposal = new RevocationProposal
        {
            PublicId = PublicId.Next(),
            Kind = wish.Criterion.Kind,
            Criterion = wish.Criterion.Value,
            Reason = RevocationReasons.Recorded(wish.Reason),
            Comment = wish.Comment,
            Proposer = who.Name,
            CreatedAt = now,
            ExpiresAt = (wish.PlannedFor ?? now) + Policy.ProposalLifetime,
            PlannedFor = wish.PlannedFor,
            ExplanationUrl = wish.ExplanationUrl,
            Matched = serials.Count,
            MatchedSha256 = RevocationProposals.DigestOf(serials),
            AloneUpTo = Policy.AloneUpTo,
        };
        proposal.Items.AddRange(serials.Select(s => new RevocationItem { Serial = s }));
        return proposal;
    }

    private async Task<Outcome<List<string>>> MatchAsync(CaDb db, RevocationWish wish, CancellationToken cancel)
    {
        var (criterion, reason) = (wish.Criterion, RevocationReasons.Recorded(wish.Reason));
        List<string> serials;
        if (criterion.Kind == CriterionKind.Serials)
        {
            if (await db.UnknownSerialsAsync(criterion.Serials, cancel) is { Count: > 0 } unknown)
            {
                return new AcmeProblem(ProblemCatalog.Malformed, $"{unknown.Count} of the serial numbers were not issued here, {unknown[0]} for one.") { Status = 404 };
            }

            serials = [.. (await db.MatchingSerialsAsync(criterion.Serials, reason, store.Now, cancel)).Select(c => c.Serial)];
        }
        else
        {
            if ((criterion.Kind == CriterionKind.Account && !await db.Accounts.AnyAsync(a => a.PublicId == criterion.Value, cancel))
                || (criterion.Kind == CriterionKind.Issuer && !await db.Issuers.AnyAsync(i => i.Id == criterion.Value, cancel)))
            {
                return Refusals.NoSuchResource(Word(criterion.Kind));
            }

            serials = await db.Matching(criterion.Kind, criterion.Value, reason, store.Now).OrderBy(c => c.Id).Select(c => c.Serial).Take(Policy.MaxMatched + 1).ToListAsync(cancel);
        }

        return serials.Count <= Policy.MaxMatched
            ? serials
            : new AcmeProblem(ProblemCatalog.Malformed, $"More than {Policy.MaxMatched} certificates match (Policy:Revocation:MaxMatched); revoke them in parts.") { Status = 409 };
    }

    private async Task<Outcome<ProposalReport>> CarryOutAsync(RevocationProposal proposal, CancellationToken cancel)
    {
        if (proposal.StatusAt(store.Now) == ProposalStatus.Running)
        {
            proposal = await runner.RunAsync(proposal.PublicId, AnswerWithin, cancel);
        }

        var first = await store.ReadAsync(async db => await db.NamedAsync(await db.SerialsOfAsync(proposal.Id, cancel), Named, cancel), cancel);
        return new ProposalReport(proposal, proposal.StatusAt(store.Now), proposal.Matched, first);
    }

    private static AcmeProblem Nothing(CriterionKind kind) => kind == CriterionKind.Serials
        ? new AcmeProblem(ProblemCatalog.AlreadyRevoked, "What is named is revoked already, or has ended.")
        : new AcmeProblem(ProblemCatalog.Malformed, "No certificate matches that is neither revoked nor ended.") { Status = 404 };
}

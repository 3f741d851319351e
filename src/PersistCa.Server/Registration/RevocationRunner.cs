using System.Globalization;
using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.Crl;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Certificates;
using PersistCa.Server.Hosting;
using PersistCa.Server.Telemetry;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Operators;
using PersistCa.Storage.Status;

namespace PersistCa.Server.Registration;

/// <summary>
/// Carries out what was decided, in batches of a transaction each. The items say which certificates had their turn, so that after a crash anybody goes on where
/// the last batch that was committed ended, and a batch is never done twice.
/// </summary>
public sealed class RevocationRunner(CaStore store, RevocationDesk desk, PersistCaOptions options)
{
    /// <summary>Where a test may end the process: after each batch.</summary>
    public const string CrashPlace = "revocation.batch";

    /// <summary>Carries a revocation out, for at most so long.</summary>
    /// <returns>The proposal as it stands then: finished, or running still.</returns>
    public async Task<RevocationProposal> RunAsync(string id, TimeSpan most, CancellationToken cancel)
    {
        var until = store.Now + most;
        while (true)
        {
            var proposal = await StepAsync(id, cancel);
            if (proposal.StatusAt(store.Now) != ProposalStatus.Running || store.Now >= until)
            {
                return proposal;
            }

            CrashPoint.Reached(CrashPlace);
        }
    }

    /// <summary>Does one batch, or finds that there is nothing left and finishes.</summary>
    /// <exception cref="InvalidOperationException">There is no such proposal, or it was not decided, whatever its row says.</exception>
    public async Task<RevocationProposal> StepAsync(string id, CancellationToken cancel)
    {
        var who = await store.ReadAsync(db => db.RevocationProposals.Where(p => p.PublicId == id).Select(p => p.Approver ?? p.Proposer).FirstAsync(cancel), cancel);
        var revoked = 0;
        var outcome = await store.WriteAsync<RevocationProposal>(
            Actor.OperatorNamed(who),
            async t =>
            {
                revoked = 0;
                var proposal = await t.HoldProposalAsync(id, cancel) ?? throw new InvalidOperationException("a proposal vanished");
                if (proposal.StatusAt(t.Now) == ProposalStatus.Finished)
                {
                    return proposal; // somebody else did the rest
                }

                if (!await RevocationEntries.IsDecidedAsync(t.Db, proposal, cancel))
                {
                    throw new InvalidOperationException($"the revocation {id} was not decided as its row says, and is not carried out; somebody changed the database");
                }

                var items = await t.Db.RevocationItems.Where(i => i.ProposalId == proposal.Id && i.DoneAt == null)
                    .OrderBy(i => i.Serial).Take(options.Policy.Revocation.BatchSize).ToListAsync(cancel);
                if (items.Count > 0)
                {
                    var found = await t.Db.MatchingSerialsAsync([.. items.Select(i => i.Serial)], proposal.Reason, t.Now, cancel);
                    items.ForEach(i => i.DoneAt = t.Now);
                    Advance(t, proposal, found.Count, items.Count - found.Count, 0);
                    await ChangeAsync(t, proposal, found, cancel);
                    revoked = found.Count;
                    return proposal;
                }

                // One officer alone takes what was counted, and no more. Nor is what was renewed because a revocation was announced to go with it, unless its key is the reason.
                var since = proposal.Approver is null || proposal.Kind == CriterionKind.Serials || (proposal.PlannedFor is not null && proposal.Kind != CriterionKind.Key)
                    ? []
                    : await t.Db.Matching(proposal.Kind, proposal.Criterion, proposal.Reason, t.Now).OrderBy(c => c.Id).Take(options.Policy.Revocation.BatchSize).ToListAsync(cancel);
                if (since.Count > 0)
                {
                    Advance(t, proposal, 0, 0, since.Count);
                    await ChangeAsync(t, proposal, since, cancel);
                    revoked = since.Count;
                    return proposal;
                }

                proposal.Finish(t.Now);
                RevocationEntries.Audit(t, AuditKinds.RevocationFinished, proposal, ("revoked", Text(proposal.Revoked)), ("since", Text(proposal.RevokedSince)), ("gone", Text(proposal.Gone)));
                return proposal;
            },
            cancel);
        CaTelemetry.Revoked.Add(revoked);
        return outcome.Value;
    }

    /// <summary>Begins what was planned and whose time has come, and carries it out.</summary>
    /// <returns>How many proposals.</returns>
    /// <exception cref="InvalidOperationException">One is not what was proposed any more; the others have begun.</exception>
    public async Task<int> BeginDueAsync(CancellationToken cancel)
    {
        var due = await store.ReadAsync(db => db.DueProposalsAsync(store.Now, cancel), cancel);
        var changed = new List<string>();
        foreach (var id in due)
        {
            var begun = await store.WriteAsync<RevocationProposal>(
                Actor.Server,
                async t =>
                {
                    var proposal = await t.HoldProposalAsync(id, cancel) ?? throw new InvalidOperationException("a proposal vanished");
                    if (proposal.StatusAt(t.Now) != ProposalStatus.Scheduled)
                    {
                        return proposal; // another node was first
                    }

                    // Days may lie between approval and beginning.
                    var serials = await t.Db.SerialsOfAsync(proposal.Id, cancel);
                    if (RevocationProposals.DigestOf(serials) != proposal.MatchedSha256 || !await RevocationEntries.IsDecidedAsync(t.Db, proposal, cancel))
                    {
                        changed.Add(id);
                        return proposal;
                    }

                    proposal.Begin(t.Now);
                    RevocationEntries.Audit(t, AuditKinds.RevocationBegun, proposal, ("plannedFor", AcmeJson.Time(proposal.PlannedFor!.Value)));
                    await BlockKeyAsync(t, proposal, serials.FirstOrDefault() ?? "", cancel);
                    return proposal;
                },
                cancel);
            if (begun.Value.StatusAt(store.Now) == ProposalStatus.Running)
            {
                await RunAsync(id, TimeSpan.FromDays(1), cancel);
            }
        }

        return changed.Count == 0
            ? due.Count
            : throw new InvalidOperationException($"planned revocations are not what was proposed, and do not begin: {string.Join(", ", changed)}; somebody changed the database");
    }

    /// <summary>Carries out what was decided and stands still: its node died, or its caller went away.</summary>
    /// <param name="still">For how long nobody has been at it.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>How many proposals.</returns>
    /// <exception cref="InvalidOperationException">One was not decided, whatever its row says; the others have gone on.</exception>
    public async Task<int> ResumeAsync(TimeSpan still, CancellationToken cancel)
    {
        var since = store.Now - still;
        var waiting = await store.ReadAsync(db => db.StandingStillAsync(since, cancel), cancel);
        var changed = new List<string>();
        foreach (var id in waiting)
        {
            if (await store.ReadAsync(async db => await RevocationEntries.IsDecidedAsync(db, await db.RevocationProposals.FirstAsync(p => p.PublicId == id, cancel), cancel), cancel))
            {
                await RunAsync(id, TimeSpan.FromDays(1), cancel);
            }
            else
            {
                changed.Add(id);
            }
        }

        return changed.Count == 0
            ? waiting.Count
            : throw new InvalidOperationException($"revocations were not decided as their rows say, and do not go on: {string.Join(", ", changed)}; somebody changed the database");
    }

    /// <summary>
    /// A key that officers call compromised, in the change that decides so: nothing more is issued for it, and what is just being issued is revoked as if the
    /// key itself had told.
    /// </summary>
    /// <param name="t">The change.</param>
    /// <param name="proposal">What was decided.</param>
    /// <param name="serial">A certificate with the key; empty where there is none.</param>
    /// <param name="cancel">Stops.</param>
    internal static async Task BlockKeyAsync(StoreTransaction t, RevocationProposal proposal, string serial, CancellationToken cancel)
    {
        if (ProposalDesk.TakesKey(proposal.Kind, proposal.Reason))
        {
            await t.BlockKeyAsync(proposal.Criterion, serial, proven: true, cancel);
            t.Audit(AuditKinds.KeyBlocked, "proposal:" + proposal.PublicId, ("key", proposal.Criterion), ("proven", "yes"));
        }
    }

    private static void Advance(StoreTransaction t, RevocationProposal proposal, int revoked, int gone, int since)
    {
        proposal.Advance(revoked, gone, since, t.Now);
        t.Audit(AuditKinds.RevocationAdvanced, "proposal:" + proposal.PublicId, ("revoked", Text(revoked)), ("gone", Text(gone)), ("since", Text(since)));
    }

    private async Task ChangeAsync(StoreTransaction t, RevocationProposal proposal, IReadOnlyList<IssuedCertificate> certificates, CancellationToken cancel)
    {
        if (proposal.Reason == RevocationReasons.KeyCompromise && proposal.Kind != CriterionKind.Key)
        {
            foreach (var certificate in certificates.DistinctBy(c => c.KeyFingerprint))
            {
                await t.BlockKeyAsync(certificate.KeyFingerprint, certificate.Serial, proven: false, cancel);
                t.Audit(AuditKinds.KeyBlocked, "certificate:" + certificate.PublicId, ("key", certificate.KeyFingerprint), ("proposal", proposal.PublicId));
            }
        }

        await desk.ChangeAsync(t, certificates, proposal.Reason, cancel, proposal.PublicId);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Registration;

/// <summary>What proposals do, by their kind.</summary>
public sealed class DecisionActions(ProfileBook profiles, IssuerBook issuers, SwitchBoard switches)
{
    /// <summary>An empty payload: the subject says it all.</summary>
    public const string Nothing = "{}";

    /// <summary>Says why a proposal cannot be carried out as things are; null when it can. Asked when it is proposed and when it is approved.</summary>
    public async Task<AcmeProblem?> JudgeAsync(StoreTransaction t, OperatorProposal proposal, CancellationToken cancel)
    {
        var (kind, id) = (proposal.Kind, IdOf(proposal));
        if (kind == DecisionKinds.ProfileWithdraw.Word || kind == DecisionKinds.ProfileOffer.Word)
        {
            var off = (await switches.LookAsync(t.Db, cancel)).Profiles.Contains(id);
            return profiles.Find(id) is not { } profile ? Refusals.NoSuchResource("profile")
                : !profile.Offered ? Refusals.Conflict($"The configuration does not offer the profile {id}; change it there.")
                : off == (kind == DecisionKinds.ProfileWithdraw.Word) ? Refusals.Conflict($"The profile {id} is {(off ? "withdrawn" : "on offer")} already.")
                : null;
        }

        if (kind == DecisionKinds.IssuerStop.Word || kind == DecisionKinds.IssuerResume.Word)
        {
            var off = (await switches.LookAsync(t.Db, cancel)).Issuers.Contains(id);
            return issuers.Find(id) is null ? Refusals.NoSuchResource("issuer with a key")
                : off == (kind == DecisionKinds.IssuerStop.Word) ? Refusals.Conflict($"The issuer {id} {(off ? "is stopped" : "signs")} already.")
                : null;
        }

        if (kind == DecisionKinds.AccountResume.Word || kind == DecisionKinds.AccountLift.Word)
        {
            return await t.Db.Accounts.FirstOrDefaultAsync(a => a.PublicId == id, cancel) switch
            {
                null => Refusals.NoSuchResource("account"),
                { Status: not AccountStatus.Valid } closed => Refusals.Conflict($"The account is {closed.Status.ToString().ToLowerInvariant()}, for ever."),
                { SuspendedAt: null } when kind == DecisionKinds.AccountResume.Word => Refusals.Conflict("The account is not suspended."),
                _ => null,
            };
        }

        return null;
    }

    /// <summary>Carries a proposal out, inside the transaction that decided it.</summary>
    public async Task<AcmeProblem?> CarryOutAsync(StoreTransaction t, OperatorProposal proposal, CancellationToken cancel)
    {
        var (kind, id) = (proposal.Kind, IdOf(proposal));
        if (kind == DecisionKinds.CustodianToken.Word)
        {
            return TokenDesk.CarryOut(t, proposal);
        }

        if (kind == DecisionKinds.AccountResume.Word || kind == DecisionKinds.AccountLift.Word)
        {
            var account = await t.Db.Accounts.FirstAsync(a => a.PublicId == id, cancel);
            if (kind == DecisionKinds.AccountResume.Word)
            {
                account.Resume();
                t.Audit(AuditKinds.AccountResumed, proposal.Subject, ("proposal", proposal.PublicId));
            }
            else
            {
                account.Restrict(RestrictionsText.Read(proposal.Payload));
                t.Audit(AuditKinds.AccountRestricted, proposal.Subject, ("proposal", proposal.PublicId), ("restrictions", proposal.Payload));
            }

            return null;
        }

        var (of, on, audit) = kind switch
        {
            _ when kind == DecisionKinds.ProfileWithdraw.Word => (SwitchKind.Profile, false, AuditKinds.ProfileWithdrawn),
            _ when kind == DecisionKinds.ProfileOffer.Word => (SwitchKind.Profile, true, AuditKinds.ProfileOffered),
            _ when kind == DecisionKinds.IssuerStop.Word => (SwitchKind.Issuer, false, AuditKinds.IssuerStopped),
            _ when kind == DecisionKinds.IssuerResume.Word => (SwitchKind.Issuer, true, AuditKinds.IssuerResumed),
            _ => throw new JsonException($"a proposal is of no known kind: {kind}"),
        };
        await t.SwitchAsync(of, id, on, cancel);
        t.Audit(audit, proposal.Subject, ("proposal", proposal.PublicId));
        return null;
    }

    /// <summary>After a change was committed: shows it here at once. Other nodes see it when they decide, or look.</summary>
    public Task SeenAsync(CaStore store, CancellationToken cancel) => store.ReadAsync(db => switches.LookAsync(db, cancel), cancel);

    private static string IdOf(OperatorProposal proposal) => proposal.Subject[(proposal.Subject.IndexOf(':', StringComparison.Ordinal) + 1)..];
}

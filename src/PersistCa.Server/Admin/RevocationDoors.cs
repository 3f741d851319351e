using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Acme;
using PersistCa.Server.Registration;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Admin;

/// <summary>Revocation by operators.</summary>
internal static class RevocationDoors
{
    private static readonly (string Member, CriterionKind Kind)[] Kinds =
        [("key", CriterionKind.Key), ("account", CriterionKind.Account), ("issuer", CriterionKind.Issuer), ("name", CriterionKind.Name)];

    private static readonly string[] CriterionMembers = [.. AdminSchema.MembersOf(typeof(RevocationBy))];

    /// <summary>The rows.</summary>
    public static IReadOnlyList<AdminDoor> All { get; } =
    [
        new("GET", "revocations", "listRevocations", "revocations:read", DoorRoles.All, ListAsync)
        {
            Summary = "Bulk revocations.",
            Query = Paging.Both,
            Answer = typeof(ListResource<RevocationResource>),
        },
        new("GET", "revocations/{id}", "showRevocation", "revocations:read", DoorRoles.All, FindAsync)
        {
            Summary = "A bulk revocation with its first certificates.",
            Answer = typeof(RevocationResource),
            MayWait = true,
            Faults = [DoorFault.NotFound],
        },
        new("POST", "revocations", "proposeRevocation", "revocations:write", DoorRoles.Officers, ProposeAsync)
        {
            Summary = "Proposes a revocation of certificates, or tries it.",
            Body = typeof(ProposeRevocation),
            Answer = typeof(RevocationResource),
            MayWait = true,
            Faults = [DoorFault.NotFound, DoorFault.Conflict, .. OfReasons],
        },
        new("POST", "revocations/{id}/approve", "approveRevocation", "revocations:write", DoorRoles.Officers, ApproveAsync)
        {
            Summary = "Approves another officer's proposal, which carries it out; or goes on with one that stands still.",
            Body = typeof(Nothing),
            Answer = typeof(RevocationResource),
            MayWait = true,
            Faults = [DoorFault.NotFound, DoorFault.Conflict],
        },
        new("POST", "certificates/{serial}/revoke", "revokeCertificate", "revocations:write", DoorRoles.Officers, RevokeAsync)
        {
            Summary = "Revokes one certificate, or proposes it.",
            Body = typeof(RevokeCertificate),
            Answer = typeof(RevocationResource),
            MayWait = true,
            Faults = [DoorFault.NotFound, .. OfReasons],
        },
    ];

    private static DoorFault[] OfReasons =>
    [
        new(StatusCodes.Status400BadRequest, ProblemCatalog.AlreadyRevoked, "what is named is revoked already"),
        new(StatusCodes.Status400BadRequest, ProblemCatalog.BadRevocationReason, "the reason is none that is accepted"),
    ];

    private static async Task<IResult> ListAsync(AdminCall call, CancellationToken cancel) =>
        call.Page(await Desk(call).ListAsync(call.Who, call.Query.Page, cancel), RevocationResource.Of);

    private static async Task<IResult> FindAsync(AdminCall call, CancellationToken cancel) =>
        Answer(call, call.Id() is { } id ? await Desk(call).FindAsync(call.Who, id, cancel) : Refusals.NoSuchResource("proposal"));

    private static async Task<IResult> ProposeAsync(AdminCall call, CancellationToken cancel)
    {
        var payload = call.Body;

        // Asked for, so that nobody revokes by forgetting a word.
        var dryRun = payload.Flag("dryRun");
        if (dryRun is null)
        {
            payload.Refuse("The member 'dryRun' is missing; say true to see what would be revoked, false to propose it.");
        }

        var criterion = Criterion(payload);
        var (reason, comment) = (payload.Number("reason"), payload.Text("comment") ?? "");
        if (payload.Problem is { } fault)
        {
            return call.Refuse(fault);
        }

        var wish = new RevocationWish(criterion!, reason, comment);
        return Answer(call, dryRun!.Value ? await Desk(call).TryAsync(call.Who, wish, cancel) : await Desk(call).ProposeAsync(call.Who, wish, cancel));
    }

    private static async Task<IResult> ApproveAsync(AdminCall call, CancellationToken cancel) => call.Body.Problem is { } fault
        ? call.Refuse(fault)
        : Answer(call, call.Id() is { } id ? await Desk(call).ApproveAsync(call.Who, id, cancel) : Refusals.NoSuchResource("proposal"));

    private static async Task<IResult> RevokeAsync(AdminCall call, CancellationToken cancel)
    {
        var payload = call.Body;
        var (reason, comment) = (payload.Number("reason"), payload.Text("comment") ?? "");
        var serial = RevocationCriterion.ReadSerials([call.Part("serial")]);
        if (!serial.IsValid)
        {
            payload.Refuse(serial.Reason + ".");
        }

        return payload.Problem is { } fault ? call.Refuse(fault) : Answer(call, await Desk(call).ProposeAsync(call.Who, new RevocationWish(serial.Value!, reason, comment), cancel));
    }

    private static RevocationCriterion? Criterion(PayloadReader payload)
    {
        if (payload.Inner("criterion") is not { } inner)
        {
            payload.Refuse($"The member 'criterion' is missing; an object with one of {string.Join(", ", CriterionMembers)} is expected.");
            return null;
        }

        inner.Only(CriterionMembers);
        var given = CriterionMembers.Where(inner.Has).ToArray();
        if (inner.Problem is null && given.Length != 1)
        {
            inner.Refuse($"The criterion has {given.Length} members; exactly one of {string.Join(", ", CriterionMembers)} is expected.");
        }

        Parsed<RevocationCriterion>? read = null;
        if (inner.Problem is null)
        {
            read = given[0] == "serials"
                ? inner.Texts("serials") is { } serials ? RevocationCriterion.ReadSerials(serials) : null
                : inner.Text(given[0]) is { } text ? RevocationCriterion.Read(Array.Find(Kinds, k => k.Member == given[0]).Kind, text) : null;
        }

        if (inner.Problem is { } fault)
        {
            payload.Refuse(fault.Detail);
        }
        else if (read is { IsValid: false } bad)
        {
            payload.Refuse($"The criterion cannot be used: {bad.Reason}.");
        }

        return read?.Value;
    }

    private static ProposalDesk Desk(AdminCall call) => call.Get<ProposalDesk>();

    private static IResult Answer(AdminCall call, Outcome<ProposalReport> outcome)
    {
        if (!outcome.TryGet(out var report, out var problem))
        {
            return call.Refuse(problem);
        }

        // 202 for what waits for a second officer or goes on after this answer.
        var waits = report.Status is ProposalStatus.Pending or ProposalStatus.Running;
        return call.Json(RevocationResource.Of(report), waits ? StatusCodes.Status202Accepted : StatusCodes.Status200OK);
    }
}

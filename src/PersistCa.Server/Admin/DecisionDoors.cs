using PersistCa.Protocol;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Admin;

/// <summary>Proposals of changes that two operators agree to.</summary>
internal static class DecisionDoors
{
    private static readonly QueryParameter<string> Status = QueryParameters.Word("status", "Only those of a state.", [.. Enum.GetNames<DecisionStatus>().Select(n => n.ToLowerInvariant())]);

    /// <summary>The rows.</summary>
    public static IReadOnlyList<AdminDoor> All { get; } =
    [
        new("GET", "proposals", "listProposals", "proposals:read", DoorRoles.All, ListAsync)
        {
            Summary = "Changes that were proposed.",
            Query = [Status, .. Paging.Both],
            Answer = typeof(ListResource<ProposalResource>),
        },
        new("GET", "proposals/{id}", "showProposal", "proposals:read", DoorRoles.All, FindAsync)
        {
            Summary = "A change that was proposed.",
            Answer = typeof(ProposalResource),
            MayWait = true,
            Faults = [DoorFault.NotFound],
        },
        new("POST", "proposals/{id}/approve", "approveProposal", "proposals:write", DoorRoles.Deciders, (call, cancel) => DecideAsync(call, call.Get<DecisionDesk>().ApproveAsync, cancel))
        {
            Summary = "Approves what another operator proposed, which carries it out.",
            Body = typeof(Nothing),
            Answer = typeof(ProposalResource),
            MayWait = true,
            Faults = [DoorFault.NotFound, DoorFault.Conflict],
        },
        new("POST", "proposals/{id}/withdraw", "withdrawProposal", "proposals:write", DoorRoles.Deciders, (call, cancel) => DecideAsync(call, call.Get<DecisionDesk>().WithdrawAsync, cancel))
        {
            Summary = "Takes one's own proposal back.",
            Body = typeof(Nothing),
            Answer = typeof(ProposalResource),
            Faults = [DoorFault.NotFound, DoorFault.Conflict],
        },
    ];

    /// <summary>Answers with a proposal: 202 while it waits for a second operator.</summary>
    public static IResult Answer(AdminCall call, Outcome<OperatorProposal> outcome)
    {
        if (!outcome.TryGet(out var proposal, out var problem))
        {
            return call.Refuse(problem);
        }

        var now = call.Get<CaStore>().Now;
        return call.Json(ProposalResource.Of(proposal, now), proposal.StatusAt(now) == DecisionStatus.Pending ? StatusCodes.Status202Accepted : StatusCodes.Status200OK);
    }

    private static async Task<IResult> ListAsync(AdminCall call, CancellationToken cancel)
    {
        DecisionStatus? status = call.Query.Text(Status) is { } word ? Enum.Parse<DecisionStatus>(word, ignoreCase: true) : null;
        var now = call.Get<CaStore>().Now;
        return call.Page(await call.Get<DecisionDesk>().ListAsync(call.Who, status, call.Query.Page, cancel), p => ProposalResource.Of(p, now));
    }

    private static async Task<IResult> FindAsync(AdminCall call, CancellationToken cancel) =>
        Answer(call, call.Id() is { } id ? await call.Get<DecisionDesk>().FindAsync(call.Who, id, cancel) : Refusals.NoSuchResource("proposal"));

    private static async Task<IResult> DecideAsync(AdminCall call, Func<OperatorIdentity, string, CancellationToken, Task<Outcome<OperatorProposal>>> decide, CancellationToken cancel) =>
        call.Body.Problem is { } fault ? call.Refuse(fault) : Answer(call, call.Id() is { } id ? await decide(call.Who, id, cancel) : Refusals.NoSuchResource("proposal"));
}

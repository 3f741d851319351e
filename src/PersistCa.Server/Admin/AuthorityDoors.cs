using PersistCa.Protocol;
using PersistCa.Server.Registration;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Admin;

/// <summary>Issuers and profiles.</summary>
internal static class AuthorityDoors
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<AdminDoor> All { get; } =
    [
        new("GET", "issuers", "listIssuers", "issuers:read", DoorRoles.All, IssuersAsync)
        {
            Summary = "Issuers that this authority has or had.",
            Answer = typeof(ListResource<IssuerResource>),
        },
        new("GET", "issuers/{issuer}", "showIssuer", "issuers:read", DoorRoles.All, IssuerAsync)
        {
            Summary = "An issuer.",
            Answer = typeof(IssuerResource),
            Faults = [DoorFault.NotFound],
        },
        new("GET", "issuers/{issuer}/export", "exportIssuer", "issuers:read", DoorRoles.All, ExportAsync)
        {
            Summary = "An issuer's certificate and those above it (PEM).",
            Media = ["application/pem-certificate-chain"],
            Faults = [DoorFault.NotFound],
        },
        new("POST", "issuers/{issuer}/stop", "stopIssuer", "issuers:write", DoorRoles.Deciders, (call, cancel) => SwitchAsync(call, "issuer", call.Get<AuthorityLook>().SwitchIssuerAsync, false, cancel))
        {
            Summary = "Stops an issuer on all nodes: it signs no more certificates of subscribers; its lists and answers go on, and orders wait.",
            Body = typeof(Remark),
            Answer = typeof(ProposalResource),
            MayWait = true,
            Faults = [DoorFault.NotFound, DoorFault.Conflict],
        },
        new("POST", "issuers/{issuer}/resume", "resumeIssuer", "issuers:write", DoorRoles.Deciders, (call, cancel) => SwitchAsync(call, "issuer", call.Get<AuthorityLook>().SwitchIssuerAsync, true, cancel))
        {
            Summary = "Lets a stopped issuer sign again.",
            Body = typeof(Remark),
            Answer = typeof(ProposalResource),
            MayWait = true,
            Faults = [DoorFault.NotFound, DoorFault.Conflict],
        },
        new("GET", "profiles", "listProfiles", "profiles:read", DoorRoles.All, ProfilesAsync)
        {
            Summary = "Profiles, on offer or not.",
            Answer = typeof(ListResource<ProfileResource>),
        },
        new("GET", "profiles/{profile}", "showProfile", "profiles:read", DoorRoles.All, ProfileAsync)
        {
            Summary = "A profile as data.",
            Answer = typeof(ProfileResource),
            Faults = [DoorFault.NotFound],
        },
        new("POST", "profiles/{profile}/withdraw", "withdrawProfile", "profiles:write", DoorRoles.Deciders, (call, cancel) => SwitchAsync(call, "profile", call.Get<AuthorityLook>().SwitchProfileAsync, false, cancel))
        {
            Summary = "Withdraws a profile on all nodes: orders and finalizations that name it are refused with invalidProfile.",
            Body = typeof(Remark),
            Answer = typeof(ProposalResource),
            MayWait = true,
            Faults = [DoorFault.NotFound, DoorFault.Conflict],
        },
        new("POST", "profiles/{profile}/offer", "offerProfile", "profiles:write", DoorRoles.Deciders, (call, cancel) => SwitchAsync(call, "profile", call.Get<AuthorityLook>().SwitchProfileAsync, true, cancel))
        {
            Summary = "Offers a withdrawn profile again.",
            Body = typeof(Remark),
            Answer = typeof(ProposalResource),
            MayWait = true,
            Faults = [DoorFault.NotFound, DoorFault.Conflict],
        },
    ];

    private static async Task<IResult> IssuersAsync(AdminCall call, CancellationToken cancel) =>
        call.Json(new ListResource<IssuerResource>(await call.Get<AuthorityLook>().IssuersAsync(call.Who, cancel), null));

    private static async Task<IResult> IssuerAsync(AdminCall call, CancellationToken cancel) => call.Json(await call.Get<AuthorityLook>().IssuerAsync(call.Who, call.Part("issuer"), cancel), i => i);

    private static async Task<IResult> ExportAsync(AdminCall call, CancellationToken cancel) =>
        (await call.Get<AuthorityLook>().ChainAsync(call.Who, call.Part("issuer"), cancel)).TryGet(out var chain, out var problem) ? Results.Text(chain, "application/pem-certificate-chain") : call.Refuse(problem);

    private static async Task<IResult> ProfilesAsync(AdminCall call, CancellationToken cancel) =>
        call.Json(new ListResource<ProfileResource>(await call.Get<AuthorityLook>().ProfilesAsync(call.Who, cancel), null));

    private static async Task<IResult> ProfileAsync(AdminCall call, CancellationToken cancel) => call.Json(await call.Get<AuthorityLook>().ProfileAsync(call.Who, call.Part("profile"), cancel), p => p);

    private static async Task<IResult> SwitchAsync(
        AdminCall call, string part, Func<OperatorIdentity, string, bool, string, CancellationToken, Task<Outcome<OperatorProposal>>> decide, bool on, CancellationToken cancel)
    {
        var comment = call.Comment();
        var name = call.Part(part);
        return call.Body.Problem is { } fault ? call.Refuse(fault)
            : name.Length > 64 ? call.Refuse(Refusals.NoSuchResource(part))
            : DecisionDoors.Answer(call, await decide(call.Who, name, on, comment, cancel));
    }
}

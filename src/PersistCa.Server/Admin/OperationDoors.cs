using System.Globalization;
using PersistCa.Protocol;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Storage.Operators;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Server.Admin;

/// <summary>Jobs, tokens, and the audit log.</summary>
internal static class OperationDoors
{
    private static readonly QueryParameter<string> Kind = QueryParameters.Word("kind", "Only one kind of work.", "validate", "issue");
    private static readonly QueryParameter<string> State = QueryParameters.Word("state", "Only those of a state.", "running", "waiting", "delayed", "parked");
    private static readonly QueryParameter<string> Event = QueryParameters.Text("kind", "What happened, such as account.created.", 64);
    private static readonly QueryParameter<string> Actor = QueryParameters.Text("actor", "Who brought it about, such as operator:anna.");
    private static readonly QueryParameter<string> Subject = QueryParameters.Text("subject", "What it happened to, such as account:ID.");
    private static readonly QueryParameter<DateTimeOffset> From = QueryParameters.Time("from", "At or after this.");
    private static readonly QueryParameter<DateTimeOffset> Until = QueryParameters.Time("until", "Before this.");

    /// <summary>The rows.</summary>
    public static IReadOnlyList<AdminDoor> All { get; } =
    [
        new("GET", "jobs", "listJobs", "jobs:read", DoorRoles.All, ListJobsAsync)
        {
            Summary = "Work that is queued.",
            Query = [Kind, State, .. Paging.Both],
            Answer = typeof(ListResource<JobResource>),
        },
        new("GET", "jobs/{job}", "showJob", "jobs:read", DoorRoles.All, (call, cancel) => JobAsync(call, call.Get<JobDesk>().FindAsync, cancel))
        {
            Summary = "A job.",
            Answer = typeof(JobResource),
            Faults = [DoorFault.NotFound],
        },
        new("POST", "jobs/{job}/retry", "retryJob", "jobs:write", DoorRoles.Operators, (call, cancel) => JobAsync(call, call.Get<JobDesk>().RetryAsync, cancel))
        {
            Summary = "Has a job done now; releases one that is parked.",
            Body = typeof(Nothing),
            Answer = typeof(JobResource),
            Faults = [DoorFault.NotFound, DoorFault.Conflict],
        },
        new("POST", "jobs/{job}/cancel", "cancelJob", "jobs:write", DoorRoles.Operators, (call, cancel) => JobAsync(call, call.Get<JobDesk>().CancelAsync, cancel))
        {
            Summary = "Gives a job up: its challenge or order fails.",
            Body = typeof(Nothing),
            Answer = typeof(JobResource),
            Faults = [DoorFault.NotFound, DoorFault.Conflict],
        },
        new("GET", "tokens", "listTokens", "tokens:read", DoorRoles.Overseers, ListTokensAsync)
        {
            Summary = "Tokens of operators.",
            Query = Paging.Both,
            Answer = typeof(ListResource<TokenResource>),
        },
        new("POST", "tokens", "createToken", "tokens:write", DoorRoles.Custodians, CreateTokenAsync)
        {
            Summary = "Makes a token. One for a custodian may need a second.",
            Body = typeof(CreateToken),
            Answer = typeof(NewTokenResource),
            MayWait = true,
        },
        new("POST", "tokens/{id}/revoke", "revokeToken", "tokens:write", DoorRoles.Custodians, RevokeTokenAsync)
        {
            Summary = "Takes a token back, for ever and at once.",
            Body = typeof(Nothing),
            Answer = typeof(TokenResource),
            Faults = [DoorFault.NotFound, DoorFault.Conflict],
        },
        new("GET", "audit", "listAuditEntries", "audit:read", DoorRoles.Overseers, AuditAsync)
        {
            Summary = "Entries of the audit log.",
            Query = [Event, Actor, Subject, From, Until, .. Paging.Both],
            Answer = typeof(ListResource<AuditEntryResource>),
        },
    ];

    private static DateTimeOffset Now(AdminCall call) => call.Get<CaStore>().Now;

    private static async Task<IResult> ListJobsAsync(AdminCall call, CancellationToken cancel)
    {
        WorkKind? kind = call.Query.Text(Kind) switch { "issue" => WorkKind.Issue, "validate" => WorkKind.Validate, _ => null };
        return call.Page(await call.Get<JobDesk>().ListAsync(call.Who, kind, call.Query.Text(State), call.Query.Page, cancel), j => JobResource.Of(j, Now(call)));
    }

    private static async Task<IResult> JobAsync(AdminCall call, Func<OperatorIdentity, long, CancellationToken, Task<Outcome<JobView>>> act, CancellationToken cancel) =>
        call.Payload?.Problem is { } fault ? call.Refuse(fault)
            : call.Json(
                long.TryParse(call.Part("job"), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? await act(call.Who, id, cancel) : Refusals.NoSuchResource("job"),
                j => JobResource.Of(j, Now(call)));

    private static async Task<IResult> ListTokensAsync(AdminCall call, CancellationToken cancel) =>
        call.Page(await call.Get<TokenDesk>().ListAsync(call.Query.Page, cancel), t => TokenResource.Of(t, Now(call)));

    private static async Task<IResult> CreateTokenAsync(AdminCall call, CancellationToken cancel)
    {
        var body = call.Body;
        var (name, word, days, scopes) = (body.Text("name"), body.Text("role"), body.Number("days"), body.Texts("scopes"));
        var role = word is null ? null : OperatorRoles.Read(word);
        if (name is null || role is null || days is null or < 1)
        {
            body.Refuse($"The body needs name, role, one of {string.Join(", ", OperatorRoles.All.Select(r => r.Word()))}, and days, 1 or more.");
        }

        if (UnknownScope(scopes) is { } unknown)
        {
            body.Refuse(unknown);
        }

        if (body.Problem is { } fault)
        {
            return call.Refuse(fault);
        }

        var life = days!.Value < TimeSpan.MaxValue.TotalDays ? TimeSpan.FromDays(days.Value) : TimeSpan.MaxValue; // too long either way
        var outcome = await call.Get<TokenDesk>().MakeAsync(call.Who, new TokenWish(name!, role, life, scopes), call.Get<DecisionDesk>(), cancel);
        if (!outcome.TryGet(out var made, out var problem))
        {
            return call.Refuse(problem);
        }

        var resource = new NewTokenResource
        {
            Secret = made.Secret,
            Token = made.Token is null ? null : TokenResource.Of(made.Token, Now(call)),
            Proposal = made.Proposal is null ? null : ProposalResource.Of(made.Proposal, Now(call)),
        };
        return call.Json(resource, made.Token is null ? StatusCodes.Status202Accepted : StatusCodes.Status200OK);
    }

    /// <summary>Says which of some scopes there is not; null when there are all.</summary>
    internal static string? UnknownScope(IReadOnlyList<string>? scopes) =>
        scopes is { Count: 0 } ? "The token would be for nothing; name a scope, or leave scopes out."
            : scopes?.FirstOrDefault(s => !AdminRoutes.Scopes.Contains(s)) is { } unknown ? $"There is no scope '{Refusals.Shorten(unknown)}'; there are {string.Join(", ", AdminRoutes.Scopes)}."
            : null;

    private static async Task<IResult> RevokeTokenAsync(AdminCall call, CancellationToken cancel) => call.Body.Problem is { } fault ? call.Refuse(fault)
        : call.Json(call.Id() is { } id ? await call.Get<TokenDesk>().RevokeAsync(call.Who, id, cancel) : Refusals.NoSuchResource("token"), t => TokenResource.Of(t, Now(call)));

    private static async Task<IResult> AuditAsync(AdminCall call, CancellationToken cancel)
    {
        var filter = new AuditFilter
        {
            Kind = call.Query.Text(Event),
            Actor = call.Query.Text(Actor),
            Subject = call.Query.Text(Subject),
            From = call.Query.Value(From),
            Until = call.Query.Value(Until),
        };
        return call.Page(await call.Get<AuditLook>().ListAsync(call.Who, filter, call.Query.Page, cancel), AuditEntryResource.Of);
    }
}

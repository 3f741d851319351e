using PersistCa.Protocol;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;
using PersistCa.Server.Registration;
using PersistCa.Storage;

namespace PersistCa.Server.Admin;

/// <summary>Orders and authorizations.</summary>
internal static class OrderDoors
{
    /// <summary>A name or address as it stands in certificates.</summary>
    internal static readonly QueryParameter<string> Name = new(
        "name",
        "A name or address, as it stands in certificates; '*.x' for the wildcard itself.",
        new() { ["type"] = "string", ["maxLength"] = 255 },
        text => Identifier.Parse(IdentifierType.Ip, text) is { IsValid: true } ip ? Parsed<string>.Ok(ip.Value.Text)
            : Identifier.Parse(IdentifierType.Dns, text) is var name && name.IsValid ? Parsed<string>.Ok(name.Value.Text)
            : Parsed<string>.Refused(name.Reason!));

    /// <summary>An account.</summary>
    internal static readonly QueryParameter<string> Account = QueryParameters.Id("account", "Id of the account.");

    private static readonly QueryParameter<string> State = QueryParameters.Word("state", "Only those of a state.", "open", "processing", "valid", "failed", "lapsed");
    private static readonly QueryParameter<string> Profile = QueryParameters.Text("profile", "Name of the profile.", 64);
    private static readonly QueryParameter<DateTimeOffset> CreatedFrom = QueryParameters.Time("createdFrom", "Opened at or after this.");
    private static readonly QueryParameter<DateTimeOffset> CreatedUntil = QueryParameters.Time("createdUntil", "Opened before this.");
    private static readonly QueryParameter<string> Status = QueryParameters.Word("status", "State as it is kept; one that is past its time is valid or pending there.", "pending", "valid", "invalid", "deactivated");

    /// <summary>The rows.</summary>
    public static IReadOnlyList<AdminDoor> All { get; } =
    [
        new("GET", "orders", "listOrders", "orders:read", DoorRoles.All, ListAsync)
        {
            Summary = "Orders.",
            Query = [Account, State, Name, Profile, CreatedFrom, CreatedUntil, .. Paging.Both],
            Answer = typeof(ListResource<OrderStateResource>),
        },
        new("GET", "orders/{id}", "showOrder", "orders:read", DoorRoles.All, FindAsync)
        {
            Summary = "An order with what it rests on.",
            Answer = typeof(OrderStateResource),
            Faults = [DoorFault.NotFound],
        },
        new("GET", "authorizations", "listAuthorizations", "authorizations:read", DoorRoles.All, ListAuthorizationsAsync)
        {
            Summary = "Authorizations.",
            Query = [Account, Name, Status, .. Paging.Both],
            Answer = typeof(ListResource<AuthorizationStateResource>),
        },
        new("GET", "authorizations/{id}", "showAuthorization", "authorizations:read", DoorRoles.All, FindAuthorizationAsync)
        {
            Summary = "An authorization with the evidence of its validations.",
            Answer = typeof(AuthorizationStateResource),
            Faults = [DoorFault.NotFound],
        },
    ];

    private static DateTimeOffset Now(AdminCall call) => call.Get<CaStore>().Now;

    private static async Task<IResult> ListAsync(AdminCall call, CancellationToken cancel)
    {
        var filter = new OrderFilter
        {
            Account = call.Query.Text(Account),
            State = call.Query.Text(State),
            Name = call.Query.Text(Name),
            Profile = call.Query.Text(Profile),
            CreatedFrom = call.Query.Value(CreatedFrom),
            CreatedUntil = call.Query.Value(CreatedUntil),
        };
        return call.Page(await call.Get<OrderLook>().ListAsync(call.Who, filter, call.Query.Page, cancel), o => OrderStateResource.Of(o, Now(call)));
    }

    private static async Task<IResult> FindAsync(AdminCall call, CancellationToken cancel) =>
        call.Json(call.Id() is { } id ? await call.Get<OrderLook>().FindAsync(call.Who, id, cancel) : Refusals.NoSuchResource("order"), o => OrderStateResource.Of(o, Now(call)));

    private static async Task<IResult> ListAuthorizationsAsync(AdminCall call, CancellationToken cancel)
    {
        var filter = new AuthorizationFilter
        {
            Account = call.Query.Text(Account),
            Name = call.Query.Text(Name),
            Status = call.Query.Text(Status) is { } word ? Enum.Parse<AuthorizationStatus>(word, ignoreCase: true) : null,
        };
        return call.Page(await call.Get<OrderLook>().ListAsync(call.Who, filter, call.Query.Page, cancel), a => AuthorizationStateResource.Of(a, Now(call)));
    }

    private static async Task<IResult> FindAuthorizationAsync(AdminCall call, CancellationToken cancel) => call.Json(
        call.Id() is { } id ? await call.Get<OrderLook>().FindAuthorizationAsync(call.Who, id, cancel) : Refusals.NoSuchResource("authorization"),
        a => AuthorizationStateResource.Of(a, Now(call)));
}

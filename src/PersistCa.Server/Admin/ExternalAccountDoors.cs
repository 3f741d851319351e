using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Limits;
using PersistCa.Server.Acme;
using PersistCa.Server.Registration;
using PersistCa.Storage;

namespace PersistCa.Server.Admin;

/// <summary>External account keys (RFC 8555 section 7.3.4).</summary>
internal static class ExternalAccountDoors
{
    private static readonly QueryParameter<string> State = QueryParameters.Word("state", "Only those of a state.", ExternalAccountKeyResource.States);
    private static readonly QueryParameter<string> Owner = QueryParameters.Text("owner", "Only those of an owner.", ExternalAccountKey.MaxTextLength);
    private static readonly QueryParameter<string> Team = QueryParameters.Text("team", "Only those of a team.", ExternalAccountKey.MaxTextLength);

    /// <summary>The rows.</summary>
    public static IReadOnlyList<AdminDoor> All { get; } =
    [
        new("GET", "eab-keys", "listExternalAccountKeys", "eab:read", DoorRoles.All, ListAsync)
        {
            Summary = "External account keys.",
            Query = [State, Owner, Team, .. Paging.Both],
            Answer = typeof(ListResource<ExternalAccountKeyResource>),
        },
        new("POST", "eab-keys", "createExternalAccountKey", "eab:write", DoorRoles.Operators, CreateAsync)
        {
            Summary = "Makes an external account key. Its MAC key is in this answer and never again.",
            Body = typeof(CreateExternalAccountKey),
            Answer = typeof(NewExternalAccountKeyResource),
        },
        new("GET", "eab-keys/{key}", "showExternalAccountKey", "eab:read", DoorRoles.All, ShowAsync)
        {
            Summary = "An external account key with its accounts.",
            Answer = typeof(ExternalAccountKeyResource),
            Faults = [DoorFault.NotFound],
        },
        new("POST", "eab-keys/{key}/change", "changeExternalAccountKey", "eab:write", DoorRoles.Operators, ChangeAsync)
        {
            Summary = "Changes what the accounts of a key may do, at once; what is not said stays as it is.",
            Body = typeof(ChangeExternalAccountKey),
            Answer = typeof(ExternalAccountKeyResource),
            Faults = [DoorFault.NotFound, DoorFault.Conflict],
        },
        new("POST", "eab-keys/{key}/remove", "removeExternalAccountKey", "eab:write", DoorRoles.Operators, RemoveAsync)
        {
            Summary = "Takes a key back, for ever: nothing is bound to it any more, and its accounts lose what its end stops.",
            Body = typeof(RemoveExternalAccountKey),
            Answer = typeof(ExternalAccountKeyResource),
            Faults = [DoorFault.NotFound, DoorFault.Conflict],
        },
    ];

    private static async Task<IResult> ListAsync(AdminCall call, CancellationToken cancel)
    {
        KeyStanding? standing = call.Query.Text(State) is { } word ? Enum.Parse<KeyStanding>(word, ignoreCase: true) : null;
        var filter = new ExternalAccountFilter(standing, call.Query.Text(Owner), call.Query.Text(Team));
        return call.Page(await call.Get<ExternalAccountDesk>().ListAsync(call.Who, filter, call.Query.Page, cancel), ExternalAccountKeyResource.Of);
    }

    private static async Task<IResult> ShowAsync(AdminCall call, CancellationToken cancel) => call.Json(
        call.Id("key") is { } kid ? await call.Get<ExternalAccountDesk>().ShowAsync(call.Who, kid, cancel) : ExternalAccountDesk.NoSuchKey(), ExternalAccountKeyResource.Of);

    private static async Task<IResult> CreateAsync(AdminCall call, CancellationToken cancel)
    {
        var body = call.Body;
        if (body.Text("owner") is null || body.Texts("names") is null)
        {
            body.Refuse($"The body needs owner, who answers for the key, and names, the rules of the names that its accounts may have ('{NameRule.EveryName}' for every name).");
        }

        var terms = Terms(body, new ExternalAccountTerms { Names = [], Owner = "" });
        var singleUse = body.Flag("singleUse") ?? false;
        if (body.Problem is { } fault)
        {
            return call.Refuse(fault);
        }

        var outcome = await call.Get<ExternalAccountDesk>().CreateAsync(call.Who, terms, singleUse, cancel);
        return call.Json(outcome, made => new NewExternalAccountKeyResource
        {
            HmacKey = made.Secret,
            Key = ExternalAccountKeyResource.Of(new ExternalAccountReport(made.Key, made.Key.StandingAt(call.Get<CaStore>().Now), 0, [])),
        });
    }

    private static async Task<IResult> ChangeAsync(AdminCall call, CancellationToken cancel)
    {
        _ = Terms(call.Body, new ExternalAccountTerms { Names = [], Owner = "" }); // so that a fault of the body is told before anything is looked up
        return call.Body.Problem is { } fault
            ? call.Refuse(fault)
            : call.Json(
                call.Id("key") is { } kid ? await call.Get<ExternalAccountDesk>().UpdateAsync(call.Who, kid, present => Terms(call.Body, present), cancel) : ExternalAccountDesk.NoSuchKey(),
                ExternalAccountKeyResource.Of);
    }

    private static async Task<IResult> RemoveAsync(AdminCall call, CancellationToken cancel)
    {
        var stops = Stops(call.Body);
        return call.Body.Problem is { } fault
            ? call.Refuse(fault)
            : call.Json(
                call.Id("key") is { } kid ? await call.Get<ExternalAccountDesk>().RemoveAsync(call.Who, kid, stops, cancel) : ExternalAccountDesk.NoSuchKey(),
                ExternalAccountKeyResource.Of);
    }

    /// <summary>The terms with what the body says in their place; a fault stays in the body.</summary>
    private static ExternalAccountTerms Terms(PayloadReader body, ExternalAccountTerms present)
    {
        var certificates = present.Certificates;
        if (body.Text("certificates") is { } text)
        {
            var read = RateLimit.Parse(text);
            if (read.IsValid)
            {
                certificates = read.Value;
            }
            else
            {
                body.Refuse($"The member 'certificates' cannot be used: {read.Reason}.");
            }
        }

        var expires = body.Text("expires") == ExternalAccountKeyResource.Never ? null : body.Has("expires") ? body.Time("expires") : present.ExpiresAt;
        return present with
        {
            Names = body.Texts("names") ?? present.Names,
            Profiles = body.Texts("profiles") ?? present.Profiles,
            Challenges = body.Texts("challenges") ?? present.Challenges,
            MaxAccounts = body.Number("maxAccounts") ?? present.MaxAccounts,
            MaxNames = body.Number("maxNames") ?? present.MaxNames,
            Certificates = certificates,
            Owner = body.Text("owner") ?? present.Owner,
            Team = body.Text("team") ?? present.Team,
            System = body.Text("system") ?? present.System,
            Criticality = body.Text("criticality") ?? present.Criticality,
            ExpiresAt = expires,
            Stops = Stops(body) ?? present.Stops,
        };
    }

    private static EndStops? Stops(PayloadReader body)
    {
        if (body.Texts("stops") is not { } words)
        {
            return null;
        }

        if (StopWords.Read(words) is { } stops)
        {
            return stops;
        }

        body.Refuse($"The member 'stops' is '{Refusals.Shorten(string.Join(' ', words))}'; of {string.Join(", ", StopWords.All)} some or none are expected.");
        return null;
    }
}

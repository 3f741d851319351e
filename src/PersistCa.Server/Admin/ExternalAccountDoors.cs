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

        var terms = Change(body)(new ExternalAccountTerms { Names = [], Owner = "" });
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
        var change = Change(call.Body);
        return call.Body.Problem is { } fault
            ? call.Refuse(fault)
            : call.Json(
                call.Id("key") is { } kid ? await call.Get<ExternalAccountDesk>().UpdateAsync(call.Who, kid, change, cancel) : ExternalAccountDesk.NoSuchKey(),
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

    /// <summary>Reads what the body says of terms, once; what it does not say stays as it is. A fault stays in the body.</summary>
    private static Func<ExternalAccountTerms, ExternalAccountTerms> Change(PayloadReader body)
    {
        var (names, profiles, challenges) = (body.Texts("names"), body.Texts("profiles"), body.Texts("challenges"));
        var (maxAccounts, maxNames, certificates) = (body.Number("maxAccounts"), body.Number("maxNames"), Certificates(body));
        var (owner, team, system, criticality) = (body.Text("owner"), body.Text("team"), body.Text("system"), body.Text("criticality"));
        var never = body.Text("expires") == ExternalAccountKeyResource.Never;
        var (expires, stops) = (never ? null : body.Time("expires"), Stops(body));
        return present => present with
        {
            Names = names ?? present.Names,
            Profiles = profiles ?? present.Profiles,
            Challenges = challenges ?? present.Challenges,
            MaxAccounts = maxAccounts ?? present.MaxAccounts,
            MaxNames = maxNames ?? present.MaxNames,
            Certificates = certificates ?? present.Certificates,
            Owner = owner ?? present.Owner,
            Team = team ?? present.Team,
            System = system ?? present.System,
            Criticality = criticality ?? present.Criticality,
            ExpiresAt = never ? null : expires ?? present.ExpiresAt,
            Stops = stops ?? present.Stops,
        };
    }

    private static RateLimit? Certificates(PayloadReader body)
    {
        if (body.Text("certificates") is not { } text)
        {
            return null;
        }

        var read = RateLimit.Parse(text);
        if (!read.IsValid)
        {
            body.Refuse($"The member 'certificates' cannot be used: {read.Reason}.");
        }

        return read.Value;
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

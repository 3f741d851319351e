using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Limits;
using PersistCa.Server.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Admin;

/// <summary>Accounts and their limits.</summary>
internal static class AccountDoors
{
    private static readonly QueryParameter<string> Status = QueryParameters.Word("status", "Only those of a state.", "valid", "suspended", "deactivated", "revoked");
    private static readonly QueryParameter<string> Thumbprint = QueryParameters.Text("thumbprint", "Thumbprint of a key that it has or had (RFC 7638).", 64);
    private static readonly QueryParameter<string> Contact = QueryParameters.Text("contact", "Part of a contact.");
    private static readonly QueryParameter<DateTimeOffset> CreatedFrom = QueryParameters.Time("createdFrom", "Opened at or after this.");
    private static readonly QueryParameter<DateTimeOffset> CreatedUntil = QueryParameters.Time("createdUntil", "Opened before this.");

    /// <summary>The rows.</summary>
    public static IReadOnlyList<AdminDoor> All { get; } =
    [
        new("GET", "accounts", "listAccounts", "accounts:read", DoorRoles.All, ListAsync)
        {
            Summary = "Accounts.",
            Query = [Status, Thumbprint, Contact, CreatedFrom, CreatedUntil, .. Paging.Both],
            Answer = typeof(ListResource<AccountResource>),
        },
        new("GET", "accounts/{id}", "showAccount", "accounts:read", DoorRoles.All, FindAsync)
        {
            Summary = "An account with its keys and how much it has.",
            Answer = typeof(AccountResource),
            Faults = [DoorFault.NotFound],
        },
        new("POST", "accounts/{id}/suspend", "suspendAccount", "accounts:write", DoorRoles.Operators, (call, cancel) => ChangeAsync(call, call.Get<AccountDesk>().SuspendAsync, cancel))
        {
            Summary = "Keeps an account from acting until it is resumed; its orders under way come to nothing.",
            Body = typeof(Remark),
            Answer = typeof(AccountResource),
            Faults = [DoorFault.NotFound, DoorFault.Conflict],
        },
        new("POST", "accounts/{id}/resume", "resumeAccount", "accounts:write", DoorRoles.Deciders, ResumeAsync)
        {
            Summary = "Lets a suspended account act again.",
            Body = typeof(Remark),
            Answer = typeof(ProposalResource),
            MayWait = true,
            Faults = [DoorFault.NotFound, DoorFault.Conflict],
        },
        new("POST", "accounts/{id}/deactivate", "deactivateAccount", "accounts:write", DoorRoles.Operators, (call, cancel) => ChangeAsync(call, call.Get<AccountDesk>().CloseAsync, cancel))
        {
            Summary = "Closes an account, for ever. Its certificates stay.",
            Body = typeof(Remark),
            Answer = typeof(AccountResource),
            Faults = [DoorFault.NotFound, DoorFault.Conflict],
        },
        new("POST", "accounts/{id}/restrict", "restrictAccount", "accounts:write", DoorRoles.Deciders, RestrictAsync)
        {
            Summary = "Sets what an account is restricted to. Lifting anything may need a second operator.",
            Body = typeof(RestrictAccount),
            Answer = typeof(ProposalResource),
            MayWait = true,
            Faults = [DoorFault.NotFound, DoorFault.Conflict],
        },
        new("GET", "accounts/{id}/limits", "showAccountLimits", "limits:read", DoorRoles.All, LimitsAsync)
        {
            Summary = "The limits of an account and how much of them is used.",
            Answer = typeof(ListResource<LimitResource>),
            Faults = [DoorFault.NotFound],
        },
        new("POST", "accounts/{id}/limits/reset", "resetAccountLimits", "limits:write", DoorRoles.Operators, ResetAsync)
        {
            Summary = "Gives an account back what it used of its limits.",
            Body = typeof(ResetLimits),
            Answer = typeof(ResetResource),
            Faults = [DoorFault.NotFound],
        },
        new("GET", "limits", "listLimits", "limits:read", DoorRoles.All, NumbersAsync)
        {
            Summary = "The limits as they are configured for all.",
            Answer = typeof(ListResource<LimitResource>),
        },
    ];

    private static Func<string, string> UrlOf(AdminCall call) => call.Get<AuthorityUrls>().Account;

    private static async Task<IResult> ListAsync(AdminCall call, CancellationToken cancel)
    {
        var filter = new AccountFilter
        {
            Status = call.Query.Text(Status),
            Thumbprint = call.Query.Text(Thumbprint),
            Contact = call.Query.Text(Contact),
            CreatedFrom = call.Query.Value(CreatedFrom),
            CreatedUntil = call.Query.Value(CreatedUntil),
        };
        return call.Page(await call.Get<AccountDesk>().ListAsync(call.Who, filter, call.Query.Page, cancel), a => AccountResource.Of(a, UrlOf(call)));
    }

    private static async Task<IResult> FindAsync(AdminCall call, CancellationToken cancel) => call.Json(
        call.Id() is { } id ? await call.Get<AccountDesk>().FindAsync(call.Who, id, cancel) : Refusals.NoSuchResource("account"),
        view => AccountResource.Of(view.Account, UrlOf(call), view));

    private static async Task<IResult> ChangeAsync(AdminCall call, Func<OperatorIdentity, string, string, CancellationToken, Task<Outcome<Account>>> change, CancellationToken cancel)
    {
        var comment = call.Comment();
        return call.Body.Problem is { } fault
            ? call.Refuse(fault)
            : call.Json(call.Id() is { } id ? await change(call.Who, id, comment, cancel) : Refusals.NoSuchResource("account"), a => AccountResource.Of(a, UrlOf(call)));
    }

    private static async Task<IResult> ResumeAsync(AdminCall call, CancellationToken cancel)
    {
        var comment = call.Comment();
        return call.Body.Problem is { } fault
            ? call.Refuse(fault)
            : DecisionDoors.Answer(call, call.Id() is { } id ? await call.Get<AccountDesk>().ResumeAsync(call.Who, id, comment, cancel) : Refusals.NoSuchResource("account"));
    }

    private static async Task<IResult> RestrictAsync(AdminCall call, CancellationToken cancel)
    {
        var restrictions = ReadRestrictions(call);
        var comment = call.Comment();
        return call.Body.Problem is { } fault
            ? call.Refuse(fault)
            : DecisionDoors.Answer(call, call.Id() is { } id ? await call.Get<AccountDesk>().RestrictAsync(call.Who, id, restrictions, comment, cancel) : Refusals.NoSuchResource("account"));
    }

    private static AccountRestrictions ReadRestrictions(AdminCall call)
    {
        var body = call.Body;
        var names = new List<string>();
        foreach (var text in Few(body, "names"))
        {
            var read = AccountRestrictions.ReadName(text);
            if (read.IsValid)
            {
                names.Add(read.Value);
            }
            else
            {
                body.Refuse($"The member 'names' cannot be used: {read.Reason}.");
            }
        }

        var profiles = Few(body, "profiles");
        foreach (var unknown in profiles.Where(p => call.Get<ProfileBook>().Find(p) is null))
        {
            body.Refuse($"There is no profile '{Refusals.Shorten(unknown)}'; there are {string.Join(", ", call.Get<ProfileBook>().All.Select(p => p.Name))}.");
        }

        var challenges = new List<ChallengeType>();
        foreach (var text in Few(body, "challenges"))
        {
            if (ChallengeTypes.Read(text) is { } type)
            {
                challenges.Add(type);
            }
            else
            {
                body.Refuse($"There is no challenge '{Refusals.Shorten(text)}'; there are {string.Join(", ", ChallengeTypes.All.Select(t => t.Wire()))}.");
            }
        }

        var limits = new Dictionary<string, RateLimit>(StringComparer.Ordinal);
        foreach (var (name, text) in body.Words("limits") ?? new Dictionary<string, string>())
        {
            var limit = RateLimit.Parse(text);
            if (LimitDesk.ReadOfAccount(name) is null)
            {
                body.Refuse($"'{Refusals.Shorten(name)}' is no limit of an account; there are {string.Join(", ", LimitDesk.OfAccounts)}.");
            }
            else if (!limit.IsValid)
            {
                body.Refuse($"The limit {name} cannot be used: {Refusals.Shorten(limit.Reason)}.");
            }
            else
            {
                limits[name] = limit.Value;
            }
        }

        return new AccountRestrictions
        {
            Names = [.. names.Distinct().Order(StringComparer.Ordinal)],
            Profiles = [.. profiles.Distinct().Order(StringComparer.Ordinal)],
            Challenges = [.. challenges.Distinct().Order()],
            Limits = limits,
        };
    }

    private static IReadOnlyList<string> Few(PayloadReader body, string member)
    {
        var texts = body.Texts(member) ?? [];
        if (texts.Count > AccountRestrictions.MaxEntries)
        {
            body.Refuse($"The member '{member}' has {texts.Count} entries; at most {AccountRestrictions.MaxEntries} are accepted.");
            return [];
        }

        return texts;
    }

    private static async Task<IResult> LimitsAsync(AdminCall call, CancellationToken cancel) => call.Json(
        call.Id() is { } id ? await call.Get<AccountDesk>().LimitsAsync(call.Who, id, cancel) : Refusals.NoSuchResource("account"),
        states => new ListResource<LimitResource>(
            [.. states.Select(s => new LimitResource { Name = s.Kind.ToString(), Limit = s.Limit.ToString(), Subject = s.Name, Own = s.Own, Left = s.Left, Full = s.FullAt })], null));

    private static async Task<IResult> ResetAsync(AdminCall call, CancellationToken cancel)
    {
        var word = call.Body.Text("limit");
        LimitKind? kind = word is null ? null : LimitDesk.ReadOfAccount(word);
        if (word is not null && kind is null)
        {
            call.Body.Refuse($"'{Refusals.Shorten(word)}' is no limit of an account; there are {string.Join(", ", LimitDesk.OfAccounts)}.");
        }

        return call.Body.Problem is { } fault
            ? call.Refuse(fault)
            : call.Json(call.Id() is { } id ? await call.Get<AccountDesk>().ResetAsync(call.Who, id, kind, cancel) : Refusals.NoSuchResource("account"), n => new ResetResource(n));
    }

    private static Task<IResult> NumbersAsync(AdminCall call, CancellationToken cancel) => Task.FromResult(call.Json(new ListResource<LimitResource>(
        [.. call.Get<LimitDesk>().Configured.OrderBy(l => l.Key).Select(l => new LimitResource { Name = l.Key.ToString(), Limit = l.Value.ToString() })], null)));
}

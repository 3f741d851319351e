using System.CommandLine;
using PersistCa.Server.Admin;

namespace PersistCa.Server.Commands;

/// <summary>A command that calls one door. What it takes is the door's row; here stands what people see.</summary>
/// <param name="Noun">What it is about.</param>
/// <param name="Verb">What is done.</param>
/// <param name="Operation">The door's operation.</param>
/// <param name="Columns">Members of the answer's items that a table shows; none for an answer that is a file.</param>
/// <param name="Asks">What is asked before it is done; null for what undoes itself or only looks.</param>
internal sealed record RemoteCommand(string Noun, string Verb, string Operation, string[] Columns, string? Asks = null)
{
    /// <summary>The door.</summary>
    public AdminDoor Door => AdminRoutes.Doors.Single(d => d.Operation == Operation);

    /// <summary>The file of its schema, without the ending.</summary>
    public string Name => $"{Noun}-{Verb}";
}

/// <summary>The commands that call doors, one row each.</summary>
internal static class RemoteCommands
{
    private static readonly string[] Proposal = ["id", "status", "kind", "subject", "proposer", "expires"];
    private static readonly string[] Account = ["id", "status", "created", "contacts"];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<RemoteCommand> All { get; } =
    [
        new("account", "list", "listAccounts", Account),
        new("account", "show", "showAccount", Account),
        new("account", "suspend", "suspendAccount", Account, "Its orders under way will come to nothing."),
        new("account", "resume", "resumeAccount", Proposal),
        new("account", "deactivate", "deactivateAccount", Account, "It is closed for ever."),
        new("account", "restrict", "restrictAccount", Proposal, "What is not said is not restricted any more."),
        new("account", "limits", "showAccountLimits", ["name", "limit", "subject", "left", "full"]),
        new("account", "reset-limits", "resetAccountLimits", ["forgotten"]),
        new("eab", "list", "listExternalAccountKeys", ["id", "state", "owner", "team", "names", "openAccounts", "expires"]),
        new("eab", "create", "createExternalAccountKey", []),
        new("eab", "show", "showExternalAccountKey", []),
        new("eab", "change", "changeExternalAccountKey", []),
        new("eab", "remove", "removeExternalAccountKey", [], "Nothing is bound to it any more, and its accounts lose what its end stops."),
        new("order", "list", "listOrders", ["id", "account", "state", "created", "names"]),
        new("order", "show", "showOrder", []),
        new("authorization", "list", "listAuthorizations", ["id", "account", "status", "name", "wildcard", "expires"]),
        new("authorization", "show", "showAuthorization", []),
        new("certificate", "list", "listCertificates", ["serial", "status", "notAfter", "account", "names"]),
        new("certificate", "show", "showCertificate", []),
        new("certificate", "export", "exportCertificate", []),
        new("certificate", "export-all", "exportCertificates", []),
        new("revocation", "list", "listRevocations", ["id", "status", "by", "criterion", "matched", "proposer", "approver"]),
        new("revocation", "show", "showRevocation", []),
        new("profile", "list", "listProfiles", ["name", "state", "regime", "validitySeconds", "description"]),
        new("profile", "show", "showProfile", []),
        new("profile", "withdraw", "withdrawProfile", Proposal, "Orders that have it will be refused."),
        new("profile", "offer", "offerProfile", Proposal),
        new("issuer", "list", "listIssuers", ["id", "name", "state", "notAfter", "validCertificates", "subject"]),
        new("issuer", "show", "showIssuer", []),
        new("issuer", "export", "exportIssuer", []),
        new("issuer", "stop", "stopIssuer", Proposal, "It signs no more certificates until it is resumed."),
        new("issuer", "resume", "resumeIssuer", Proposal),
        new("limit", "list", "listLimits", ["name", "limit"]),
        new("job", "list", "listJobs", ["id", "kind", "state", "subject", "attempts", "due", "node", "reason"]),
        new("job", "show", "showJob", []),
        new("job", "retry", "retryJob", ["id", "kind", "state", "subject"]),
        new("job", "cancel", "cancelJob", ["id", "kind", "state", "subject"], "Its challenge or order fails."),
        new("token", "list", "listTokens", ["id", "name", "role", "state", "expires", "lastUsed"]),
        new("token", "create", "createToken", []),
        new("token", "revoke", "revokeToken", ["id", "name", "role", "state"], "It opens nothing any more, for ever."),
        new("proposal", "list", "listProposals", Proposal),
        new("proposal", "show", "showProposal", []),
        new("proposal", "approve", "approveProposal", Proposal, "It is carried out at once."),
        new("proposal", "withdraw", "withdrawProposal", Proposal),
        new("audit", "list", "listAuditEntries", ["id", "at", "kind", "actor", "subject"]),
    ];

    private static readonly Dictionary<string, string> Nouns = new()
    {
        ["account"] = "Look at accounts, suspend, close and restrict them.",
        ["eab"] = "Make external account keys for teams, change them and take them back.",
        ["order"] = "Look at orders.",
        ["authorization"] = "Look at authorizations and their evidence.",
        ["certificate"] = "Find, export and revoke certificates.",
        ["revocation"] = "Look at bulk revocations.",
        ["profile"] = "Look at profiles, withdraw them and offer them again.",
        ["issuer"] = "Look at issuers, stop them and let them sign again; take in those from elsewhere.",
        ["limit"] = "Look at limits.",
        ["job"] = "Look at queued work, and help it along.",
        ["token"] = "Look after the tokens of operators.",
        ["proposal"] = "Changes that two operators agree to.",
        ["audit"] = "Look at the audit log.",
    };

    /// <summary>The commands, by their nouns; those of a noun that has other commands too join them.</summary>
    /// <param name="root">Where they go; what it has already is kept.</param>
    public static void AddTo(Command root)
    {
        foreach (var noun in All.GroupBy(c => c.Noun))
        {
            if (root.Subcommands.FirstOrDefault(c => c.Name == noun.Key) is not { } command)
            {
                root.Subcommands.Add(command = new Command(noun.Key, Nouns[noun.Key]));
            }

            command.Description = Nouns[noun.Key];
            foreach (var row in noun)
            {
                command.Subcommands.Add(new RemoteAction(row).Create());
            }
        }
    }
}

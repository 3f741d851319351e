using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.ExternalAccounts;

namespace PersistCa.Issuance.Policy;

/// <summary>Rules about who gets a certificate.</summary>
internal static class AccountRules
{
    private const string Page = "docs/operations/external-accounts.md";

    private const string OperatorsPage = "docs/operations/operators.md";

    public static PolicyRule[] All { get; } =
    [
        new("account.open", "the account is open", "RFC 8555 section 7.3.6", (f, _) => f.Account.IsOpen
            ? RuleFinding.Passed($"account {f.Account.Id} is {f.Account.State}", "a valid account")
            : RuleFinding.Failed(
                f.Account.Suspended ?? new AcmeProblem(ProblemCatalog.Unauthorized, $"The account is {f.Account.State}, for ever; use another key to open a new one.") { Status = 401 },
                $"account {f.Account.Id} is {f.Account.State}",
                "a valid account")),
        new("account.bound", "the account is bound to an external account where that is required", "RFC 8555 section 7.3.4", (f, _) => f.Account switch
        {
            { Scope.IsBound: true } a => RuleFinding.Passed($"bound to {a.Scope.KeyId}", a.ScopeRequired ? "a bound account" : "a bound account or any other"),
            { ScopeRequired: true } => RuleFinding.Failed(
                new AcmeProblem(ProblemCatalog.ExternalAccountRequired, "This account was made without an external account binding, which this authority requires by now; register a new account with one."),
                "not bound",
                "a bound account"),
            _ => RuleFinding.NotApplicable("not bound, and no binding is required"),
        }),
        Restricted("account.profile", "the profile is one of those that an operator left to the account", (f, r) => r.Profiles.Count == 0
            ? RuleFinding.NotApplicable("it may have every profile")
            : RuleFinding.Of(
                [r.AcceptsProfile(f.Profile.Name) ? null : new AcmeProblem(ProblemCatalog.InvalidProfile, $"The profile '{f.Profile.Name}' is not offered to this account any more.")],
                f.Profile.Name,
                string.Join(", ", r.Profiles))),
        Restricted("account.names", "each name is one of those that an operator left to the account", (f, r) => r.Names.Count == 0
            ? RuleFinding.NotApplicable("it may have every name")
            : RuleFinding.Of(f.Names.Select(r.Refuse), Texts.Names(f.Names), Texts.List(r.Names, r.Names.Count))),
        Restricted("account.challenges", "each name was proved by a challenge that an operator left to the account", (f, r) => r.Challenges.Count == 0
            ? RuleFinding.NotApplicable("it may use every challenge")
            : ProofRules.Methods(f, r.Accepts, "the account may not use any more", r.Challenges)),
        Bound("external-account.standing", "the external account has not ended, or its end does not stop this", (f, s) =>
        {
            var ends = s.EndsAt is { } end ? AcmeJson.Time(end) : "never";
            return RuleFinding.Of(
                [s.RefuseAct(f.Account.Act, f.Now)],
                $"{(f.Account.Act == ScopedAct.Renewal ? "a renewal" : "a new order")}; the external account ends {ends}{(s.HasEndedAt(f.Now) ? $" and stops {s.Stops}" : "")}",
                "not ended, or an end that does not stop this");
        }),
        Bound("external-account.profile", "the profile is one of the external account's", (f, s) => s.Profiles.IsEmpty
            ? RuleFinding.NotApplicable("it has every profile")
            : RuleFinding.Of([s.RefuseProfile(f.Profile.Name)], f.Profile.Name, string.Join(", ", s.Profiles))),
        Bound("external-account.names", "each name is one of the external account's", (f, s) =>
            RuleFinding.Of(f.Names.Select(s.Refuse), Texts.Names(f.Names), Texts.List(s.Names.Select(n => n.Text), s.Names.Length))),
        Bound("external-account.count", "there are no more names than the external account allows", (f, s) => s.MaxNames == 0
            ? RuleFinding.NotApplicable("any number")
            : RuleFinding.Of([s.RefuseCount(f.Names.Length)], Texts.Number(f.Names.Length), $"at most {Texts.Number(s.MaxNames)}")),
        Bound("external-account.challenges", "each name was proved by a challenge that the external account accepts", (f, s) => s.Challenges.IsEmpty
            ? RuleFinding.NotApplicable("it accepts every challenge")
            : ProofRules.Methods(f, s.Accepts, $"the external account {s.KeyId} does not accept", s.Challenges)),
        Bound("external-account.certificates", "the external account has a certificate left in its period", (f, s) => s.Certificates.IsOff
            ? RuleFinding.NotApplicable("any number")
            : RuleFinding.Of([f.Account.CertificatesSpent], "one is left, or was taken before", $"at most {s.Certificates}")),
    ];

    private static PolicyRule Restricted(string id, string rule, Func<PolicyFacts, AccountRestrictions, RuleFinding> check) => new(
        id, rule, OperatorsPage, (f, _) => f.Account.Restrictions is { } r ? check(f, r) : RuleFinding.NotApplicable("no operator restricted the account"));

    private static PolicyRule Bound(string id, string rule, Func<PolicyFacts, AccountScope, RuleFinding> check) => new(
        id, rule, Page, (f, _) => f.Account.Scope.IsBound ? check(f, f.Account.Scope) : RuleFinding.NotApplicable("the account is bound to no external account"));
}

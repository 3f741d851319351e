using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.ExternalAccounts;
using PersistCa.Validation.Challenges;

namespace PersistCa.Server.Registration;

/// <summary>Says what a dns-persist-01 validation would find now: the code of validation, without its consequences.</summary>
public sealed class RecordExplainer(CaStore store, IdentifierIntake intake, ValidationDesk desk, LimitDesk limits, PersistPolicy policy, AuthorityUrls urls, PersistCaOptions options)
{
    /// <summary>Explains a name to the account that asks.</summary>
    /// <returns>The explanation; rateLimited, or the refusal that an order for the identifier would get.</returns>
    public async Task<Outcome<ExplanationResource>> ExplainAsync(Account account, AcmeIdentifier wish, CancellationToken cancel)
    {
        var judged = intake.Judge(account, new IdentifierWish(wish), subdomains: false, await store.ReadAsync(db => db.ScopeAsync(account, cancel), cancel));
        if (!judged.TryGet(out var accepted, out var problem))
        {
            return AcmeProblem.Combine([problem], problem.Detail);
        }

        return await LimitedAsync(LimitKind.ExplainPerAccount, account.PublicId, account, cancel) is { } limited ? limited : await LookAsync(account, accepted.Identifier, cancel);
    }

    /// <summary>Explains a name of an account to an operator, in the words that the account itself would get.</summary>
    /// <param name="who">The operator, whatever the role.</param>
    /// <param name="accountId">Id of the account.</param>
    /// <param name="wish">The identifier.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>The explanation; malformed with 404 when there is no such account, rateLimited, or the refusal that an order for the identifier would get.</returns>
    public async Task<Outcome<ExplanationResource>> ExplainAsync(OperatorIdentity who, string accountId, AcmeIdentifier wish, CancellationToken cancel)
    {
        var account = PublicId.LooksRight(accountId) ? await store.ReadAsync(db => db.AccountAsync(accountId, cancel), cancel) : null;
        if (account is null)
        {
            return Refusals.NoSuchResource("account");
        }

        var scope = await store.ReadAsync(db => db.ScopeAsync(account, cancel), cancel);
        if (!intake.Judge(account, new IdentifierWish(wish), subdomains: false, scope).TryGet(out var accepted, out var problem))
        {
            return AcmeProblem.Combine([problem], problem.Detail);
        }

        return await LimitedAsync(LimitKind.ExplainPerOperator, who.Name, null, cancel) is { } limited ? limited : await LookAsync(account, accepted.Identifier, cancel);
    }

    private async Task<AcmeProblem?> LimitedAsync(LimitKind kind, string subject, Account? account, CancellationToken cancel)
    {
        var taken = await store.WriteAsync<string>(
            Actor.Server,
            async t => await limits.TakeAsync(t, kind, subject, "questions to explain", account, cancel) is { } limited ? limited : "taken",
            cancel);
        return taken.Problem;
    }

    private async Task<ExplanationResource> LookAsync(Account account, Identifier identifier, CancellationToken cancel)
    {
        var facts = urls.Facts(account);
        var found = await desk.ValidateAsync(Authorization.PrivateRegime, ChallengeType.DnsPersist01, new ChallengeAttempt(identifier, "", facts), options.Validation.Deadline, cancel);
        return Explain(identifier, facts, found.Result, policy);
    }

    /// <summary>Puts a result into words.</summary>
    /// <param name="identifier">The name or address.</param>
    /// <param name="account">The account.</param>
    /// <param name="result">What validation found.</param>
    /// <param name="policy">What is accepted here.</param>
    public static ExplanationResource Explain(Identifier identifier, AccountFacts account, ChallengeResult result, PersistPolicy policy) => new()
    {
        Identifier = identifier.Acme,
        Verdict = result.IsValid ? "valid" : result.Problem!.Type.Name,
        Detail = result.Problem?.Detail ?? result.Evidence.Reason,
        Dialect = result.Dialect?.Wire(),
        RecordExpires = result.RecordExpires is { } end ? AcmeJson.Time(end) : null,
        Records =
        [
            .. (result.Evidence.Judged ?? []).Select(r => new ExplainedRecord
            {
                Owner = r.Owner,
                Text = r.Text,
                Dialect = r.Dialect,
                Verdict = r.Verdict,
                Detail = r.Detail,
                Expires = r.Expires is { } at ? AcmeJson.Time(at) : null,
            }),
        ],
        Lookups = [.. (result.Evidence.Lookups ?? []).Select(l => new ExplainedLookup(l.Name, l.Type, l.Status))],
        Expected =
        [
            .. PersistDialects.All.Where(d => policy.Dialects.Contains(d) && (identifier is CertificateName || d != PersistDialect.AcmePersist)).Select(d =>
            {
                var at = identifier is IpIdentifier ip ? DnsName.Parse(ip.ReverseName).Value! : ((CertificateName)identifier).Name;
                var record = RecordText.For(d, at, account, policy, identifier.IsWildcard, null, identifier is IpIdentifier);
                return new ExpectedRecord(d.Wire(), record.Owner, record.Value);
            }),
        ],
    };
}

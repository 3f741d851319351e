using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Validation.Challenges;

namespace PersistCa.Server.Registration;

/// <summary>Says what a dns-persist-01 validation would find now: the code of validation, without its consequences.</summary>
public sealed class RecordExplainer(CaStore store, IdentifierIntake intake, ValidationDesk desk, LimitDesk limits, PersistPolicy policy, AuthorityUrls urls, PersistCaOptions options)
{
    /// <summary>Explains a name to the account that asks.</summary>
    /// <returns>The explanation; rateLimited, or the refusal that an order for the identifier would get.</returns>
    public async Task<Outcome<ExplanationResource>> ExplainAsync(Account account, AcmeIdentifier wish, CancellationToken cancel)
    {
        var judged = intake.Judge(account, new IdentifierWish(wish), subdomains: false);
        if (!judged.TryGet(out var accepted, out var problem))
        {
            return AcmeProblem.Combine([problem], problem.Detail);
        }

        var taken = await store.WriteAsync<Account>(
            Actor.Server,
            async t => await limits.TakeAsync(t, LimitKind.ExplainPerAccount, account.PublicId, "questions to explain", account, cancel) is { } limited ? limited : account,
            cancel);
        if (!taken.TryGet(out _, out problem))
        {
            return problem;
        }

        var found = await desk.ValidateAsync(Authorization.PrivateRegime, ChallengeType.DnsPersist01, new ChallengeAttempt(accepted.Identifier, "", urls.Facts(account)), options.Validation.Deadline, cancel);
        return Explain(accepted.Identifier, urls.Facts(account), found.Result, policy);
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

using System.Collections.Immutable;
using PersistCa.Issuance.Policy;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Identifiers;
using PersistCa.Server.Hosting;
using PersistCa.Server.Telemetry;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Validation.CaaLookup;
using PersistCa.Validation.Evidence;
using PersistCa.Validation.Perspectives;

namespace PersistCa.Server.Registration;

/// <summary>A name whose CAA records have to be looked at, again or for the first time.</summary>
/// <param name="Name">The name.</param>
/// <param name="AuthorizationId">The authorization that stands for it.</param>
/// <param name="Method">The challenge by which control was proved.</param>
/// <param name="Regime">By whose rules.</param>
public sealed record CaaDue(CertificateName Name, long AuthorizationId, ChallengeType Method, ValidationRegime Regime);

/// <summary>What is known of the CAA records of an order's names.</summary>
/// <param name="Facts">For each name that has such records: what was said.</param>
/// <param name="Due">Names that have to be looked at.</param>
public sealed record CaaSeen(ImmutableArray<CaaFacts> Facts, IReadOnlyList<CaaDue> Due);

/// <summary>Asks CAA for each name by itself, and keeps what it said (RFC 8659; BR 3.2.2.8): one fresh result per name, never one for another.</summary>
public sealed class CaaDesk(CaStore store, ValidationRegimes regimes, AuthorityUrls urls, TimeProvider clock)
{
    private const string NotAsked = "NotAsked";

    /// <summary>What an earlier result is worth under the present mode: enforcing rests on a permission by records, never on one that nobody asked for.</summary>
    private static bool Counts(string outcome, CaaMode mode) => mode switch
    {
        CaaMode.Enforce => outcome == nameof(CaaOutcome.Permitted),
        CaaMode.Report => outcome != NotAsked,
        _ => true,
    };

    /// <summary>Asks, together with other questions of the issuing transaction, what was said of the names of authorizations and is still fresh.</summary>
    public static IReadOnlyDictionary<long, Found<IReadOnlyList<CaaCheckRow>>> Ask(StoreReads reads, IReadOnlyList<Authorization> authorizations, DateTimeOffset now) =>
        authorizations.ToDictionary(a => a.Id, a => reads.FreshCaa(a.Id, now));

    /// <summary>What was said of an order's names, and which are without a fresh permission.</summary>
    public CaaSeen Seen(IReadOnlyDictionary<long, Found<IReadOnlyList<CaaCheckRow>>> fresh, IEnumerable<string> names, IReadOnlyList<Authorization> authorizations)
    {
        var facts = ImmutableArray.CreateBuilder<CaaFacts>();
        var due = new List<CaaDue>();
        foreach (var text in names)
        {
            // An address has no CAA records (RFC 8738 says nothing of them). A name that nobody proved is refused for that.
            if (Identifier.Of(text) is not CertificateName name || authorizations.FirstOrDefault(a => a.Covers(text)) is not { } authorization
                || regimes.Find(authorization.Regime) is not { } regime || authorization.Challenges.FirstOrDefault(c => c.Status == ChallengeStatus.Valid) is not { } won)
            {
                continue;
            }

            var mode = regime.Caa.ModeOf(name.Name);
            if (fresh[authorization.Id].Value.FirstOrDefault(f => f.Name == text && Counts(f.Outcome, mode)) is { } seen)
            {
                facts.Add(new CaaFacts(name, mode) { Outcome = seen.Outcome, CheckedAt = seen.CheckedAt, FreshUntil = seen.FreshUntil });
            }
            else
            {
                facts.Add(new CaaFacts(name, mode));
                due.Add(new CaaDue(name, authorization.Id, won.Type, regime));
            }
        }

        return new CaaSeen(facts.ToImmutable(), due);
    }

    /// <summary>Looks at the records of names that are due, and records what they say.</summary>
    /// <returns>Null when all permit; else the refusal, with a subproblem for each name that does not.</returns>
    public async Task<AcmeProblem?> CheckAsync(IReadOnlyList<CaaDue> due, Account account, CancellationToken cancel)
    {
        var facts = urls.Facts(account);
        var checks = await Task.WhenAll(due.Select(async d => (Due: d, Check: await LookAsync(d.Regime, CaaQuestion.For(d.Name, facts, d.Method), d.Method, cancel))));
        var outcome = await store.WriteAsync<string>(
            Actor.Server,
            t =>
            {
                foreach (var (d, check) in checks)
                {
                    Record(t, check, d.AuthorizationId, d.Name.Text, account);
                }

                return Task.FromResult<Protocol.Outcome<string>>("recorded");
            },
            cancel);
        _ = outcome.Value;
        var problems = checks.Where(c => c.Check.Result.Problem is not null).Select(c => c.Check.Result.Problem! with { Identifier = c.Due.Name.Acme }).ToList();
        return problems.Count == 0 ? null : AcmeProblem.Combine(problems, $"CAA does not permit {problems.Count} of the names; see subproblems.");
    }

    private async Task<CaaCheck> LookAsync(ValidationRegime regime, CaaQuestion question, ChallengeType method, CancellationToken cancel)
    {
        var here = await regime.Caa.CheckAsync(question, cancel);
        return regime.Panel is null ? here : await regime.Panel.CorroborateAsync(question, method, here, clock, cancel);
    }

    /// <summary>Keeps a check inside a change.</summary>
    public static void Record(StoreTransaction t, CaaCheck check, long authorizationId, string name, Account account)
    {
        var verdict = check.Result.Verdict;
        CaTelemetry.CaaChecks.Add(
            1,
            new KeyValuePair<string, object?>("outcome", verdict.Outcome.ToString().ToLowerInvariant()),
            new KeyValuePair<string, object?>("mode", check.Result.Mode.ToString().ToLowerInvariant()));
        t.Add(new CaaCheckRow
        {
            AuthorizationId = authorizationId,
            Name = name,
            CheckedAt = check.Result.CheckedAt,
            FreshUntil = check.Result.FreshUntil,
            Outcome = verdict.Reason == CaaReason.SwitchedOff ? NotAsked : verdict.Outcome.ToString(),
            Evidence = EvidenceJson.Write(check.Evidence),
        });
        t.Audit(
            AuditKinds.CaaChecked,
            "name:" + name,
            ("account", account.PublicId),
            ("outcome", verdict.Outcome.ToString()),
            ("reason", verdict.Reason.ToString()),
            ("mode", check.Result.Mode.ToString()),
            ("perspectives", check.Evidence.Quorum?.Text),
            ("iodef", verdict.IodefContacts.IsEmpty ? null : string.Join(' ', verdict.IodefContacts)));
    }
}

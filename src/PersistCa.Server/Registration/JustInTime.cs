using System.Diagnostics;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Server.Hosting;
using PersistCa.Server.Telemetry;
using PersistCa.Storage;
using PersistCa.Validation.Challenges;

namespace PersistCa.Server.Registration;

/// <summary>
/// Looks for records before the client asks (dns-persist-01 rules, section 6.7): the same validator, under a budget. What it proves is valid at once;
/// what it does not prove stays pending, never an error.
/// </summary>
public sealed partial class JustInTime(
    CaStore store, ValidationDesk desk, LimitDesk limits, PersistCaOptions options, TimeProvider clock, ILogger<JustInTime> logger)
{
    /// <summary>Tries every pending authorization that dns-persist-01 may prove.</summary>
    /// <returns>True when at least one is valid now.</returns>
    public async Task<bool> ProveAsync(Account account, IReadOnlyList<Authorization> authorizations, CancellationToken cancel)
    {
        var persist = options.Validation.Persist;
        if (!persist.JustInTime || (account.ProvedByRecordAt is null && !persist.JustInTimeForAll))
        {
            return false;
        }

        var candidates = authorizations
            .Where(a => a.StatusAt(store.Now) == AuthorizationStatus.Pending)
            .Select(a => (Authorization: a, Challenge: a.Challenges.FirstOrDefault(c => c.Type == ChallengeType.DnsPersist01 && c.Status == ChallengeStatus.Pending)))
            .Where(c => c.Challenge is not null)
            .ToList();
        var allowed = await AllowedAsync(candidates.ConvertAll(c => c.Authorization), account, cancel);
        if (allowed.Count == 0)
        {
            return false;
        }

        // Every name is decided by itself; the budget is one for all.
        var started = clock.GetTimestamp();
        var results = await Task.WhenAll(candidates.Where(c => allowed.Contains(c.Authorization.Id)).Select(async c => (
            c.Authorization,
            c.Challenge!.Ordinal,
            Result: await desk.ValidateAsync(
                c.Authorization.Regime,
                ChallengeType.DnsPersist01,
                desk.Attempt(c.Authorization, c.Challenge, account) with { JustInTime = true },
                persist.JustInTimeBudget,
                cancel))));
        var seconds = clock.GetElapsedTime(started).TotalSeconds;
        foreach (var (_, _, result) in results)
        {
            var tags = new TagList { { "verdict", result.Result.IsValid ? "valid" : "pending" } };
            CaTelemetry.JustInTime.Add(1, tags);
            CaTelemetry.JustInTimeTime.Record(seconds, tags);
        }

        // What failed has paid its place already, in AllowedAsync: then there is nothing to write, unless perspectives were asked, whose every look is kept.
        var kept = results.Where(r => r.Result.Result.IsValid || r.Result.Result.Evidence.Quorum is not null).Select(r => (r.Authorization.Id, r.Ordinal, r.Result)).ToList();
        return kept.Count > 0 && await RecordAsync(account.Id, kept, cancel);
    }

    private async Task<HashSet<long>> AllowedAsync(List<Authorization> candidates, Account account, CancellationToken cancel)
    {
        if (candidates.Count == 0)
        {
            return [];
        }

        var outcome = await store.WriteAsync<HashSet<long>>(
            Actor.Server,
            async t =>
            {
                var allowed = new HashSet<long>();
                foreach (var authorization in candidates)
                {
                    var reads = t.Read();
                    var place = limits.Ask(reads, LimitKind.JustInTimePerDomain, desk.Domain(authorization), "looks in advance", null, t.Now);
                    await reads.RunAsync(cancel);
                    if (place.Taken.Value && await limits.TryAsync(t, account, authorization, cancel) is null)
                    {
                        allowed.Add(authorization.Id);
                    }
                    else
                    {
                        LogLimited(logger, authorization.CertificateName);
                    }
                }

                return allowed;
            },
            cancel);
        return outcome.Value;
    }

    private async Task<bool> RecordAsync(long accountId, IReadOnlyList<(long Authorization, int Ordinal, Validated Result)> proven, CancellationToken cancel)
    {
        var outcome = await store.WriteAsync<object>(
            Actor.Server,
            async t =>
            {
                var any = false;
                var reads = t.Read();
                var found = proven.Select(p => reads.Authorization(p.Authorization)).ToList();
                var owner = reads.Account(accountId);
                await reads.RunAsync(cancel);
                var account = owner.Value ?? throw new InvalidOperationException("an account vanished");
                foreach (var ((_, ordinal, result), one) in proven.Zip(found))
                {
                    var authorization = one.Value ?? throw new InvalidOperationException("an authorization vanished");
                    var challenge = authorization.Challenges.Single(c => c.Ordinal == ordinal);

                    if (!result.Result.IsValid)
                    {
                        desk.Keep(t, authorization, challenge, account, result);
                        continue;
                    }

                    // What was deactivated, or taken up by the client, meanwhile is not ours to decide.
                    if (account.IsValid && ValidationDesk.Holds(result.Result, account) && authorization.Accept(challenge, t.Now))
                    {
                        any |= desk.Record(t, authorization, challenge, account, result, justInTime: true) is null;
                    }
                }

                return any;
            },
            cancel);
        return outcome.TryGet(out var proved, out _) && (bool)proved;
    }

    [LoggerMessage(LogLevel.Information, "{Name} is not looked at in advance: its domain or account is at a limit")]
    private static partial void LogLimited(ILogger logger, string name);
}

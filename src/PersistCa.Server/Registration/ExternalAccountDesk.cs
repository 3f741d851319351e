using System.Globalization;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Jose;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.ExternalAccounts;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Registration;

/// <summary>A new external account key.</summary>
/// <param name="Key">Its row.</param>
/// <param name="Secret">Its MAC key in base64url, as clients expect it; to be shown once.</param>
public sealed record MadeExternalAccountKey(ExternalAccountKey Key, string Secret);

/// <summary>An external account key as it stands.</summary>
/// <param name="Key">Its row.</param>
/// <param name="Standing">Whether it can be bound to.</param>
/// <param name="OpenAccounts">How many of its accounts are open.</param>
/// <param name="Accounts">Public ids of the last accounts bound to it, the newest first.</param>
public sealed record ExternalAccountReport(ExternalAccountKey Key, KeyStanding Standing, int OpenAccounts, IReadOnlyList<string> Accounts);

/// <summary>Which keys are wanted.</summary>
/// <param name="Standing">Whether they can be bound to; null for all.</param>
/// <param name="Owner">Whose; null for all.</param>
/// <param name="Team">Of which team; null for all.</param>
public sealed record ExternalAccountFilter(KeyStanding? Standing = null, string? Owner = null, string? Team = null);

/// <summary>Makes, shows, changes and takes back external account keys, for operators.</summary>
public sealed class ExternalAccountDesk(CaStore store, AuthorityKeys keys, ProfileBook profiles)
{
    /// <summary>Accounts that a report names.</summary>
    public const int Named = 100;

    /// <summary>Makes a key.</summary>
    /// <param name="who">An operator.</param>
    /// <param name="terms">What its accounts may do.</param>
    /// <param name="singleUse">Whether it opens one account and never another.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>The key with its secret, which can be seen never again; malformed when the terms cannot be.</returns>
    public async Task<Outcome<MadeExternalAccountKey>> CreateAsync(OperatorIdentity who, ExternalAccountTerms terms, bool singleUse, CancellationToken cancel)
    {
        var kid = PublicId.Next();
        var secret = RandomNumberGenerator.GetBytes(ExternalAccountKey.SecretOctets);
        try
        {
            return await store.WriteAsync<MadeExternalAccountKey>(
                who.Actor,
                async t =>
                {
                    if (await who.RefuseAsync(t, OperatorRole.Operator, cancel) is { } refused)
                    {
                        return refused;
                    }

                    if (!ExternalAccountRules.Judge(terms, profiles.Knows, null, t.Now).TryGet(out var judged, out refused))
                    {
                        return refused;
                    }

                    var key = new ExternalAccountKey(kid, SecretSeal.Seal(keys.ExternalAccountKeys, secret, BindingDesk.RowOf(kid)), singleUse, judged, who.Actor.Name, t.Now);
                    t.Db.ExternalAccountKeys.Add(key);
                    t.Audit(AuditKinds.ExternalAccountKeyCreated, "external-account:" + kid, [("singleUse", singleUse ? "true" : null), .. Facts(judged)]);
                    return new MadeExternalAccountKey(key, Base64UrlText.Encode(secret));
                },
                cancel);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    /// <summary>Keys, the newest first; removed ones stay in the list.</summary>
    /// <param name="who">An operator, whatever the role.</param>
    /// <param name="filter">Which of them.</param>
    /// <param name="page">Which page.</param>
    /// <param name="cancel">Stops.</param>
    public Task<Paged<ExternalAccountReport>> ListAsync(OperatorIdentity who, ExternalAccountFilter filter, PageWish page, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        return store.ReadAsync(
            async db =>
            {
                var (now, below) = (store.Now, page.Below);
                var keys = db.ExternalAccountKeys.Where(k => k.Id < below);
                keys = filter.Standing switch
                {
                    KeyStanding.Removed => keys.Where(k => k.RemovedAt != null),
                    KeyStanding.Expired => keys.Where(k => k.RemovedAt == null && k.ExpiresAt != null && k.ExpiresAt <= now),
                    KeyStanding.Live => keys.Where(k => k.RemovedAt == null && (k.ExpiresAt == null || k.ExpiresAt > now)),
                    _ => keys,
                };
                keys = filter.Owner is { } owner ? keys.Where(k => k.Owner == owner) : keys;
                keys = filter.Team is { } team ? keys.Where(k => k.Team == team) : keys;
                var found = Paged.Of(await keys.OrderByDescending(k => k.Id).Take(page.Size + 1).ToListAsync(cancel), page, k => k.Id);
                long?[] ids = [.. found.Items.Select(k => (long?)k.Id)];
                var open = await db.Accounts
                    .Where(a => ids.Contains(a.ExternalKeyId) && a.Status == Protocol.Accounts.AccountStatus.Valid)
                    .GroupBy(a => a.ExternalKeyId)
                    .Select(g => new { g.Key, Count = g.Count() })
                    .ToListAsync(cancel);
                return found.Select(k => new ExternalAccountReport(k, k.StandingAt(now), open.Find(o => o.Key == k.Id)?.Count ?? 0, []));
            },
            cancel);
    }

    /// <summary>A key with its accounts; its secret is never shown again.</summary>
    /// <param name="who">An operator, whatever the role.</param>
    /// <param name="kid">Its identifier.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>The report; malformed with 404 when there is no such key.</returns>
    public async Task<Outcome<ExternalAccountReport>> ShowAsync(OperatorIdentity who, string kid, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        var found = await store.ReadAsync(async db => await db.ExternalKeyAsync(kid, cancel) is { } key ? await ReportAsync(db, key, cancel) : null, cancel);
        return found is null ? NoSuchKey() : found;
    }

    /// <summary>Changes what the accounts of a key may do, at once and for those that are bound already.</summary>
    /// <param name="who">An operator.</param>
    /// <param name="kid">Its identifier.</param>
    /// <param name="change">Makes the new terms out of the present ones.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>The report; malformed when the terms cannot be, with 404 when there is no such key, with 409 when it was removed.</returns>
    public async Task<Outcome<ExternalAccountReport>> UpdateAsync(
        OperatorIdentity who, string kid, Func<ExternalAccountTerms, ExternalAccountTerms> change, CancellationToken cancel) => await ChangeAsync(
        who,
        kid,
        (t, key) =>
        {
            var before = key.Terms();
            if (!ExternalAccountRules.Judge(change(before), profiles.Knows, key.ExpiresAt, t.Now).TryGet(out var judged, out var problem))
            {
                return problem;
            }

            key.Change(judged);
            t.Audit(AuditKinds.ExternalAccountKeyChanged, "external-account:" + kid, [.. Facts(judged), .. Facts(before).Except(Facts(judged)).Select(f => ("before." + f.Name, f.Value ?? ""))]);
            return null;
        },
        cancel);

    /// <summary>Takes a key back, for ever: no account is bound to it any more, and those that are bound lose what its end stops.</summary>
    /// <param name="who">An operator.</param>
    /// <param name="kid">Its identifier.</param>
    /// <param name="stops">What that stops; null for what the key says already.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>The report; malformed with 404 when there is no such key, with 409 when it was removed.</returns>
    public async Task<Outcome<ExternalAccountReport>> RemoveAsync(OperatorIdentity who, string kid, EndStops? stops, CancellationToken cancel) => await ChangeAsync(
        who,
        kid,
        (t, key) =>
        {
            key.Remove(stops ?? key.Stops, t.Now);
            t.Audit(AuditKinds.ExternalAccountKeyRemoved, "external-account:" + kid, ("stops", StopWords.Of(key.Stops)), ("bound", key.Bound.ToString(CultureInfo.InvariantCulture)));
            return null;
        },
        cancel);

    private async Task<Outcome<ExternalAccountReport>> ChangeAsync(
        OperatorIdentity who, string kid, Func<StoreTransaction, ExternalAccountKey, AcmeProblem?> change, CancellationToken cancel) => await store.WriteAsync<ExternalAccountReport>(
        who.Actor,
        async t =>
        {
            if (await who.RefuseAsync(t, OperatorRole.Operator, cancel) is { } refused)
            {
                return refused;
            }

            if (await t.HoldExternalKeyAsync(kid, cancel) is not { } key)
            {
                return NoSuchKey();
            }

            if (key.RemovedAt is { } at)
            {
                return new AcmeProblem(ProblemCatalog.Malformed, $"The external account key was removed at {AcmeJson.Time(at)}; what is removed stays so.") { Status = 409 };
            }

            return change(t, key) is { } problem ? problem : await ReportAsync(t.Db, key, cancel);
        },
        cancel);

    private async Task<ExternalAccountReport> ReportAsync(CaDb db, ExternalAccountKey key, CancellationToken cancel)
    {
        var accounts = await db.Accounts.Where(a => a.ExternalKeyId == key.Id).OrderByDescending(a => a.Id).Select(a => a.PublicId).Take(Named).ToListAsync(cancel);
        return new ExternalAccountReport(key, key.StandingAt(store.Now), await db.OpenAccountsAsync(key.Id, cancel), accounts);
    }

    private static IEnumerable<(string Name, string? Value)> Facts(ExternalAccountTerms terms) =>
    [
        ("names", string.Join(' ', terms.Names)),
        ("profiles", Some(string.Join(' ', terms.Profiles))),
        ("challenges", Some(string.Join(' ', terms.Challenges))),
        ("maxAccounts", terms.MaxAccounts == 0 ? null : terms.MaxAccounts.ToString(CultureInfo.InvariantCulture)),
        ("maxNames", terms.MaxNames == 0 ? null : terms.MaxNames.ToString(CultureInfo.InvariantCulture)),
        ("certificates", terms.Certificates.IsOff ? null : terms.Certificates.ToString()),
        ("owner", terms.Owner),
        ("team", Some(terms.Team)),
        ("system", Some(terms.System)),
        ("criticality", Some(terms.Criticality)),
        ("expires", terms.ExpiresAt is { } end ? AcmeJson.Time(end) : null),
        ("stops", StopWords.Of(terms.Stops)),
    ];

    private static string? Some(string text) => text.Length == 0 ? null : text;

    internal static AcmeProblem NoSuchKey() => Refusals.NoSuchResource("external account key");
}

/// <summary>The words for what the end of a key stops.</summary>
public static class StopWords
{
    private static readonly (EndStops Flag, string Word)[] Words = [(EndStops.NewOrders, "new-orders"), (EndStops.Renewals, "renewals"), (EndStops.Revocations, "revocations")];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Words.Select(w => w.Word)];

    /// <summary>The words, separated by blanks; "nothing" for none.</summary>
    public static string Of(EndStops stops) => stops == EndStops.None ? "nothing" : string.Join(' ', List(stops));

    /// <summary>The words one by one.</summary>
    public static IReadOnlyList<string> List(EndStops stops) => [.. Words.Where(w => stops.HasFlag(w.Flag)).Select(w => w.Word)];

    /// <summary>Reads words.</summary>
    /// <returns>Null when one is not known.</returns>
    public static EndStops? Read(IEnumerable<string> words)
    {
        var read = EndStops.None;
        foreach (var word in words)
        {
            var known = Words.FirstOrDefault(w => w.Word == word).Flag;
            if (known == EndStops.None)
            {
                return null;
            }

            read |= known;
        }

        return read;
    }
}

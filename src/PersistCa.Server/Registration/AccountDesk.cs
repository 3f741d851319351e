using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Limits;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Limits;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Registration;

/// <summary>Which accounts are looked for; what is null does not matter.</summary>
public sealed record AccountFilter
{
    /// <summary>valid, suspended, deactivated or revoked.</summary>
    public string? Status { get; init; }

    /// <summary>Thumbprint of a key that it has or had.</summary>
    public string? Thumbprint { get; init; }

    /// <summary>Part of a contact.</summary>
    public string? Contact { get; init; }

    /// <summary>Opened at or after this.</summary>
    public DateTimeOffset? CreatedFrom { get; init; }

    /// <summary>Opened before this.</summary>
    public DateTimeOffset? CreatedUntil { get; init; }
}

/// <summary>An account and what it has.</summary>
/// <param name="Account">The account with its keys.</param>
/// <param name="Orders">How many orders.</param>
/// <param name="Certificates">How many certificates, those that ended too.</param>
/// <param name="ValidCertificates">How many certificates that are good now.</param>
public sealed record AccountView(Account Account, int Orders, int Certificates, int ValidCertificates);

/// <summary>The state of a limit for an account.</summary>
/// <param name="Kind">Which limit.</param>
/// <param name="Name">The name that it is about, for failed validations; null for the account as a whole.</param>
/// <param name="Limit">The limit that holds.</param>
/// <param name="Own">Whether it is the account's own.</param>
/// <param name="Left">How many more there may be now; null where nothing limits.</param>
/// <param name="FullAt">When all of them are back; null where they are.</param>
public sealed record LimitState(LimitKind Kind, string? Name, RateLimit Limit, bool Own, int? Left, DateTimeOffset? FullAt);

/// <summary>Accounts as operators see and change them. A change is seen by what is under way: each step of an order asks for the account again.</summary>
public sealed class AccountDesk(CaStore store, DecisionDesk decisions, LimitDesk limits)
{
    private static readonly OperatorRole[] Changers = [OperatorRole.Operator];

    /// <summary>Accounts, the newest first.</summary>
    public async Task<Paged<Account>> ListAsync(OperatorIdentity who, AccountFilter filter, PageWish page, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        var below = page.Below;
        return Paged.Of(
            await store.ReadAsync(
                db =>
                {
                    var rows = db.Accounts.Where(a => a.Id < below);
                    rows = filter.Status switch
                    {
                        "valid" => rows.Where(a => a.Status == AccountStatus.Valid && a.SuspendedAt == null),
                        "suspended" => rows.Where(a => a.Status == AccountStatus.Valid && a.SuspendedAt != null),
                        "deactivated" => rows.Where(a => a.Status == AccountStatus.Deactivated),
                        "revoked" => rows.Where(a => a.Status == AccountStatus.Revoked),
                        _ => rows,
                    };
                    rows = filter.Thumbprint is { } key ? rows.Where(a => db.AccountKeys.Any(k => k.AccountId == a.Id && k.Thumbprint == key)) : rows;
                    rows = filter.Contact is { } contact ? rows.Where(a => a.Contacts.Any(c => c.Contains(contact))) : rows;
                    rows = filter.CreatedFrom is { } from ? rows.Where(a => a.CreatedAt >= from) : rows;
                    rows = filter.CreatedUntil is { } until ? rows.Where(a => a.CreatedAt < until) : rows;
                    return rows.OrderByDescending(a => a.Id).Take(page.Size + 1).ToListAsync(cancel);
                },
                cancel),
            page,
            a => a.Id);
    }

    /// <summary>An account with everything.</summary>
    public async Task<Outcome<AccountView>> FindAsync(OperatorIdentity who, string id, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        var now = store.Now;
        var found = await store.ReadAsync(
            async db => await db.AccountAsync(id, cancel) is { } account
                ? new AccountView(
                    account,
                    await db.Orders.CountAsync(o => o.AccountId == account.Id, cancel),
                    await db.Certificates.CountAsync(c => c.AccountId == account.Id && c.IssuedAt != null, cancel),
                    await db.Certificates.CountAsync(c => c.AccountId == account.Id && c.Status == CertificateStatus.Issued && c.NotAfter >= now, cancel))
                : null,
            cancel);
        return found is null ? Refusals.NoSuchResource("account") : found;
    }

    /// <summary>Keeps an account from acting. One operator does it at once; letting it act again may need two.</summary>
    public Task<Outcome<Account>> SuspendAsync(OperatorIdentity who, string id, string comment, CancellationToken cancel) =>
        ChangeAsync(who, id, AuditKinds.AccountSuspended, comment, (a, now) => a.Suspend(now), a => a.IsValid ? null : NotOpen(a), cancel);

    /// <summary>Closes an account, for ever.</summary>
    public Task<Outcome<Account>> CloseAsync(OperatorIdentity who, string id, string comment, CancellationToken cancel) =>
        ChangeAsync(who, id, AuditKinds.AccountRevoked, comment, (a, now) => a.Revoke(now), a => a.Status == AccountStatus.Valid ? null : NotOpen(a), cancel);

    /// <summary>Lets a suspended account act again.</summary>
    public Task<Outcome<OperatorProposal>> ResumeAsync(OperatorIdentity who, string id, string comment, CancellationToken cancel) =>
        decisions.DecideAsync(who, DecisionKinds.AccountResume, "account:" + id, DecisionActions.Nothing, comment, cancel);

    /// <summary>Sets everything that an account is restricted to, in place of what it was. What gives it nothing it had not needs no second operator.</summary>
    public Task<Outcome<OperatorProposal>> RestrictAsync(OperatorIdentity who, string id, AccountRestrictions restrictions, string comment, CancellationToken cancel) => decisions.DecideAsync(
        who,
        DecisionKinds.AccountLift,
        "account:" + id,
        RestrictionsText.Write(restrictions),
        comment,
        cancel,
        async t =>
        {
            if (await t.Db.Accounts.FirstOrDefaultAsync(a => a.PublicId == id, cancel) is not { } account)
            {
                return Refusals.NoSuchResource("account");
            }

            return !restrictions.AllowMoreThan(account.Restrictions ?? AccountRestrictions.None, limits.ConfiguredFor(id));
        });

    /// <summary>The limits of an account as they stand.</summary>
    public async Task<Outcome<IReadOnlyList<LimitState>>> LimitsAsync(OperatorIdentity who, string id, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        return await store.ReadAsync<Outcome<IReadOnlyList<LimitState>>>(
            async db =>
            {
                if (await db.AccountAsync(id, cancel) is not { } account)
                {
                    return Refusals.NoSuchResource("account");
                }

                var states = new List<LimitState>();
                var now = LimitBuckets.Microseconds(store.Now);
                foreach (var kind in LimitDesk.OfAccounts)
                {
                    var limit = limits.For(kind, account);
                    var own = account.Restrictions?.Limits.ContainsKey(kind.ToString()) == true;
                    var (key, under) = (LimitDesk.BucketOf(kind, id), LimitDesk.BucketOf(kind, id) + " ");
                    var buckets = await db.LimitBuckets.Where(b => b.Key == key || b.Key.StartsWith(under)).OrderBy(b => b.Key).ToListAsync(cancel);
                    if (buckets.Count == 0)
                    {
                        states.Add(new LimitState(kind, null, limit, own, limit.IsOff ? null : limit.Count, null));
                    }

                    states.AddRange(buckets.Select(b => new LimitState(
                        kind,
                        b.Key.Length > under.Length ? b.Key[under.Length..] : null,
                        limit,
                        own,
                        limit.IsOff ? null : (int)Math.Clamp(Math.Floor((double)(limit.ToleranceMicroseconds - Math.Max(0, b.FullAt - now)) / limit.IntervalMicroseconds) + 1, 0, limit.Count),
                        b.FullAt > now ? DateTimeOffset.FromUnixTimeMilliseconds(b.FullAt / 1000) : null)));
                }

                return states;
            },
            cancel);
    }

    /// <summary>Gives an account back what it used of its limits.</summary>
    /// <param name="who">An operator.</param>
    /// <param name="id">Id of the account.</param>
    /// <param name="kind">Of one limit; null for all.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>How many counts were forgotten.</returns>
    public Task<Outcome<int>> ResetAsync(OperatorIdentity who, string id, LimitKind? kind, CancellationToken cancel) => store.WriteAsync<int>(
        who.Actor,
        async t =>
        {
            if (await who.RefuseAsync(t, Changers, cancel) is { } refused)
            {
                return refused;
            }

            if (!await t.Db.Accounts.AnyAsync(a => a.PublicId == id, cancel))
            {
                return Refusals.NoSuchResource("account");
            }

            var forgotten = 0;
            foreach (var one in LimitDesk.OfAccounts.Where(k => kind is null || k == kind))
            {
                var (key, under) = (LimitDesk.BucketOf(one, id), LimitDesk.BucketOf(one, id) + " ");
                forgotten += await t.Db.LimitBuckets.Where(b => b.Key == key || b.Key.StartsWith(under)).ExecuteDeleteAsync(cancel);
            }

            t.Audit(AuditKinds.LimitReset, "account:" + id, ("limit", kind?.ToString() ?? "all"), ("counts", forgotten.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            return forgotten;
        },
        cancel);

    private static AcmeProblem NotOpen(Account account) => Refusals.Conflict(account.Status == AccountStatus.Valid
        ? $"The account is suspended since {AcmeJson.Time(account.SuspendedAt!.Value)}."
        : $"The account is {account.Status.ToString().ToLowerInvariant()}, for ever.");

    private Task<Outcome<Account>> ChangeAsync(
        OperatorIdentity who, string id, string kind, string comment, Action<Account, DateTimeOffset> change, Func<Account, AcmeProblem?> refuse, CancellationToken cancel) => store.WriteAsync<Account>(
        who.Actor,
        async t =>
        {
            if (await who.RefuseAsync(t, Changers, cancel) is { } refused)
            {
                return refused;
            }

            if (await t.Db.AccountAsync(id, cancel) is not { } account)
            {
                return Refusals.NoSuchResource("account");
            }

            if (refuse(account) is { } problem)
            {
                return problem;
            }

            change(account, t.Now);
            t.Audit(kind, "account:" + id, ("comment", comment.Length == 0 ? null : comment));
            return account;
        },
        cancel);
}

using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Orders;
using PersistCa.Storage;

namespace PersistCa.Server.Registration;

/// <summary>Which orders are looked for; what is null does not matter.</summary>
public sealed record OrderFilter
{
    /// <summary>Id of the account.</summary>
    public string? Account { get; init; }

    /// <summary>open, processing, valid, failed or lapsed.</summary>
    public string? State { get; init; }

    /// <summary>A name in it.</summary>
    public string? Name { get; init; }

    /// <summary>Name of the profile.</summary>
    public string? Profile { get; init; }

    /// <summary>Opened at or after this.</summary>
    public DateTimeOffset? CreatedFrom { get; init; }

    /// <summary>Opened before this.</summary>
    public DateTimeOffset? CreatedUntil { get; init; }
}

/// <summary>An order with the ids that belong to it.</summary>
/// <param name="Order">The order.</param>
/// <param name="Account">Id of its account.</param>
/// <param name="Authorizations">What it rests on; null where nobody looked.</param>
/// <param name="Serial">Serial number of its certificate; null for none, or where nobody looked.</param>
public sealed record OrderView(Order Order, string Account, IReadOnlyList<Authorization>? Authorizations = null, string? Serial = null);

/// <summary>Which authorizations are looked for; what is null does not matter.</summary>
public sealed record AuthorizationFilter
{
    /// <summary>Id of the account.</summary>
    public string? Account { get; init; }

    /// <summary>The identifier, without "*.".</summary>
    public string? Name { get; init; }

    /// <summary>State as stored.</summary>
    public AuthorizationStatus? Status { get; init; }
}

/// <summary>An authorization with its evidence.</summary>
/// <param name="Authorization">The authorization with its challenges.</param>
/// <param name="Account">Id of its account.</param>
/// <param name="Validations">Its validations, whatever their verdict; null where nobody looked.</param>
/// <param name="CaaChecks">What CAA records said; null where nobody looked.</param>
public sealed record AuthorizationView(Authorization Authorization, string Account, IReadOnlyList<ValidationRecord>? Validations = null, IReadOnlyList<CaaCheckRow>? CaaChecks = null);

/// <summary>Orders and authorizations as operators see them.</summary>
public sealed class OrderLook(CaStore store)
{
    /// <summary>Orders, the newest first.</summary>
    public async Task<Paged<OrderView>> ListAsync(OperatorIdentity who, OrderFilter filter, PageWish page, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        var (below, now) = (page.Below, store.Now);
        return Paged.Of(
            await store.ReadAsync(
                async db =>
                {
                    var rows = db.Orders.Where(o => o.Id < below);
                    rows = filter.Account is { } account ? rows.Where(o => db.Accounts.Any(a => a.Id == o.AccountId && a.PublicId == account)) : rows;
                    rows = filter.State switch
                    {
                        "open" => rows.Where(o => o.FinalizedAt == null && o.Error == null && o.ExpiresAt > now),
                        "processing" => rows.Where(o => o.FinalizedAt != null && o.Error == null && o.CertificateId == null),
                        "valid" => rows.Where(o => o.CertificateId != null),
                        "failed" => rows.Where(o => o.Error != null),
                        "lapsed" => rows.Where(o => o.FinalizedAt == null && o.Error == null && o.ExpiresAt <= now),
                        _ => rows,
                    };
                    rows = filter.Name is { } name ? rows.Where(o => o.Names.Contains(name)) : rows;
                    rows = filter.Profile is { } profile ? rows.Where(o => o.Profile == profile) : rows;
                    rows = filter.CreatedFrom is { } from ? rows.Where(o => o.CreatedAt >= from) : rows;
                    rows = filter.CreatedUntil is { } until ? rows.Where(o => o.CreatedAt < until) : rows;
                    var found = await rows.OrderByDescending(o => o.Id).Take(page.Size + 1).Join(db.Accounts, o => o.AccountId, a => a.Id, (o, a) => new { Order = o, a.PublicId }).ToListAsync(cancel);
                    return found.OrderByDescending(f => f.Order.Id).Select(f => new OrderView(f.Order, f.PublicId)).ToList();
                },
                cancel),
            page,
            o => o.Order.Id);
    }

    /// <summary>An order with what it rests on.</summary>
    public async Task<Outcome<OrderView>> FindAsync(OperatorIdentity who, string id, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        var found = await store.ReadAsync(
            async db => await db.OrderAsync(id, cancel) is { } loaded
                ? new OrderView(
                    loaded.Order,
                    await db.Accounts.Where(a => a.Id == loaded.Order.AccountId).Select(a => a.PublicId).FirstAsync(cancel),
                    loaded.Authorizations,
                    await db.Certificates.Where(c => c.OrderId == loaded.Order.Id).Select(c => c.Serial).FirstOrDefaultAsync(cancel))
                : null,
            cancel);
        return found is null ? Refusals.NoSuchResource("order") : found;
    }

    /// <summary>Authorizations, the newest first.</summary>
    public async Task<Paged<AuthorizationView>> ListAsync(OperatorIdentity who, AuthorizationFilter filter, PageWish page, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        var below = page.Below;
        return Paged.Of(
            await store.ReadAsync(
                async db =>
                {
                    var rows = db.Authorizations.Where(a => a.Id < below);
                    rows = filter.Account is { } account ? rows.Where(o => db.Accounts.Any(a => a.Id == o.AccountId && a.PublicId == account)) : rows;
                    rows = filter.Name is { } name ? rows.Where(a => a.Name == name) : rows;
                    rows = filter.Status is { } status ? rows.Where(a => a.Status == status) : rows;
                    var found = await rows.Include(a => a.Challenges.OrderBy(c => c.Ordinal)).OrderByDescending(a => a.Id).Take(page.Size + 1).ToListAsync(cancel);
                    var ids = found.Select(f => f.AccountId).Distinct().ToArray();
                    var accounts = await db.Accounts.Where(a => ids.Contains(a.Id)).ToDictionaryAsync(a => a.Id, a => a.PublicId, cancel);
                    return found.Select(f => new AuthorizationView(f, accounts[f.AccountId])).ToList();
                },
                cancel),
            page,
            a => a.Authorization.Id);
    }

    /// <summary>An authorization with its evidence.</summary>
    public async Task<Outcome<AuthorizationView>> FindAuthorizationAsync(OperatorIdentity who, string id, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        var found = await store.ReadAsync(
            async db => await db.AuthorizationAsync(id, cancel) is { } authorization
                ? new AuthorizationView(
                    authorization,
                    await db.Accounts.Where(a => a.Id == authorization.AccountId).Select(a => a.PublicId).FirstAsync(cancel),
                    await db.ValidationRecords.Where(v => v.AuthorizationId == authorization.Id).OrderBy(v => v.Id).ToListAsync(cancel),
                    await db.CaaChecks.Where(c => c.AuthorizationId == authorization.Id).OrderBy(c => c.Id).ToListAsync(cancel))
                : null,
            cancel);
        return found is null ? Refusals.NoSuchResource("authorization") : found;
    }
}

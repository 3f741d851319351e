using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Orders;

namespace PersistCa.Storage;

/// <summary>An order with what it rests on, in the order of its identifiers.</summary>
/// <param name="Order">The order.</param>
/// <param name="Authorizations">Its authorizations with their challenges.</param>
public sealed record LoadedOrder(Order Order, IReadOnlyList<Authorization> Authorizations);

/// <summary>The queries that several rooms need, said once.</summary>
public static class AcmeQueries
{
    /// <summary>An account with its keys.</summary>
    public static Task<Account?> AccountAsync(this CaDb db, string publicId, CancellationToken cancel) =>
        db.Accounts.Include(a => a.Keys.OrderBy(k => k.Id)).FirstOrDefaultAsync(a => a.PublicId == publicId, cancel);

    /// <summary>An account with its keys.</summary>
    public static Task<Account?> AccountAsync(this CaDb db, long id, CancellationToken cancel) =>
        db.Accounts.Include(a => a.Keys.OrderBy(k => k.Id)).FirstOrDefaultAsync(a => a.Id == id, cancel);

    /// <summary>The account that signs with a key now.</summary>
    public static Task<Account?> AccountByKeyAsync(this CaDb db, string thumbprint, CancellationToken cancel) =>
        db.Accounts.Include(a => a.Keys.OrderBy(k => k.Id)).FirstOrDefaultAsync(a => a.CurrentThumbprint == thumbprint, cancel);

    /// <summary>
    /// The account, other than the given one, that has or ever had a key. A key stays its first account's: records name keys by thumbprint, so whoever
    /// could open an account with another's old key would inherit them.
    /// </summary>
    public static Task<Account?> OtherHolderOfKeyAsync(this CaDb db, string thumbprint, long? exceptAccount, CancellationToken cancel) =>
        db.Accounts.FirstOrDefaultAsync(a => a.Id != exceptAccount && db.AccountKeys.Any(k => k.AccountId == a.Id && k.Thumbprint == thumbprint), cancel);

    /// <summary>An order with its authorizations.</summary>
    public static async Task<LoadedOrder?> OrderAsync(this CaDb db, string publicId, CancellationToken cancel)
    {
        var order = await db.Orders.FirstOrDefaultAsync(o => o.PublicId == publicId, cancel);
        return order is null ? null : await db.WithAuthorizationsAsync(order, cancel);
    }

    /// <summary>An order with its authorizations.</summary>
    public static async Task<LoadedOrder?> OrderAsync(this CaDb db, long id, CancellationToken cancel)
    {
        var order = await db.Orders.FirstOrDefaultAsync(o => o.Id == id, cancel);
        return order is null ? null : await db.WithAuthorizationsAsync(order, cancel);
    }

    /// <summary>An authorization with its challenges.</summary>
    public static Task<Authorization?> AuthorizationAsync(this CaDb db, string publicId, CancellationToken cancel) =>
        db.Authorizations.Include(a => a.Challenges.OrderBy(c => c.Ordinal)).FirstOrDefaultAsync(a => a.PublicId == publicId, cancel);

    /// <summary>An authorization with its challenges.</summary>
    public static Task<Authorization?> AuthorizationAsync(this CaDb db, long id, CancellationToken cancel) =>
        db.Authorizations.Include(a => a.Challenges.OrderBy(c => c.Ordinal)).FirstOrDefaultAsync(a => a.Id == id, cancel);

    private static async Task<LoadedOrder> WithAuthorizationsAsync(this CaDb db, Order order, CancellationToken cancel)
    {
        var found = await db.OrderAuthorizations.Where(l => l.OrderId == order.Id)
            .Join(db.Authorizations, l => l.AuthorizationId, a => a.Id, (l, a) => new { l.Position, Authorization = a })
            .OrderBy(x => x.Position)
            .Select(x => x.Authorization)
            .Include(a => a.Challenges.OrderBy(c => c.Ordinal))
            .ToListAsync(cancel);
        return new LoadedOrder(order, found);
    }
}

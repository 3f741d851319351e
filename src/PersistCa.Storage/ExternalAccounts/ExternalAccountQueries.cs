using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.ExternalAccounts;

namespace PersistCa.Storage.ExternalAccounts;

/// <summary>What is asked of the store about external account keys.</summary>
public static class ExternalAccountQueries
{
    /// <summary>Certificates of an account that are looked through to tell a renewal from a new order.</summary>
    private const int MostLive = 10_000;

    /// <summary>The key of an identifier.</summary>
    public static Task<ExternalAccountKey?> ExternalKeyAsync(this CaDb db, string publicId, CancellationToken cancel) =>
        db.ExternalAccountKeys.FirstOrDefaultAsync(k => k.PublicId == publicId, cancel);

    /// <summary>The key of an identifier, held until this transaction ends: of two that bind to it, or change it, one comes after the other.</summary>
    public static async Task<ExternalAccountKey?> HoldExternalKeyAsync(this StoreTransaction t, string publicId, CancellationToken cancel) => t.Db.Kind == StoreKind.PostgreSql
        ? (await t.Db.ExternalAccountKeys.FromSql(FormattableStringFactory.Create("SELECT * FROM external_account_keys WHERE public_id = {0} FOR UPDATE", publicId)).ToListAsync(cancel)).FirstOrDefault()
        : await t.Db.ExternalKeyAsync(publicId, cancel);

    /// <summary>What an account may do by the key that it was bound to, as the key is now.</summary>
    public static async Task<AccountScope> ScopeAsync(this CaDb db, Account account, CancellationToken cancel) => account.ExternalKeyId is { } id
        ? (await db.ExternalAccountKeys.AsNoTracking().FirstAsync(k => k.Id == id, cancel)).Scope()
        : AccountScope.Unbound;

    /// <summary>The same inside a change; the model is not touched for an account that is bound to none.</summary>
    public static Task<AccountScope> ScopeAsync(this StoreTransaction t, Account account, CancellationToken cancel) =>
        account.ExternalKeyId is null ? Task.FromResult(AccountScope.Unbound) : t.Db.ScopeAsync(account, cancel);

    /// <summary>The same outside one.</summary>
    public static Task<AccountScope> ScopeAsync(this CaStore store, Account account, CancellationToken cancel) =>
        account.ExternalKeyId is null ? Task.FromResult(AccountScope.Unbound) : store.ReadAsync(db => db.ScopeAsync(account, cancel), cancel);

    /// <summary>How many accounts of a key are open.</summary>
    public static Task<int> OpenAccountsAsync(this CaDb db, long keyId, CancellationToken cancel) =>
        db.Accounts.CountAsync(a => a.ExternalKeyId == keyId && a.Status == AccountStatus.Valid, cancel);

    /// <summary>Whether an account has, or had, the certificate of a serial number, and all of these names are in it.</summary>
    public static async Task<bool> HasCertificateForAllAsync(this CaDb db, long accountId, string serial, IReadOnlyCollection<string> names, CancellationToken cancel)
    {
        var found = await db.Certificates
            .Where(c => c.AccountId == accountId && c.Serial == serial && c.IssuedAt != null)
            .Join(db.Orders, c => c.OrderId, o => o.Id, (c, o) => o.Names)
            .FirstOrDefaultAsync(cancel);
        return found is not null && names.All(found.Contains);
    }

    /// <summary>Whether an account has a certificate that is neither revoked nor over for exactly these names.</summary>
    public static async Task<bool> HasLiveCertificateAsync(this CaDb db, long accountId, IReadOnlyCollection<string> names, DateTimeOffset now, CancellationToken cancel)
    {
        var live = await db.Certificates
            .Where(c => c.AccountId == accountId && c.Status == CertificateStatus.Issued && c.NotAfter >= now)
            .OrderByDescending(c => c.Id)
            .Take(MostLive)
            .Join(db.Orders, c => c.OrderId, o => o.Id, (c, o) => o.Names)
            .ToListAsync(cancel);
        var wanted = names.ToHashSet(StringComparer.Ordinal);
        return live.Exists(wanted.SetEquals);
    }
}

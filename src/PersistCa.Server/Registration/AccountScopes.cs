using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.ExternalAccounts;

namespace PersistCa.Server.Registration;

/// <summary>Holds what accounts do to the external account keys that they were bound to, each time as the key is at that moment.</summary>
public sealed class AccountScopes(PersistCaOptions options, LimitDesk limits)
{
    /// <summary>Whether accounts need a key.</summary>
    public bool Required => options.Acme.ExternalAccount == ExternalAccountMode.Required;

    /// <summary>Says that an account without a key gets no certificate; null when it may go on.</summary>
    public AcmeProblem? RefuseUnbound(AccountScope scope) => scope.IsBound || !Required
        ? null
        : new AcmeProblem(
            ProblemCatalog.ExternalAccountRequired,
            "This account was made without an external account binding, which this authority requires by now; register a new account with one.");

    /// <summary>Asks whether an account may have a certificate for these names at all, and whether its key has certificates left.</summary>
    /// <param name="t">The change.</param>
    /// <param name="account">The account.</param>
    /// <param name="scope">Its scope.</param>
    /// <param name="names">The names, as orders keep them.</param>
    /// <param name="replaces">The certificate that the order says it replaces; null for none.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>Null when it may; externalAccountRequired, unauthorized, malformed or rateLimited when not.</returns>
    public async Task<AcmeProblem?> RefuseOrderAsync(
        StoreTransaction t, Account account, AccountScope scope, IReadOnlyCollection<string> names, string? replaces, DateTimeOffset now, CancellationToken cancel) =>
        !scope.IsBound ? RefuseUnbound(scope)
            : await RefuseEndedAsync(t.Db, account, scope, names, replaces, now, cancel)
                ?? scope.RefuseCount(names.Count)
                ?? await limits.CertificatesLeftAsync(t.Db, scope, now, cancel);

    /// <summary>Says that the end of the key stops an order for these names; null when it does not.</summary>
    public static async Task<AcmeProblem?> RefuseEndedAsync(
        CaDb db, Account account, AccountScope scope, IReadOnlyCollection<string> names, string? replaces, DateTimeOffset now, CancellationToken cancel)
    {
        return scope.RefuseAct(await ActAsync(db, account, scope, names, replaces, now, cancel), now);
    }

    /// <summary>
    /// What an order for these names is. Looked for only where the key has ended, since it makes no difference otherwise. A name that the replaced certificate has not is
    /// no renewal, though RFC 9773 lets an order have it: else whoever may renew could go on to new names for ever.
    /// </summary>
    public static Task<ScopedAct> ActAsync(StoreTransaction t, Account account, AccountScope scope, IReadOnlyCollection<string> names, string? replaces, CancellationToken cancel) =>
        scope.HasEndedAt(t.Now) ? ActAsync(t.Db, account, scope, names, replaces, t.Now, cancel) : Task.FromResult(replaces is null ? ScopedAct.NewOrder : ScopedAct.Renewal);

    /// <summary>The same for a scope that may have ended.</summary>
    private static async Task<ScopedAct> ActAsync(CaDb db, Account account, AccountScope scope, IReadOnlyCollection<string> names, string? replaces, DateTimeOffset now, CancellationToken cancel)
    {
        if (!scope.HasEndedAt(now))
        {
            return replaces is null ? ScopedAct.NewOrder : ScopedAct.Renewal;
        }

        return (replaces is not null && CertificateId.Parse(replaces) is { IsValid: true, Value.Serial: var serial } && await db.HasCertificateForAllAsync(account.Id, serial, names, cancel))
            || await db.HasLiveCertificateAsync(account.Id, names, now, cancel)
            ? ScopedAct.Renewal
            : ScopedAct.NewOrder;
    }
}

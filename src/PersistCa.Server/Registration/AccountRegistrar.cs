using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.Csr;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Jose;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;

namespace PersistCa.Server.Registration;

/// <summary>What a client says of its account at registration. Null means that it said nothing.</summary>
/// <param name="Contacts">Contact URLs.</param>
/// <param name="TermsAgreed">Agreement to the terms of service.</param>
public sealed record AccountStatement(IReadOnlyList<string>? Contacts, bool? TermsAgreed);

/// <summary>An account and whether it is new.</summary>
public sealed record Registered(Account Account, bool IsNew);

/// <summary>A page of order ids.</summary>
/// <param name="OrderIds">Public ids, newest first.</param>
/// <param name="Next">Cursor of the next page: the last id on this one; null on the last. (A table's own number would tell how many orders there are.)</param>
public sealed record OrderPage(IReadOnlyList<string> OrderIds, string? Next);

/// <summary>Opens, changes and closes accounts (RFC 8555 section 7.3).</summary>
public sealed class AccountRegistrar(CaStore store, PersistCaOptions options, LimitDesk limits, BlockedKeyList blocked, BindingDesk bindings)
{
    /// <summary>Opens an account for a key, or finds the one it has (RFC 8555 sections 7.3 and 7.3.1).</summary>
    /// <param name="key">The key that signed.</param>
    /// <param name="nonce">The nonce of the request.</param>
    /// <param name="statement">What the client says of the account.</param>
    /// <param name="wish">Its external account binding (section 7.3.4).</param>
    /// <param name="onlyExisting">Whether none is to be made.</param>
    /// <param name="address">Where the request came from, as limits count it.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<Outcome<Registered>> RegisterAsync(
        Jwk key, NonceUse nonce, AccountStatement statement, BindingWish wish, bool onlyExisting, string address, CancellationToken cancel)
    {
        var known = await store.ReadAsync(db => db.AccountByKeyAsync(key.Thumbprint, cancel), cancel);
        if (known is not null)
        {
            return Existing(known);
        }

        if (onlyExisting)
        {
            return new AcmeProblem(ProblemCatalog.AccountDoesNotExist, "No account has this key, and onlyReturnExisting asks for none to be made.");
        }

        if (options.Acme.TermsOfService.Length > 0 && statement.TermsAgreed != true)
        {
            return new AcmeProblem(
                ProblemCatalog.UserActionRequired,
                $"The terms of service at {options.Acme.TermsOfService} have to be agreed to: set termsOfServiceAgreed to true.");
        }

        if (ContactRules.Check(statement.Contacts ?? [], options.Acme.MaxContacts) is { } fault)
        {
            return fault;
        }

        var mode = options.Acme.ExternalAccount;
        if (mode == ExternalAccountMode.Required && wish.Json is null)
        {
            return new AcmeProblem(
                ProblemCatalog.ExternalAccountRequired,
                "New accounts need an externalAccountBinding here (RFC 8555 section 7.3.4); ask the operator of this authority for a key identifier and a MAC key.");
        }

        VerifiedBinding? binding = null;
        if (mode != ExternalAccountMode.Off && wish.Json is { } json && !(await bindings.VerifyAsync(json, wish.Url, key, cancel)).TryGet(out binding, out var unverified))
        {
            return await bindings.NoteFailureAsync(key, address, unverified, cancel);
        }

        AcmeProblem? unbound = null;
        var opened = await store.WriteAsync<Registered>(
            new Actor("key:" + key.Thumbprint, nonce),
            async t =>
            {
                unbound = null;
                if (await t.Db.AccountByKeyAsync(key.Thumbprint, cancel) is { } first)
                {
                    return Existing(first);
                }

                if (await t.Db.OtherHolderOfKeyAsync(key.Thumbprint, null, cancel) is not null)
                {
                    return new AcmeProblem(ProblemCatalog.Unauthorized, "This key was the key of an account that has changed it since; it opens no other account. Use a new key.");
                }

                if (await CertificateKeyAsync(t, key, cancel) is { } taken)
                {
                    return taken;
                }

                if (await limits.TakeAsync(t, LimitKind.NewAccountsPerAddress, address, "new accounts from this address", null, cancel) is { } limited)
                {
                    return limited;
                }

                ExternalAccountKey? external = null;
                if (binding is not null && !(await BindingDesk.TakeAsync(t, binding, cancel)).TryGet(out external, out unbound))
                {
                    return unbound;
                }

                var account = new Account(
                    PublicId.Next(), key.Thumbprint, key.Canonical, statement.Contacts ?? [], statement.TermsAgreed == true, t.Now, external?.Id, binding?.Json);
                t.Db.Accounts.Add(account);
                t.Audit(
                    AuditKinds.AccountCreated,
                    "account:" + account.PublicId,
                    ("thumbprint", key.Thumbprint),
                    ("contacts", string.Join(' ', account.Contacts)),
                    ("externalAccount", external?.PublicId));
                if (external is not null)
                {
                    BindingDesk.Note(t, external, account);
                }

                return new Registered(account, true);
            },
            cancel);
        return unbound is null ? opened : await bindings.NoteFailureAsync(key, address, unbound, cancel);
    }

    /// <summary>Changes contacts, which is all that an account can change of itself (RFC 8555 section 7.3.2).</summary>
    public async Task<Outcome<Account>> UpdateAsync(Account account, Actor actor, IReadOnlyList<string> contacts, CancellationToken cancel) =>
        ContactRules.Check(contacts, options.Acme.MaxContacts) is { } fault
            ? fault
            : await ChangeAsync(account.Id, actor, AuditKinds.AccountUpdated, (current, _) => current.ChangeContacts(contacts), cancel);

    /// <summary>Closes an account (RFC 8555 section 7.3.6). Its records stop matching at once, since validation reads accounts live.</summary>
    public Task<Outcome<Account>> DeactivateAsync(Account account, Actor actor, CancellationToken cancel) =>
        ChangeAsync(account.Id, actor, AuditKinds.AccountDeactivated, (current, now) => current.Deactivate(now), cancel);

    /// <summary>Gives an account another key (RFC 8555 section 7.3.5).</summary>
    /// <returns>The account, or a conflict whose problem carries the public id of the account that has the key.</returns>
    public async Task<Outcome<Account>> ChangeKeyAsync(Account account, Actor actor, Jwk newKey, Func<string, string> urlOf, CancellationToken cancel) =>
        await store.WriteAsync<Account>(
            actor,
            async t =>
            {
                if ((await t.Db.AccountByKeyAsync(newKey.Thumbprint, cancel) ?? await t.Db.OtherHolderOfKeyAsync(newKey.Thumbprint, account.Id, cancel)) is { } holder)
                {
                    return new AcmeProblem(ProblemCatalog.Malformed, "The new key is, or was, the key of an account already; Location names that account.")
                    {
                        Status = 409,
                        Location = urlOf(holder.PublicId),
                    };
                }

                if (await CertificateKeyAsync(t, newKey, cancel) is { } taken)
                {
                    return taken;
                }

                var loaded = await LiveAsync(t, account.Id, cancel);
                if (!loaded.TryGet(out var current, out var problem))
                {
                    return problem;
                }

                var old = current.CurrentThumbprint;
                if (old != account.CurrentThumbprint)
                {
                    return new AcmeProblem(ProblemCatalog.Unauthorized, "The account's key was changed by another request meanwhile.");
                }

                current.ReplaceKey(newKey.Thumbprint, newKey.Canonical, t.Now);
                t.Audit(AuditKinds.AccountKeyChanged, "account:" + current.PublicId, ("from", old), ("to", newKey.Thumbprint));
                return current;
            },
            cancel);

    /// <summary>Lists an account's orders, newest first (RFC 8555 section 7.1.2.1).</summary>
    /// <param name="account">The account.</param>
    /// <param name="before">Cursor from the page before, null for the first page.</param>
    /// <param name="cancel">Stops.</param>
    public Task<OrderPage> OrdersAsync(Account account, string? before, CancellationToken cancel) => store.ReadAsync(
        async db =>
        {
            var now = store.Now;
            var size = options.Acme.OrdersPerPage;
            var from = before is null
                ? long.MaxValue
                : await db.Orders.Where(o => o.AccountId == account.Id && o.PublicId == before).Select(o => (long?)o.Id).FirstOrDefaultAsync(cancel) ?? long.MaxValue;

            // Invalid orders are left out: failed, or lapsed without having been finalized (RFC 8555 section 7.1.2.1: SHOULD NOT).
            var rows = await db.Orders
                .Where(o => o.AccountId == account.Id && o.Id < from && o.Error == null && (o.FinalizedAt != null || o.ExpiresAt > now))
                .OrderByDescending(o => o.Id)
                .Take(size + 1)
                .Select(o => new { o.Id, o.PublicId })
                .ToListAsync(cancel);
            var page = rows.Take(size).ToList();
            return new OrderPage([.. page.Select(r => r.PublicId)], rows.Count > size ? page[^1].PublicId : null);
        },
        cancel);

    private static Outcome<Registered> Existing(Account account) => account.IsValid ? new Registered(account, false) : NotValid(account);

    /// <summary>The refusal that a closed account gets everywhere (RFC 8555 section 7.3.6: 401), and a suspended one as long as it is.</summary>
    public static AcmeProblem NotValid(Account account) => account is { Status: AccountStatus.Valid, SuspendedAt: { } since }
        ? new(ProblemCatalog.AccountSuspended, $"The account was suspended at {AcmeJson.Time(since)} by those who run this authority; ask them.")
        : new(ProblemCatalog.Unauthorized, $"The account of this key is {account.Status.ToString().ToLowerInvariant()}, for ever; use another key to open a new one.") { Status = 401 };

    /// <summary>A certificate's key becomes no account's, as an account's becomes no certificate's (RFC 8555 section 11.1); nor does one that is compromised.</summary>
    private async Task<AcmeProblem?> CertificateKeyAsync(StoreTransaction t, Jwk key, CancellationToken cancel)
    {
        var fingerprint = PublicKeyFingerprint.Of(key.SubjectPublicKeyInfo());
        if (await blocked.ContainsAsync(t.Db, fingerprint, cancel))
        {
            return Refusals.BlockedKey("account");
        }

        return await t.Db.Certificates.AnyAsync(c => c.KeyFingerprint == fingerprint, cancel)
            ? new AcmeProblem(ProblemCatalog.BadPublicKey, "This key is that of a certificate issued here; an account needs a key of its own (RFC 8555 section 11.1).")
            : null;
    }

    private static async Task<Outcome<Account>> LiveAsync(StoreTransaction t, long id, CancellationToken cancel)
    {
        var current = await t.Db.AccountAsync(id, cancel) ?? throw new InvalidOperationException("an account vanished");
        return current.IsValid ? current : NotValid(current);
    }

    private async Task<Outcome<Account>> ChangeAsync(long id, Actor actor, string kind, Action<Account, DateTimeOffset> change, CancellationToken cancel) =>
        await store.WriteAsync<Account>(
            actor,
            async t =>
            {
                var loaded = await LiveAsync(t, id, cancel);
                if (!loaded.TryGet(out var current, out var problem))
                {
                    return problem;
                }

                change(current, t.Now);
                t.Audit(kind, "account:" + current.PublicId, ("contacts", string.Join(' ', current.Contacts)));
                return current;
            },
            cancel);
}

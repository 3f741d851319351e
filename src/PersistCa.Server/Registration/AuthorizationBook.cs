using System.Buffers.Text;
using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.ExternalAccounts;

namespace PersistCa.Server.Registration;

/// <summary>An authorization that was asked for, and whether it was opened for that.</summary>
/// <param name="Authorization">The authorization.</param>
/// <param name="IsNew">Whether it is new.</param>
public sealed record PreAuthorized(Authorization Authorization, bool IsNew);

/// <summary>Opens authorizations and finds those that may be used again.</summary>
public sealed class AuthorizationBook(CaStore store, PersistCaOptions options, IdentifierIntake intake, LimitDesk limits, ValidationRegimes regimes, AccountScopes scopes)
{
    /// <summary>
    /// Opens an authorization before any order (RFC 8555 section 7.4.1; with subdomains, RFC 9444 section 4.2), or finds one that is valid already.
    /// </summary>
    /// <param name="account">The account.</param>
    /// <param name="actor">The account as the one who acts.</param>
    /// <param name="wish">The identifier; no wildcard.</param>
    /// <param name="subdomains">Whether it is to stand for the names under it too.</param>
    /// <param name="address">Where the request came from, as limits count it.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<Outcome<PreAuthorized>> PreAuthorizeAsync(
        Account account, Actor actor, AcmeIdentifier wish, bool subdomains, string address, CancellationToken cancel)
    {
        if (subdomains && !options.Acme.SubdomainAuthorizations)
        {
            return new AcmeProblem(ProblemCatalog.Malformed, "subdomainAuthAllowed is asked for, but names are not authorized for those under them here; leave it out.");
        }

        var scope = await store.ReadAsync(db => db.ScopeAsync(account, cancel), cancel);
        var judged = intake.Judge(account, new IdentifierWish(wish), subdomains, scope);
        if (!judged.TryGet(out var identifier, out var problem))
        {
            return AcmeProblem.Combine([problem], problem.Detail);
        }

        if (identifier.Identifier.IsWildcard)
        {
            return new AcmeProblem(
                ProblemCatalog.Malformed, $"{identifier.Identifier} is a wildcard; an authorization in advance is for the name without '*.' (RFC 8555 section 7.4.1).");
        }

        return await store.WriteAsync<PreAuthorized>(
            actor,
            async t =>
            {
                if ((await scopes.RefuseOrderAsync(t.Db, account, await t.Db.ScopeAsync(account, cancel), [identifier.Identifier.Text], null, t.Now, cancel)
                    ?? await limits.NewOrderAsync(t, account, address, cancel)
                    ?? await limits.PendingAsync(t, account, 1, cancel)) is { } limited)
                {
                    return limited;
                }

                if (await ReusableAsync(t, account, identifier, Authorization.PrivateRegime, cancel) is { } known)
                {
                    return new PreAuthorized(known, false);
                }

                var opened = Open(t, account, identifier, t.Now + options.Acme.OrderLifetime, Activity.Current?.Id, AuthorizationReach.AnyOrder, Authorization.PrivateRegime);
                t.Audit(
                    AuditKinds.AuthorizationOpened,
                    "authorization:" + opened.PublicId,
                    ("name", opened.CertificateName),
                    ("subdomains", opened.SubdomainsAllowed ? "true" : null));
                return new PreAuthorized(opened, true);
            },
            cancel);
    }

    /// <summary>Opens an authorization inside a change.</summary>
    public Authorization Open(
        StoreTransaction t, Account account, AcceptedIdentifier identifier, DateTimeOffset expiresAt, string? traceParent, AuthorizationReach reach, string regime)
    {
        var authorization = new Authorization(
            PublicId.Next(),
            account.Id,
            identifier.Proof.BaseText,
            identifier.Proof.IsWildcard,
            [.. identifier.Types.Select(type => (type, Token()))],
            t.Now,
            expiresAt,
            traceParent,
            identifier.Subdomains ? reach | AuthorizationReach.Subdomains : reach,
            regime);
        t.Db.Authorizations.Add(authorization);
        return authorization;
    }

    /// <summary>
    /// A valid authorization that an order of the account may rest on: one for the very name, or one for a name above that stands for those under it.
    /// Those won by an acme-persist or draft-01 record serve one order only (dns-persist-01 rules section 6 item 6), and those won by a challenge that
    /// policy no longer offers for the identifier serve none.
    /// </summary>
    public Task<Authorization?> ReusableAsync(StoreTransaction t, Account account, AcceptedIdentifier identifier, string regime, CancellationToken cancel)
    {
        var text = identifier.Proof.BaseText;
        var wildcard = identifier.Proof.IsWildcard;
        var broad = identifier.Subdomains;
        string[] above = [.. identifier.Above];
        ChallengeType[] accepted = [.. identifier.Types];
        var by = regimes.Find(regime)?.Rules.Fingerprint;

        // One about to lapse would fail the order before its client can finalize.
        var until = t.Now + TimeSpan.FromHours(1);
        return t.Db.Authorizations
            .Include(a => a.Challenges.OrderBy(c => c.Ordinal))
            .Where(a => a.AccountId == account.Id && a.Status == AuthorizationStatus.Valid && a.ExpiresAt > until)
            .Where(a => (a.Name == text && a.IsWildcard == wildcard && (a.SubdomainsAllowed || !broad)) || (a.SubdomainsAllowed && above.Contains(a.Name)))
            .Where(a => (a.IsReusable || a.IsPreAuthorization) && a.Rules == by)
            .Where(a => a.Challenges.Any(c => c.Status == ChallengeStatus.Valid && accepted.Contains(c.Type)))
            .OrderByDescending(a => a.ExpiresAt)
            .FirstOrDefaultAsync(cancel);
    }

    private static string Token()
    {
        Span<byte> random = stackalloc byte[32];
        RandomNumberGenerator.Fill(random);
        return Base64Url.EncodeToString(random);
    }
}

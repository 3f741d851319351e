using System.Buffers.Text;
using System.Diagnostics;
using System.Security.Cryptography;
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

        var scope = await store.ScopeAsync(account, cancel);
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
                if ((await scopes.RefuseOrderAsync(t, account, await t.ScopeAsync(account, cancel), [identifier.Identifier.Text], null, t.Now, cancel)
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
        t.Add(authorization);
        return authorization;
    }

    /// <summary>
    /// A valid authorization that an order of the account may rest on: one for the very name, or one for a name above that stands for those under it.
    /// Those won by an acme-persist or draft-01 record serve one order only (dns-persist-01 rules section 6 item 6), and those won by a challenge that
    /// policy no longer offers for the identifier serve none.
    /// </summary>
    public async Task<Authorization?> ReusableAsync(StoreTransaction t, Account account, AcceptedIdentifier identifier, string regime, CancellationToken cancel)
    {
        var reads = t.Read();
        var asked = AskReusable(reads, account, identifier, regime, t.Now);
        await reads.RunAsync(cancel);
        return Reusable(asked, identifier);
    }

    /// <summary>Asks for those, together with other questions; <see cref="Reusable"/> chooses.</summary>
    public IReadOnlyList<Found<IReadOnlyList<Authorization>>> AskReusable(StoreReads reads, Account account, AcceptedIdentifier identifier, string regime, DateTimeOffset now)
    {
        // One about to lapse would fail the order before its client can finalize.
        var until = now + TimeSpan.FromHours(1);
        var by = regimes.Find(regime)?.Rules.Fingerprint;
        return
        [
            reads.Reusable(account.Id, identifier.Proof.BaseText, identifier.Proof.IsWildcard, until, by),
            .. identifier.Above.Select(name => reads.Reusable(account.Id, name, false, until, by)), // one for those under it is never a wildcard's
        ];
    }

    /// <summary>The one of those that were found on which an order for a name may rest; null for none.</summary>
    public static Authorization? Reusable(IReadOnlyList<Found<IReadOnlyList<Authorization>>> asked, AcceptedIdentifier identifier) => asked
        .SelectMany((found, i) => found.Value.Where(a => a.SubdomainsAllowed || (i == 0 && !identifier.Subdomains)))
        .Where(a => a.Challenges.Any(c => c.Status == ChallengeStatus.Valid && identifier.Types.Contains(c.Type)))
        .MaxBy(a => a.ExpiresAt);

    private static string Token()
    {
        Span<byte> random = stackalloc byte[32];
        RandomNumberGenerator.Fill(random);
        return Base64Url.EncodeToString(random);
    }
}

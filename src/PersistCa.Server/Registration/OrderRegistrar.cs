using System.Buffers.Text;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Orders;
using PersistCa.Server.Hosting;
using PersistCa.Server.Telemetry;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;

namespace PersistCa.Server.Registration;

/// <summary>What a client orders, as it came.</summary>
/// <param name="Identifiers">Identifiers.</param>
/// <param name="NotBefore">RFC 3339 text or null.</param>
/// <param name="NotAfter">RFC 3339 text or null.</param>
public sealed record OrderWish(IReadOnlyList<AcmeIdentifier> Identifiers, string? NotBefore, string? NotAfter);

/// <summary>Opens orders and finds them again (step 2 of docs/order-flow.md).</summary>
public sealed class OrderRegistrar(CaStore store, PersistCaOptions options, IdentifierPolicy policy, ChallengePolicy challenges, CertificateIssuer issuer)
{
    private static readonly string[] TimeForms = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    /// <summary>Opens an order with its authorizations (RFC 8555 section 7.4).</summary>
    public async Task<Outcome<LoadedOrder>> OpenAsync(Account account, Actor actor, OrderWish wish, CancellationToken cancel)
    {
        var judged = Judge(account, wish.Identifiers);
        if (!judged.TryGet(out var identifiers, out var problem))
        {
            return problem;
        }

        var now = store.Now;
        var window = Window(wish, now);
        if (!window.TryGet(out var times, out problem))
        {
            return problem;
        }

        var outcome = await store.WriteAsync<LoadedOrder>(actor, t => OpenAsync(t, account, identifiers, times, cancel), cancel);
        if (!outcome.IsRefused)
        {
            CaTelemetry.OrdersOpened.Add(1);
            CrashPoint.Reached("2.opened");
        }

        return outcome;
    }

    /// <summary>Reads an order of an account.</summary>
    public async Task<Outcome<LoadedOrder>> FindAsync(Account account, string orderId, CancellationToken cancel)
    {
        var loaded = PublicId.LooksRight(orderId) ? await store.ReadAsync(db => db.OrderAsync(orderId, cancel), cancel) : null;
        if (loaded is null)
        {
            return Refusals.NoSuchResource("order");
        }

        return loaded.Order.AccountId == account.Id ? loaded : Refusals.NotYours("order");
    }

    private async Task<Outcome<LoadedOrder>> OpenAsync(
        StoreTransaction t,
        Account account,
        IReadOnlyList<Identifier> identifiers,
        ValidityWish times,
        CancellationToken cancel)
    {
        var order = new Order(
            PublicId.Next(),
            account.Id,
            [.. identifiers.Select(i => i.Text)],
            times.NotBefore,
            times.NotAfter,
            Activity.Current?.Id,
            t.Now,
            t.Now + options.Acme.OrderLifetime);
        t.Db.Orders.Add(order);
        var authorizations = new List<Authorization>(identifiers.Count);
        foreach (var identifier in identifiers)
        {
            // Judged before the transaction, and policy does not change while the server runs.
            var types = challenges.For(identifier, account.PublicId).Value;
            var authorization = await ReusableAsync(t, account, identifier, types, cancel);
            if (authorization is null)
            {
                authorization = new Authorization(
                    PublicId.Next(),
                    account.Id,
                    identifier.BaseText,
                    identifier.IsWildcard,
                    [.. types.Select(type => (type, Token()))],
                    t.Now,
                    order.ExpiresAt,
                    order.TraceParent);
                t.Db.Authorizations.Add(authorization);
            }

            t.Db.OrderAuthorizations.Add(new OrderAuthorization { Order = order, Authorization = authorization, Position = authorizations.Count });
            authorizations.Add(authorization);
        }

        t.Audit(
            AuditKinds.OrderCreated,
            "order:" + order.PublicId,
            ("names", string.Join(' ', order.Names)),
            ("authorizations", string.Join(' ', authorizations.Select(a => a.PublicId))));
        return new LoadedOrder(order, authorizations);
    }

    /// <summary>
    /// An authorization that another order of the account may rest on. Those won by an acme-persist or draft-01 record serve one order only
    /// (dns-persist-01 rules section 6 item 6), and those won by a challenge that policy no longer offers for the identifier serve none.
    /// </summary>
    private static Task<Authorization?> ReusableAsync(
        StoreTransaction t, Account account, Identifier identifier, ImmutableArray<ChallengeType> types, CancellationToken cancel)
    {
        var text = identifier.BaseText;
        var wildcard = identifier.IsWildcard;
        ChallengeType[] accepted = [.. types];

        // One about to lapse would fail the order before its client can finalize.
        var until = t.Now + TimeSpan.FromHours(1);
        return t.Db.Authorizations
            .Include(a => a.Challenges.OrderBy(c => c.Ordinal))
            .Where(a => a.AccountId == account.Id && a.Name == text && a.IsWildcard == wildcard && a.Status == AuthorizationStatus.Valid && a.IsReusable && a.ExpiresAt > until)
            .Where(a => a.Challenges.Any(c => c.Status == ChallengeStatus.Valid && accepted.Contains(c.Type)))
            .OrderByDescending(a => a.ExpiresAt)
            .FirstOrDefaultAsync(cancel);
    }

    private Outcome<IReadOnlyList<Identifier>> Judge(Account account, IReadOnlyList<AcmeIdentifier> identifiers)
    {
        if (identifiers.Count == 0)
        {
            return new AcmeProblem(ProblemCatalog.Malformed, "The order names no identifier; at least one is expected.");
        }

        if (identifiers.Count > options.Acme.MaxNames)
        {
            return new AcmeProblem(ProblemCatalog.Malformed, $"The order names {identifiers.Count} identifiers; at most {options.Acme.MaxNames} are accepted.");
        }

        var accepted = new List<Identifier>(identifiers.Count);
        var problems = new List<AcmeProblem>();
        foreach (var identifier in identifiers)
        {
            var judged = Judge(account, identifier);
            if (judged.TryGet(out var served, out var problem))
            {
                if (!accepted.Contains(served))
                {
                    accepted.Add(served);
                }
            }
            else
            {
                problems.Add(problem);
            }
        }

        return problems.Count == 0
            ? accepted
            : AcmeProblem.Combine(problems, $"{problems.Count} of {identifiers.Count} identifiers are refused; see subproblems.");
    }

    private Outcome<Identifier> Judge(Account account, AcmeIdentifier identifier)
    {
        var shown = new AcmeIdentifier(Shorten(identifier.Type), Shorten(identifier.Value));
        if (IdentifierTypes.Read(identifier.Type) is not { } type)
        {
            var known = string.Join(" or ", IdentifierTypes.All.Select(t => t.Wire()));
            return new AcmeProblem(ProblemCatalog.UnsupportedIdentifier, $"The identifier type '{shown.Type}' is not supported; expected {known}.") { Identifier = shown };
        }

        var parsed = Identifier.Parse(type, identifier.Value);
        if (!parsed.IsValid)
        {
            var kind = type == IdentifierType.Ip ? "an IP address" : "a name";
            return new AcmeProblem(ProblemCatalog.RejectedIdentifier, $"'{shown.Value}' is not {kind} a certificate can have: {parsed.Reason}.") { Identifier = shown };
        }

        var refused = policy.Judge(parsed.Value).Problem ?? challenges.For(parsed.Value, account.PublicId).Problem;
        return refused is null ? parsed.Value : refused;
    }

    private Outcome<ValidityWish> Window(OrderWish wish, DateTimeOffset now)
    {
        if (!ReadTime("notBefore", wish.NotBefore, out var from, out var problem) || !ReadTime("notAfter", wish.NotAfter, out var to, out problem))
        {
            return problem!;
        }

        // Asked of the issuer now, so that a wish which cannot be met is refused before anything is proved for it.
        if (issuer.Validity(from, to, now).Problem is { } impossible)
        {
            return impossible;
        }

        return new ValidityWish(from, to);
    }

    private static bool ReadTime(string member, string? text, out DateTimeOffset? time, out AcmeProblem? problem)
    {
        time = null;
        problem = null;
        if (text is null)
        {
            return true;
        }

        if (DateTimeOffset.TryParseExact(text.ToUpperInvariant(), TimeForms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var read)
            && (text.EndsWith("z", StringComparison.OrdinalIgnoreCase) || text.Length > 19 && text[^6] is '+' or '-'))
        {
            time = DateTimeOffset.FromUnixTimeSeconds(read.ToUnixTimeSeconds());
            return true;
        }

        problem = new AcmeProblem(ProblemCatalog.Malformed, $"{member} is '{Shorten(text)}'; expected an RFC 3339 time such as 2030-01-31T12:00:00Z.");
        return false;
    }

    private static string Token()
    {
        Span<byte> random = stackalloc byte[32];
        RandomNumberGenerator.Fill(random);
        return Base64Url.EncodeToString(random);
    }

    private static string Shorten(string text) => text.Length <= 100 ? text : text[..100] + "...";

    private sealed record ValidityWish(DateTimeOffset? NotBefore, DateTimeOffset? NotAfter);
}

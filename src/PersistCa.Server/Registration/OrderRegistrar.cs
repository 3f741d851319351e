using System.Diagnostics;
using System.Globalization;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Orders;
using PersistCa.Server.Hosting;
using PersistCa.Server.Telemetry;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.ExternalAccounts;

namespace PersistCa.Server.Registration;

/// <summary>What a client orders, as it came.</summary>
/// <param name="Identifiers">Identifiers.</param>
/// <param name="NotBefore">RFC 3339 text or null.</param>
/// <param name="NotAfter">RFC 3339 text or null.</param>
/// <param name="Profile">Name of the profile; null for the default.</param>
/// <param name="Replaces">The certificate that it takes the place of (RFC 9773 section 5); null for none.</param>
public sealed record OrderWish(IReadOnlyList<IdentifierWish> Identifiers, string? NotBefore, string? NotAfter, string? Profile = null, string? Replaces = null);

/// <summary>Opens orders and finds them again (step 2 of docs/order-flow.md).</summary>
public sealed class OrderRegistrar(
    CaStore store,
    PersistCaOptions options,
    IdentifierIntake intake,
    AuthorizationBook book,
    JustInTime justInTime,
    LimitDesk limits,
    ProfileBook profiles,
    AccountScopes scopes,
    RenewalDesk renewals,
    SwitchBoard switches)
{
    private static readonly string[] TimeForms = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    /// <summary>Opens an order with its authorizations (RFC 8555 section 7.4), and looks at once for what can be proved without the client's doing.</summary>
    /// <param name="account">The account.</param>
    /// <param name="actor">The account as the one who acts.</param>
    /// <param name="wish">What it orders.</param>
    /// <param name="address">Where the request came from, as limits count it.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<Outcome<LoadedOrder>> OpenAsync(Account account, Actor actor, OrderWish wish, string address, CancellationToken cancel)
    {
        var scope = await store.ScopeAsync(account, cancel);
        if (!profiles.For(wish.Profile, account, scope).TryGet(out var profile, out var problem))
        {
            return problem;
        }

        var judged = intake.Judge(account, wish.Identifiers, profile, scope);
        if (!judged.TryGet(out var identifiers, out problem))
        {
            return problem;
        }

        var now = store.Now;
        if (!profiles.SignerAt(profile, now).TryGet(out var signer, out problem) || Outside(signer, identifiers) is { } outside && (problem = outside) is not null)
        {
            return problem;
        }

        var window = Window(wish, signer, now);
        if (!window.TryGet(out var times, out problem))
        {
            return problem;
        }

        var outcome = await store.WriteTogetherAsync<LoadedOrder>(actor, t => OpenAsync(t, account, identifiers, times, profile, wish.Replaces, address, cancel), cancel);
        if (!outcome.TryGet(out var loaded, out problem))
        {
            return problem;
        }

        CaTelemetry.OrdersOpened.Add(1);
        CrashPoint.Reached("2.opened");
        return await justInTime.ProveAsync(account, loaded.Authorizations, cancel)
            ? await store.OrderAsync(loaded.Order.PublicId, cancel) ?? throw new InvalidOperationException("an order vanished")
            : loaded;
    }

    /// <summary>Reads an order of an account.</summary>
    public async Task<Outcome<LoadedOrder>> FindAsync(Account account, string orderId, CancellationToken cancel)
    {
        var loaded = PublicId.LooksRight(orderId) ? await store.OrderAsync(orderId, cancel) : null;
        if (loaded is null)
        {
            return Refusals.NoSuchResource("order");
        }

        return loaded.Order.AccountId == account.Id ? loaded : Refusals.NotYours("order");
    }

    private async Task<Outcome<LoadedOrder>> OpenAsync(
        StoreTransaction t,
        Account account,
        IReadOnlyList<AcceptedIdentifier> identifiers,
        ValidityWish times,
        CaProfile profile,
        string? replaces,
        string address,
        CancellationToken cancel)
    {
        // What operators switched off a moment ago on another node too. The rest is asked with it.
        var reads = t.Read();
        var looked = switches.Ask(reads);
        var pending = limits.AskPending(reads, account, t.Now);
        var places = replaces is null ? limits.AskNewOrder(reads, account, address, t.Now) : [];
        var reusable = identifiers.Select(i => book.AskReusable(reads, account, i, profile.Regime, t.Now)).ToList();
        await reads.RunAsync(cancel);
        looked();
        var scope = await t.ScopeAsync(account, cancel);
        if (!profiles.For(profile.Name, account, scope).TryGet(out _, out var gone) || !profiles.SignerAt(profile, t.Now).TryGet(out _, out gone))
        {
            return gone;
        }

        List<string> names = [.. identifiers.Select(i => i.Identifier.Text)];
        Replacement? replaced = null;
        if (replaces is not null && !(await renewals.FindReplacedAsync(t, account, names, replaces, cancel)).TryGet(out replaced, out var unfit))
        {
            return unfit;
        }

        // A renewal that is due is not held up by how many orders there were (RFC 9773 section 5), once for each certificate.
        if ((await scopes.RefuseOrderAsync(t, account, scope, names, replaces, t.Now, cancel)
            ?? await LimitDesk.RefuseAsync(t, places, cancel)
            ?? (replaced is { Due: false } ? await limits.NewOrderAsync(t, account, address, cancel) : null)) is { } refused)
        {
            return refused;
        }

        var order = new Order(
            PublicId.Next(),
            account.Id,
            names,
            times.NotBefore,
            times.NotAfter,
            Activity.Current?.Id,
            t.Now,
            t.Now + options.Acme.OrderLifetime,
            profile.Name,
            replaces);
        replaced?.Certificate.Replace(order.PublicId);
        var authorizations = new List<Authorization>(identifiers.Count);
        var opened = 0;
        foreach (var (identifier, found) in identifiers.Zip(reusable))
        {
            // Names that share an ancestor share its authorization.
            var authorization = authorizations.Find(a => (a.CertificateName == identifier.Proof.Text && (a.SubdomainsAllowed || !identifier.Subdomains)) || (a.SubdomainsAllowed && identifier.Above.Contains(a.Name)))
                ?? AuthorizationBook.Reusable(found, identifier);
            if (authorization is { IsPreAuthorization: true, Id: > 0 })
            {
                authorization.TakeByOrder();
                t.Save(authorization);
            }

            if (authorization is null)
            {
                authorization = book.Open(t, account, identifier, order.ExpiresAt, order.TraceParent, AuthorizationReach.Order, profile.Regime);
                opened++;
            }

            if (!authorizations.Exists(a => a.PublicId == authorization.PublicId))
            {
                authorizations.Add(authorization);
            }
        }

        if (limits.RefusePending(pending, opened) is { } tooMany)
        {
            return tooMany;
        }

        t.Add(order, authorizations);
        t.Audit(
            AuditKinds.OrderCreated,
            "order:" + order.PublicId,
            ("names", string.Join(' ', order.Names)),
            ("profile", order.Profile),
            ("replaces", replaced?.Certificate.Serial),
            ("authorizations", string.Join(' ', authorizations.Select(a => a.PublicId))));
        return new LoadedOrder(order, authorizations);
    }

    /// <summary>Names that the issuer's certificate does not let it sign for: refused now, before anything is proved for them.</summary>
    private static AcmeProblem? Outside(CertificateIssuer signer, IReadOnlyList<AcceptedIdentifier> identifiers)
    {
        var problems = identifiers
            .Select(i => (i.Identifier, Reason: signer.Issuer.Constraints.Refuse(i.Identifier)))
            .Where(i => i.Reason is not null)
            .Select(i => new AcmeProblem(ProblemCatalog.RejectedIdentifier, $"{i.Identifier} cannot be certified here: {i.Reason}.") { Identifier = i.Identifier.Acme })
            .ToList();
        return problems.Count == 0 ? null : AcmeProblem.Combine(problems, $"{problems.Count} of {identifiers.Count} identifiers are refused; see subproblems.");
    }

    private static Outcome<ValidityWish> Window(OrderWish wish, CertificateIssuer issuer, DateTimeOffset now)
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

        problem = new AcmeProblem(ProblemCatalog.Malformed, $"{member} is '{Refusals.Shorten(text)}'; expected an RFC 3339 time such as 2030-01-31T12:00:00Z.");
        return false;
    }

    private sealed record ValidityWish(DateTimeOffset? NotBefore, DateTimeOffset? NotAfter);
}

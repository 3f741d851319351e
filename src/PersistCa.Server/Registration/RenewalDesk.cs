using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Orders;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Registration;

/// <summary>What this authority suggests about the renewal of a certificate.</summary>
/// <param name="Window">When.</param>
/// <param name="ExplanationUrl">A page that says why, null while nothing is out of the ordinary.</param>
public sealed record RenewalAdvice(RenewalWindow Window, string? ExplanationUrl);

/// <summary>A certificate that an order takes the place of.</summary>
/// <param name="Certificate">The certificate, to be changed in the same transaction.</param>
/// <param name="Due">Whether it is time to renew it and no order has done so before: then the order costs nothing of the limits of orders.</param>
public sealed record Replacement(IssuedCertificate Certificate, bool Due);

/// <summary>Renewal information (RFC 9773): windows, and orders that say what they replace.</summary>
public sealed class RenewalDesk(CaStore store, IssuerBook issuers, PersistCaOptions options)
{
    private readonly RenewalFractions fractions = new(options.Acme.Renewal.StartPercent, options.Acme.Renewal.SpreadPercent, options.Acme.Renewal.LengthPercent);

    // Issuer rows never change once written.
    private readonly ConcurrentDictionary<string, string> keyIdentifiers = new();

    /// <summary>The advice about a certificate.</summary>
    /// <param name="certificateId">Its id as it stands in the URL.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>The advice; malformed when the id is none, with 404 when there is no such certificate here.</returns>
    public async Task<Outcome<RenewalAdvice>> AdviseAsync(string certificateId, CancellationToken cancel)
    {
        var id = CertificateId.Parse(certificateId);
        if (!id.IsValid)
        {
            return NoId(certificateId, id.Reason);
        }

        return await store.ReadAsync<Outcome<RenewalAdvice>>(
            async db => await FindAsync(db, id.Value, cancel) is { } found ? await AdviseAsync(db, found, store.Now, cancel) : Refusals.NoSuchResource("certificate"),
            cancel);
    }

    /// <summary>Finds the certificate that an order is to replace, inside the change that opens the order (RFC 9773 section 5).</summary>
    /// <param name="t">The change.</param>
    /// <param name="account">Who orders.</param>
    /// <param name="names">The order's names.</param>
    /// <param name="replaces">The id, as the client sent it.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>
    /// The certificate; malformed when the id is none, names no certificate or one without a name of the order; unauthorized when it is another account's;
    /// alreadyReplaced when another order does so that has not become invalid.
    /// </returns>
    public async Task<Outcome<Replacement>> FindReplacedAsync(StoreTransaction t, Account account, IReadOnlyCollection<string> names, string replaces, CancellationToken cancel)
    {
        var id = CertificateId.Parse(replaces);
        if (!id.IsValid)
        {
            return NoId(replaces, id.Reason);
        }

        if (await FindAsync(t.Db, id.Value, cancel) is not { } found)
        {
            return new AcmeProblem(ProblemCatalog.Malformed, $"The certificate '{Refusals.Shorten(replaces)}' that the order says it replaces was not issued here.");
        }

        if (found.AccountId != account.Id)
        {
            return new AcmeProblem(ProblemCatalog.Unauthorized, "The certificate that the order says it replaces belongs to another account.");
        }

        var before = await t.Db.Orders.FirstAsync(o => o.Id == found.OrderId, cancel);
        if (!before.Names.Intersect(names).Any())
        {
            return new AcmeProblem(ProblemCatalog.Malformed, "The certificate that the order says it replaces has none of the order's identifiers.");
        }

        if (found.ReplacedBy is { } by && await t.Db.OrderAsync(by, cancel) is { } other && other.Order.StatusAt(t.Now, other.Authorizations) is not OrderStatus.Invalid and var status)
        {
            return new AcmeProblem(ProblemCatalog.AlreadyReplaced, $"The certificate that the order says it replaces is replaced by another order already, which is {status.ToString().ToLowerInvariant()}.");
        }

        return new Replacement(found, found.ReplacedBy is null && (await AdviseAsync(t.Db, found, t.Now, cancel)).Window.Start <= t.Now);
    }

    private async Task<RenewalAdvice> AdviseAsync(CaDb db, IssuedCertificate certificate, DateTimeOffset now, CancellationToken cancel)
    {
        var usual = options.Acme.Renewal.ExplanationUrl is { Length: > 0 } url ? url : null;
        if (certificate.RevokedAt is { } revoked)
        {
            return new RenewalAdvice(RenewalWindow.Past(revoked), await db.RevocationPageAsync(certificate.Serial, cancel) ?? usual);
        }

        return await db.PlannedRevocationAsync(certificate.Serial, now, cancel) is { } planned
            ? new RenewalAdvice(RenewalWindow.Past(planned.Since), planned.ExplanationUrl ?? usual)
            : new RenewalAdvice(RenewalWindow.Of(certificate.Serial, certificate.NotBefore, certificate.NotAfter, fractions), null);
    }

    private async Task<IssuedCertificate?> FindAsync(CaDb db, CertificateId id, CancellationToken cancel)
    {
        var found = await db.Certificates.FirstOrDefaultAsync(c => c.Serial == id.Serial && c.IssuedAt != null, cancel);
        return found is not null && await KeyIdentifierAsync(db, found.IssuerId, cancel) == id.KeyIdentifier ? found : null;
    }

    /// <summary>The key identifier that certificates of an issuer have as their authority's: its own subject key identifier, lower-case hex.</summary>
    private async Task<string> KeyIdentifierAsync(CaDb db, string issuerId, CancellationToken cancel)
    {
        if (keyIdentifiers.TryGetValue(issuerId, out var known))
        {
            return known;
        }

        if (issuers.Find(issuerId) is { Issuer.KeyIdentifier: var present })
        {
            return keyIdentifiers[issuerId] = Convert.ToHexStringLower(present);
        }

        // One whose key is not here any more.
        var row = await db.Issuers.FirstAsync(i => i.Id == issuerId, cancel);
        using var certificate = X509CertificateLoader.LoadCertificate(row.CertificateDer);
        return keyIdentifiers[issuerId] = Convert.ToHexStringLower(certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single().SubjectKeyIdentifierBytes.Span);
    }

    private static AcmeProblem NoId(string text, string reason) =>
        new(ProblemCatalog.Malformed, $"'{Excerpt.Of(text, 120)}' is no id of a certificate (RFC 9773 section 4.1): {reason}.");
}

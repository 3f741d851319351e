using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Certificates;
using PersistCa.Server.Hosting;
using PersistCa.Storage;

namespace PersistCa.Server.Registration;

/// <summary>Which certificates are looked for; what is null does not matter.</summary>
public sealed record CertificateFilter
{
    /// <summary>A name in it, exactly.</summary>
    public string? Name { get; init; }

    /// <summary>A name that one of its names lies under, however deep.</summary>
    public string? Under { get; init; }

    /// <summary>SHA-256 of the certificate, lower-case hex.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>SHA-256 of its SubjectPublicKeyInfo, lower-case hex.</summary>
    public string? Key { get; init; }

    /// <summary>Id of the account.</summary>
    public string? Account { get; init; }

    /// <summary>Id of the issuer.</summary>
    public string? Issuer { get; init; }

    /// <summary>Name of the profile.</summary>
    public string? Profile { get; init; }

    /// <summary>valid, expired, revoked, intended or abandoned.</summary>
    public string? Status { get; init; }

    /// <summary>Ends at or after this.</summary>
    public DateTimeOffset? ExpiresFrom { get; init; }

    /// <summary>Ends before this.</summary>
    public DateTimeOffset? ExpiresUntil { get; init; }
}

/// <summary>A certificate with the ids that belong to it.</summary>
/// <param name="Certificate">The row.</param>
/// <param name="Names">Its names.</param>
/// <param name="Order">Id of its order.</param>
/// <param name="Account">Id of its account.</param>
public sealed record CertificateView(IssuedCertificate Certificate, IReadOnlyList<string> Names, string Order, string Account);

/// <summary>Certificates as operators find them.</summary>
public sealed class CertificateSearch(CaStore store, CertificateShelf shelf, PersistCaOptions options)
{
    /// <summary>Certificates read at a time for an export.</summary>
    private const int Batch = 500;

    /// <summary>Certificates, the newest first.</summary>
    public async Task<Paged<CertificateView>> ListAsync(OperatorIdentity who, CertificateFilter filter, PageWish page, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        var now = store.Now;
        return Paged.Of(await store.ReadAsync(db => ViewAsync(db, Matching(db, filter, now).Where(c => c.Id < page.Below).OrderByDescending(c => c.Id).Take(page.Size + 1), cancel), cancel), page, v => v.Certificate.Id);
    }

    /// <summary>A certificate by its serial number.</summary>
    public async Task<Outcome<CertificateView>> FindAsync(OperatorIdentity who, string serial, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        return RevocationCriterion.ReadSerials([serial]) is { IsValid: true, Value.Serials: [var read] }
            && (await store.ReadAsync(db => ViewAsync(db, db.Certificates.Where(c => c.Serial == read), cancel), cancel)).FirstOrDefault() is { } found
            ? found
            : Refusals.NoSuchResource("certificate");
    }

    /// <summary>The chains of a certificate in PEM, as its account gets them.</summary>
    public async Task<Outcome<CertificateChains>> ChainsAsync(OperatorIdentity who, string serial, CancellationToken cancel) =>
        (await FindAsync(who, serial, cancel)).TryGet(out var found, out var problem) ? await shelf.ChainsAsync(found.Certificate, cancel) : problem;

    /// <summary>Says why so many cannot be exported at once; null when they can.</summary>
    public async Task<AcmeProblem?> RefuseExportAsync(OperatorIdentity who, CertificateFilter filter, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        var (most, now) = (options.Operators.MaxExport, store.Now);
        var matching = await store.ReadAsync(db => Exportable(db, filter, now).Take(most + 1).CountAsync(cancel), cancel);
        return matching <= most ? null : Refusals.Conflict($"More than {most} certificates match (Operators:MaxExport); export them in parts, by expiresFrom and expiresUntil for one.");
    }

    /// <summary>Certificates that were signed, from the newest, a batch at a time and at most so many as an export may have.</summary>
    public async IAsyncEnumerable<CertificateView> ExportAsync(OperatorIdentity who, CertificateFilter filter, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        var (below, left, now) = (long.MaxValue, options.Operators.MaxExport, store.Now);
        while (left > 0)
        {
            var (bound, most) = (below, Math.Min(left, Batch));
            var batch = await store.ReadAsync(db => ViewAsync(db, Exportable(db, filter, now).Where(c => c.Id < bound).OrderByDescending(c => c.Id).Take(most), cancel), cancel);
            foreach (var view in batch)
            {
                yield return view;
            }

            if (batch.Count < most)
            {
                yield break;
            }

            left -= batch.Count;
            below = batch[^1].Certificate.Id;
        }
    }

    /// <summary>The query behind a filter: values are parameters, and every bound that an index has is asked by it.</summary>
    internal static IQueryable<IssuedCertificate> Matching(CaDb db, CertificateFilter filter, DateTimeOffset now)
    {
        IQueryable<IssuedCertificate> rows = db.Certificates;
        if (filter.Name is { } name)
        {
            rows = rows.Where(c => db.CertifiedNames.Any(n => n.CertificateId == c.Id && n.Name == name));
        }

        if (filter.Under is { } under)
        {
            // Names under one domain begin alike when read from their end.
            var (least, beyond) = (CertifiedName.Reverse("." + under), CertifiedName.Reverse("." + under) + "\u007f");
#pragma warning disable CA1309, CA1310 // becomes SQL, which compares octets and knows no other way
            rows = rows.Where(c => db.CertifiedNames.Any(n => n.CertificateId == c.Id && string.Compare(n.Reversed, least) > 0 && string.Compare(n.Reversed, beyond) < 0));
#pragma warning restore CA1309, CA1310
        }

        rows = filter.Fingerprint is { } fingerprint ? rows.Where(c => c.Sha256 == fingerprint) : rows;
        rows = filter.Key is { } key ? rows.Where(c => c.KeyFingerprint == key) : rows;
        rows = filter.Account is { } account ? rows.Where(c => db.Accounts.Any(a => a.Id == c.AccountId && a.PublicId == account)) : rows;
        rows = filter.Issuer is { } issuer ? rows.Where(c => c.IssuerId == issuer) : rows;
        rows = filter.Profile is { } profile ? rows.Where(c => c.Profile == profile) : rows;
        rows = filter.ExpiresFrom is { } from ? rows.Where(c => c.NotAfter >= from) : rows;
        rows = filter.ExpiresUntil is { } until ? rows.Where(c => c.NotAfter < until) : rows;
        return filter.Status switch
        {
            "valid" => rows.Where(c => c.Status == CertificateStatus.Issued && c.NotAfter >= now),
            "expired" => rows.Where(c => c.Status == CertificateStatus.Issued && c.NotAfter < now),
            "revoked" => rows.Where(c => c.Status == CertificateStatus.Revoked),
            "intended" => rows.Where(c => c.Status == CertificateStatus.Intended),
            "abandoned" => rows.Where(c => c.Status == CertificateStatus.Abandoned),
            _ => rows,
        };
    }

    private static IQueryable<IssuedCertificate> Exportable(CaDb db, CertificateFilter filter, DateTimeOffset now) => Matching(db, filter, now).Where(c => c.Der != null);

    private static async Task<List<CertificateView>> ViewAsync(CaDb db, IQueryable<IssuedCertificate> rows, CancellationToken cancel)
    {
        var found = await rows
            .Join(db.Orders, c => c.OrderId, o => o.Id, (c, o) => new { Certificate = c, o.Names, Order = o.PublicId })
            .Join(db.Accounts, f => f.Certificate.AccountId, a => a.Id, (f, a) => new { f.Certificate, f.Names, f.Order, Account = a.PublicId })
            .ToListAsync(cancel);
        return [.. found.OrderByDescending(f => f.Certificate.Id).Select(f => new CertificateView(f.Certificate, f.Names, f.Order, f.Account))];
    }
}

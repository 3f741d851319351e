using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Certificates;
using PersistCa.Storage;
using PersistCa.Storage.Integrity;
using PersistCa.Storage.Status;

namespace PersistCa.Server.Registration;

/// <summary>The rules about what was signed: it is by an issuer of the store, whole, and says what the store says. Needs no key.</summary>
public static class SignedRules
{
    private const int Revoked = 1;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<StoreRule> All { get; } =
    [
        new("S20", "a certificate is signed by its issuer, and says the serial number, times and key that the store says", CertificatesAsync),
        new("S21", "a revocation list is signed by its issuer, and says the number and time that the store says", ListsAsync),
        new("S22", "the newest revocation list of each part names every certificate that was revoked before it and has not ended", RevokedAsync),
        new("S23", "a kept OCSP answer says revoked of what is revoked, and of nothing else", AnswersAsync),
    ];

    private static async IAsyncEnumerable<StoreFinding> CertificatesAsync(CaDb db, [EnumeratorCancellation] CancellationToken cancel)
    {
        var keys = await IssuerKeysAsync(db, cancel);
        await foreach (var page in StorePages.PagesAsync(last => db.Certificates.Where(c => c.Id > last && c.Der != null).OrderBy(c => c.Id), c => c.Id, cancel))
        {
            foreach (var certificate in page)
            {
                if (Judge(certificate, keys) is { } wrong)
                {
                    yield return new("S20", "certificate:" + certificate.PublicId, wrong);
                }
            }
        }
    }

    private static string? Judge(IssuedCertificate row, Dictionary<string, ReadOnlyMemory<byte>> keys)
    {
        if (!keys.TryGetValue(row.IssuerId, out var key))
        {
            return $"the certificate of its issuer {row.IssuerId} is not in the store";
        }

        var read = SignedObject.ReadCertificate(row.Der!, key.Span);
        if (!read.IsValid)
        {
            return read.Reason;
        }

        var (fields, serial) = (read.Value, Convert.ToHexStringLower(read.Value.Serial.Span));
        return serial != row.Serial ? $"its serial number is {serial}, in the store {row.Serial}"
            : fields.NotBefore.At != row.NotBefore || fields.NotAfter.At != row.NotAfter
                ? $"it is valid from {fields.NotBefore.At:O} to {fields.NotAfter.At:O}, in the store from {row.NotBefore:O} to {row.NotAfter:O}"
            : Convert.ToHexStringLower(SHA256.HashData(fields.SubjectPublicKeyInfo.Span)) != row.KeyFingerprint ? "its key is another than the store says"
            : null;
    }

    private static async IAsyncEnumerable<StoreFinding> ListsAsync(CaDb db, [EnumeratorCancellation] CancellationToken cancel)
    {
        var keys = await IssuerKeysAsync(db, cancel);
        foreach (var place in await db.Crls.Select(c => new { c.IssuerId, c.Shard, c.Number }).ToListAsync(cancel))
        {
            var row = await db.Crls.FirstAsync(c => c.IssuerId == place.IssuerId && c.Shard == place.Shard && c.Number == place.Number, cancel);
            var read = SignedObject.ReadList(row.Der, keys.GetValueOrDefault(row.IssuerId).Span);
            var subject = string.Create(CultureInfo.InvariantCulture, $"list:{row.IssuerId}/{row.Shard}/{row.Number}");
            if (!read.IsValid)
            {
                yield return new("S21", subject, read.Reason);
            }
            else if (read.Value.Number != row.Number || read.Value.ThisUpdate.At != row.ThisUpdate)
            {
                yield return new("S21", subject, $"it has the number {read.Value.Number} and the time {read.Value.ThisUpdate.At:O}, in the store {row.Number} and {row.ThisUpdate:O}");
            }
        }
    }

    private static async IAsyncEnumerable<StoreFinding> RevokedAsync(CaDb db, [EnumeratorCancellation] CancellationToken cancel)
    {
        foreach (var issuerId in await db.Issuers.Select(i => i.Id).ToListAsync(cancel))
        {
            foreach (var newest in (await db.NewestCrlsAsync(issuerId, cancel)).Values.OrderBy(c => c.Shard))
            {
                var der = await db.Crls.Where(c => c.IssuerId == issuerId && c.Shard == newest.Shard && c.Number == newest.Number).Select(c => c.Der).FirstAsync(cancel);
                var listed = CrlFacts.Read(der, int.MaxValue) is { IsValid: true } read ? (read.Value.Entries ?? []).Select(e => e.Serial).ToHashSet() : [];

                // A revocation that was committed while the list was made may bear an earlier time; the next list has it, at most a minute later.
                var before = newest.ThisUpdate - TimeSpan.FromMinutes(1);
                var missing = db.Certificates.Where(c => c.IssuerId == issuerId && c.CrlShard == newest.Shard && c.StatusChangedAt != null && c.RevokedAt <= before && c.NotAfter >= newest.ThisUpdate);
                await foreach (var page in StorePages.PagesAsync(last => missing.Where(c => c.Id > last).OrderBy(c => c.Id).Select(c => new { c.Id, c.PublicId, c.Serial, c.RevokedAt }), c => c.Id, cancel))
                {
                    foreach (var certificate in page.Where(c => !listed.Contains(c.Serial)))
                    {
                        yield return new("S22", "certificate:" + certificate.PublicId, $"it was revoked at {certificate.RevokedAt:O}, and the list {newest.Number} of {newest.ThisUpdate:O} does not name {certificate.Serial}");
                    }
                }

                foreach (var lost in await db.LostRevocations.Where(l => l.IssuerId == issuerId && l.Shard == newest.Shard && l.RecordedAt <= before).Select(l => l.Serial).ToListAsync(cancel))
                {
                    if (!listed.Contains(lost))
                    {
                        yield return new("S22", "serial:" + lost, $"a list before named it as revoked, and the list {newest.Number} of {newest.ThisUpdate:O} does not");
                    }
                }
            }
        }
    }

    private static async IAsyncEnumerable<StoreFinding> AnswersAsync(CaDb db, [EnumeratorCancellation] CancellationToken cancel)
    {
        var answered = db.Certificates.Where(c => db.OcspAnswers.Any(a => a.Serial == c.Serial));
        await foreach (var page in StorePages.PagesAsync(last => answered.Where(c => c.Id > last).OrderBy(c => c.Id).Select(c => new { c.Id, c.Serial, c.RevokedAt }), c => c.Id, cancel))
        {
            string[] serials = [.. page.Select(c => c.Serial)];
            var answers = (await db.OcspAnswers.Where(a => serials.Contains(a.Serial)).Select(a => new { a.Serial, a.Der }).ToListAsync(cancel)).Where(a => a.Der.Length > 0).ToLookup(a => a.Serial, a => a.Der);
            foreach (var (certificate, der) in page.SelectMany(c => answers[c.Serial].Select(der => (c, der))))
            {
                var read = OcspFacts.Read(der);
                var said = read.IsValid ? read.Value.Singles.FirstOrDefault(s => s.Serial == certificate.Serial)?.Status : null;
                if (said is null)
                {
                    yield return new("S23", "answer:" + certificate.Serial, read.IsValid ? "it is about another certificate" : read.Reason);
                }
                else if ((said == Revoked) != certificate.RevokedAt.HasValue)
                {
                    yield return new("S23", "answer:" + certificate.Serial, $"it says {(said == Revoked ? "revoked" : "not revoked")}, and the store has it {(certificate.RevokedAt is { } since ? $"revoked since {since:O}" : "not revoked")}");
                }
            }
        }
    }

    private static async Task<Dictionary<string, ReadOnlyMemory<byte>>> IssuerKeysAsync(CaDb db, CancellationToken cancel) =>
        (await db.Issuers.Select(i => new { i.Id, i.CertificateDer }).ToListAsync(cancel))
        .Select(i => (i.Id, Key: SignedObject.KeyOf(i.CertificateDer)))
        .Where(i => i.Key is not null)
        .ToDictionary(i => i.Id, i => i.Key!.Value);
}

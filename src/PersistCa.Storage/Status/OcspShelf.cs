using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Certificates;

namespace PersistCa.Storage.Status;

/// <summary>Signed answers in the store, and what may be said in them.</summary>
public static class OcspShelf
{
    /// <summary>Hash of the answers that are made before anybody asks: SHA-1, by which nearly every client asks.</summary>
    public const int AheadOfQuestions = 1;

    /// <summary>The answer about a certificate; null when there is none, or the one that was is due.</summary>
    public static Task<OcspAnswerRow?> OcspAnswerAsync(this CaDb db, string serial, int hash, DateTimeOffset now, CancellationToken cancel) =>
        db.OcspAnswers.FirstOrDefaultAsync(a => a.Serial == serial && a.Hash == hash && a.RefreshAt > now, cancel);

    /// <summary>Answers of issuers that are due, those that have waited longest first.</summary>
    public static Task<List<OcspAnswerRow>> DueOcspAnswersAsync(this CaDb db, IReadOnlyList<string> issuerIds, DateTimeOffset now, int most, CancellationToken cancel) =>
        db.OcspAnswers.Where(a => issuerIds.Contains(a.IssuerId) && a.RefreshAt <= now).OrderBy(a => a.RefreshAt).Take(most).ToListAsync(cancel);

    /// <summary>
    /// The certificates of serial numbers, held until this transaction ends: whoever revokes one meanwhile waits for it, so that no answer that was true a
    /// moment ago is written over the word of a revocation.
    /// </summary>
    public static async Task<IReadOnlyDictionary<string, IssuedCertificate>> HoldCertificatesAsync(this StoreTransaction t, IReadOnlyCollection<string> serials, CancellationToken cancel)
    {
        string[] wanted = [.. serials.Distinct().Order(StringComparer.Ordinal)];
        var found = t.Db.Kind == StoreKind.PostgreSql
            ? await t.Db.Certificates.FromSql(FormattableStringFactory.Create("SELECT * FROM certificates WHERE serial = ANY({0}) ORDER BY id FOR SHARE", [wanted])).AsNoTracking().ToListAsync(cancel)
            : await t.Db.Certificates.Where(c => wanted.Contains(c.Serial)).AsNoTracking().ToListAsync(cancel);
        return found.ToDictionary(c => c.Serial);
    }

    /// <summary>Takes the answers about certificates whose status changes in this transaction. The change itself is written first, which waits for whoever holds the certificates.</summary>
    public static async Task WithdrawOcspAnswersAsync(this StoreTransaction t, IReadOnlyCollection<string> serials, CancellationToken cancel)
    {
        await t.Db.SaveChangesAsync(cancel);
        var now = t.Now;
        await t.Db.OcspAnswers.Where(a => serials.Contains(a.Serial)).ExecuteUpdateAsync(s => s.SetProperty(a => a.Der, Array.Empty<byte>()).SetProperty(a => a.RefreshAt, now), cancel);
    }

    /// <summary>Puts an answer on the shelf, in the place of the one before.</summary>
    public static async Task KeepOcspAnswerAsync(this StoreTransaction t, OcspAnswerRow answer, CancellationToken cancel)
    {
        if (await t.Db.OcspAnswers.FirstOrDefaultAsync(a => a.Serial == answer.Serial && a.Hash == answer.Hash, cancel) is not { } row)
        {
            t.Db.OcspAnswers.Add(answer);
            return;
        }

        (row.Der, row.ThisUpdate, row.NextUpdate, row.RefreshAt) = (answer.Der, answer.ThisUpdate, answer.NextUpdate, answer.RefreshAt);
    }

    /// <summary>The newest signer of an issuer, null when there is none yet.</summary>
    public static Task<OcspSignerRow?> OcspSignerAsync(this CaDb db, string issuerId, CancellationToken cancel) =>
        db.OcspSigners.Where(s => s.IssuerId == issuerId).OrderByDescending(s => s.Generation).FirstOrDefaultAsync(cancel);
}

using System.Globalization;
using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Ocsp;
using PersistCa.Protocol;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Limits;
using PersistCa.Server.Hosting;
using PersistCa.Server.Telemetry;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Status;

namespace PersistCa.Server.Registration;

/// <summary>An answer to send.</summary>
/// <param name="Der">The answer, DER.</param>
/// <param name="ThisUpdate">Its time; null for a refusal.</param>
/// <param name="NextUpdate">Until when it may be used; null for what must not be kept: a refusal, or what was signed for one question.</param>
public sealed record OcspReply(byte[] Der, DateTimeOffset? ThisUpdate, DateTimeOffset? NextUpdate);

/// <summary>
/// Answers questions about certificates (RFC 6960, RFC 9919). What everybody is told is signed once and kept in the store; a revocation takes it from there in
/// its own transaction, so that no question after it gets the answer from before.
/// </summary>
public sealed class OcspDesk(CaStore store, StatusIssuers issuers, OcspSigners signers, PersistCaOptions options, TimeProvider clock)
{
    /// <summary>How long it may be said that a certificate is not known: it may be issued in a moment.</summary>
    private static readonly TimeSpan UnknownValidity = TimeSpan.FromMinutes(5);

    private readonly RateLimit fresh = new(options.Issuance.Ocsp.FreshPerSecond, TimeSpan.FromSeconds(1));
    private readonly Lock freshGate = new();
    private long freshFull;

    /// <summary>Answers a question.</summary>
    /// <param name="octets">The question, DER, as it came.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<OcspReply> AnswerAsync(ReadOnlyMemory<byte> octets, CancellationToken cancel)
    {
        var read = OcspQuestion.Read(octets);
        if (!read.IsValid)
        {
            return Refuse(OcspRefusal.MalformedRequest);
        }

        var question = read.Value;
        var issuer = issuers.Find(question.Certificates[0]);
        if (issuer is null || !question.Certificates.All(c => c.IsOf(issuer)) || HasEnded(issuer))
        {
            return Refuse(OcspRefusal.Unauthorized);
        }

        try
        {
            return await AnswerAsync(issuer, question, cancel);
        }
        catch (KeyStoreAwayException)
        {
            // Answers that were signed ahead are still given; what has to be signed waits for the key.
            return Refuse(OcspRefusal.TryLater);
        }
    }

    private async Task<OcspReply> AnswerAsync(Issuer issuer, OcspQuestion question, CancellationToken cancel)
    {
        var alone = question.Certificates is [var only] ? only : null;
        var wantsNonce = question.Nonce is not null && options.Issuance.Ocsp.Nonce;
        if (alone is not null && !(wantsNonce && TakeFresh()))
        {
            return await KeptAsync(issuer, alone, cancel) ?? (TakeFresh() ? await FreshAsync(issuer, question with { Nonce = null }, cancel) : Refuse(OcspRefusal.TryLater));
        }

        return alone is not null || TakeFresh() ? await FreshAsync(issuer, wantsNonce ? question : question with { Nonce = null }, cancel) : Refuse(OcspRefusal.TryLater);
    }

    /// <summary>Signs answers and keeps them, or forgets those whose certificates have ended.</summary>
    /// <param name="issuer">Whose certificates.</param>
    /// <param name="wanted">Serial numbers and hashes.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>The answers that are kept now.</returns>
    public async Task<IReadOnlyList<OcspAnswerRow>> SignAsync(Issuer issuer, IReadOnlyList<(string Serial, int Hash)> wanted, CancellationToken cancel)
    {
        // Of an issuer that has ended every certificate has: there is nothing to be signed, and nobody who could.
        var signer = HasEnded(issuer) ? null : await signers.GetAsync(issuer, cancel);
        var outcome = await store.WriteAsync<List<OcspAnswerRow>>(
            Actor.Server,
            async t =>
            {
                var held = await t.HoldCertificatesAsync([.. wanted.Select(w => w.Serial)], cancel);
                var made = new List<OcspAnswerRow>();
                var ended = new List<string>();
                foreach (var (serial, hash) in wanted)
                {
                    if (signer is null || !held.TryGetValue(serial, out var certificate) || StatusOf(certificate, issuer) == OcspStatus.Unknown || certificate.NotAfter < t.Now)
                    {
                        ended.Add(serial);
                        continue;
                    }

                    var row = await SignAsync(issuer, signer, certificate, (OcspHash)hash, t.Now, cancel);
                    await t.KeepOcspAnswerAsync(row, cancel);
                    made.Add(row);
                }

                // An intent that is not signed yet has no answer due; an abandoned or ended certificate never has one again.
                var now = t.Now;
                var gone = ended.Count == 0 ? 0 : await t.Db.OcspAnswers.Where(a => ended.Contains(a.Serial) && a.RefreshAt <= now).ExecuteDeleteAsync(cancel);
                if (made.Count + gone > 0)
                {
                    t.Audit(
                        AuditKinds.OcspSigned,
                        "issuer:" + issuer.IssuerId,
                        ("answers", made.Count.ToString(CultureInfo.InvariantCulture)),
                        ("ended", gone.ToString(CultureInfo.InvariantCulture)),
                        ("signer", signer?.Serial));
                }

                return made;
            },
            cancel);
        var kept = outcome.Value;
        CaTelemetry.OcspSigned.Add(kept.Count, new KeyValuePair<string, object?>("kept", true));
        return kept;
    }

    /// <summary>An issuer that has ended speaks with authority no more (RFC 6960 section 2.3), and no answer can outlive it.</summary>
    private bool HasEnded(Issuer issuer) => issuer.NotAfter <= clock.GetUtcNow();

    private static OcspReply Refuse(OcspRefusal refusal) => new(OcspAnswer.Refuse(refusal), null, null);

    /// <summary>What may be said of a row: of what is only intended, or was given up, nothing is known.</summary>
    private static OcspStatus StatusOf(IssuedCertificate? certificate, Issuer issuer) => certificate?.IssuerId == issuer.IssuerId
        ? certificate.Status switch
        {
            CertificateStatus.Issued => OcspStatus.Good,
            CertificateStatus.Revoked => OcspStatus.Revoked,
            _ => OcspStatus.Unknown,
        }
        : OcspStatus.Unknown;

    private static OcspSingle Single(OcspCertId id, IssuedCertificate? certificate, Issuer issuer) =>
        new(id, StatusOf(certificate, issuer), certificate?.RevokedAt, certificate?.RevocationReason);

    private async Task<OcspReply?> KeptAsync(Issuer issuer, OcspCertId id, CancellationToken cancel)
    {
        var now = store.Now;
        var (row, certificate) = await store.ReadAsync(
            async db =>
            {
                var kept = await db.OcspAnswerAsync(id.Serial, (int)id.Hash, now, cancel);
                return (kept, kept is null ? await db.Certificates.FirstOrDefaultAsync(c => c.Serial == id.Serial, cancel) : null);
            },
            cancel);
        if (row is null && StatusOf(certificate, issuer) != OcspStatus.Unknown && certificate!.NotAfter >= now)
        {
            row = await SignAsync(issuer, [(id.Serial, (int)id.Hash)], cancel) is [var signed, ..] ? signed : null;
        }

        return row is null || row.IssuerId != issuer.IssuerId ? null : new OcspReply(row.Der, row.ThisUpdate, row.NextUpdate);
    }

    private async Task<OcspReply> FreshAsync(Issuer issuer, OcspQuestion question, CancellationToken cancel)
    {
        var now = Whole(store.Now);
        string[] serials = [.. question.Certificates.Select(c => c.Serial)];
        var found = await store.ReadAsync(db => db.Certificates.Where(c => serials.Contains(c.Serial)).ToDictionaryAsync(c => c.Serial, cancel), cancel);
        var lost = await store.ReadAsync(db => db.LostRevocations.Where(l => l.IssuerId == issuer.IssuerId && serials.Contains(l.Serial)).ToDictionaryAsync(l => l.Serial, cancel), cancel);
        var singles = question.Certificates.DistinctBy(c => (c.Hash, c.Serial))
            .Select(c => lost.TryGetValue(c.Serial, out var known) ? new OcspSingle(c, OcspStatus.Revoked, known.RevokedAt, known.Reason) : Single(c, found.GetValueOrDefault(c.Serial), issuer))
            .ToList();
        var validity = singles.Any(s => s.Status == OcspStatus.Unknown) ? UnknownValidity : options.Issuance.Ocsp.Validity;
        var signer = await signers.GetAsync(issuer, cancel);
        var next = now + validity < signer.NotAfter ? now + validity : signer.NotAfter;
        var der = await OcspAnswer.SignAsync(signer, singles, new OcspTimes(now, next, now), question.Nonce, cancel);
        CaTelemetry.OcspSigned.Add(1, new KeyValuePair<string, object?>("kept", false));
        return new OcspReply(der, now, null);
    }

    private async Task<OcspAnswerRow> SignAsync(Issuer issuer, OcspSigner signer, IssuedCertificate certificate, OcspHash hash, DateTimeOffset at, CancellationToken cancel)
    {
        var now = Whole(at);
        var next = now + options.Issuance.Ocsp.Validity;
        next = next < signer.NotAfter ? next : signer.NotAfter;
        var single = Single(OcspCertId.Of(issuer, hash, certificate.Serial), certificate, issuer);
        return new OcspAnswerRow
        {
            IssuerId = issuer.IssuerId,
            Serial = certificate.Serial,
            Hash = (int)hash,
            Der = await OcspAnswer.SignAsync(signer, [single], new OcspTimes(now, next, now), null, cancel),
            ThisUpdate = now,
            NextUpdate = next,

            // Before half of its life, and at most four days old (Baseline Requirements section 4.9.10).
            RefreshAt = now + ((next - now) * 2 / 5),
        };
    }

    private static DateTimeOffset Whole(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());

    private bool TakeFresh()
    {
        var now = clock.GetUtcNow().UtcTicks / TimeSpan.TicksPerMicrosecond;
        lock (freshGate)
        {
            if (fresh.Take(freshFull, now).Full is not { } full)
            {
                return false;
            }

            freshFull = full;
            return true;
        }
    }
}

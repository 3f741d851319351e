using System.Globalization;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Certificates;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Status;

namespace PersistCa.Storage.Backup;

/// <summary>
/// Makes a store that came back from a copy fit to go on: what was published after the copy was made does not go back. Lists get higher numbers than any before,
/// what a list showed as revoked stays so, no serial number is signed twice, ids of audit entries are not given again, and what is gone is said. All in one
/// transaction; done again it changes little.
/// </summary>
/// <param name="factory">Makes contexts.</param>
/// <param name="store">The way to write.</param>
public sealed class StoreReconciliation(IDbContextFactory<CaDb> factory, CaStore store)
{
    /// <summary>How far CRL numbers, and ids of audit entries, skip ahead where nobody knows how far they had come.</summary>
    public const long Jump = 1_000_000;

    private const int Batch = 500;

    /// <summary>Whether a restore was begun and not finished.</summary>
    public async Task<bool> IsAwaitedAsync(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await RestoreMark.IsSetAsync(db, cancel);
    }

    /// <summary>Why what is known of the audit log does not fit to how far a copy goes; null when it does.</summary>
    public static string? Refuse(KnownState known, AuditMark? newest) => (known.Audit, newest) switch
    {
        (null, _) when !known.AcceptLoss =>
            "say the newest audit entry that is known (--known-audit-entry ID:HASH, or --known-marks FILE), so that it is seen whether the log was rolled back; or --accept-loss if none is",
        ({ } seen, _) when seen.Id > (newest?.Id ?? 0) && !known.AcceptLoss =>
            $"the audit log ends at entry {newest?.Id ?? 0}, and entry {seen.Id} is known: entries are gone; find a newer copy, or say --accept-loss, which records the gap",
        ({ } seen, { } last) when seen.Id == last.Id && seen.Hash != last.Hash => Fork(seen),
        _ => null,
    };

    /// <summary>Reconciles the store.</summary>
    /// <param name="known">What is known of the time after the copy.</param>
    /// <param name="restoredFrom">The backup that was restored; null where the database came back by other means.</param>
    /// <param name="cancel">Stops; nothing is changed then.</param>
    /// <returns>What was done; or why nothing was.</returns>
    public async Task<Parsed<Reconciled>> ReconcileAsync(KnownState known, VerifiedBackup? restoredFrom, CancellationToken cancel)
    {
        string? refusal = null;
        var outcome = await store.WriteAsync<Reconciled>(
            Actor.Operator,
            async t =>
            {
                refusal = await RefuseAsync(t.Db, known, cancel);
                if (refusal is not null)
                {
                    return new AcmeProblem(ProblemCatalog.ServerInternal, refusal);
                }

                var lost = await SkipEntriesAsync(t, known, cancel);
                var floors = await RaiseFloorsAsync(t, known, cancel);
                var (revoked, upgraded, unknown) = (0, 0, 0);
                foreach (var list in known.Lists)
                {
                    foreach (var some in list.Revocations.Chunk(Batch))
                    {
                        var done = await RevokeAsync(t, list, some, cancel);
                        (revoked, upgraded, unknown) = (revoked + done.Revoked, upgraded + done.Upgraded, unknown + done.Unknown);
                    }
                }

                await KeepListsAsync(t, known, cancel);
                var abandoned = await AbandonAsync(t, cancel);
                await t.Db.WorkItems.Where(w => w.LeasedBy != null)
                    .ExecuteUpdateAsync(s => s.SetProperty(w => w.LeasedBy, (string?)null).SetProperty(w => w.LeasedUntil, (DateTimeOffset?)null), cancel);

                // A duty of a node that is gone is free, and whoever thinks to hold it still is refused by its epoch.
                var past = DateTimeOffset.UnixEpoch;
                await t.Db.Duties.ExecuteUpdateAsync(s => s.SetProperty(d => d.HeldUntil, past).SetProperty(d => d.Epoch, d => d.Epoch + 1), cancel);
                await RestoreMark.ClearAsync(t.Db, cancel);
                t.Audit(
                    restoredFrom is null ? AuditKinds.StoreReconciled : AuditKinds.StoreRestored,
                    "store",
                    ("backup", restoredFrom is null ? null : AcmeJson.Time(restoredFrom.Header.MadeAt)),
                    ("rows", restoredFrom is null ? null : Text(restoredFrom.Rows)),
                    ("known-entry", known.Audit is { } seen ? $"{Text(seen.Id)}:{seen.Hash}" : null),
                    ("lost-entries", lost is { } gone ? Text(gone) : "unknown"),
                    ("revoked", Text(revoked)),
                    ("upgraded", Text(upgraded)),
                    ("revoked-unknown", Text(unknown)),
                    ("abandoned", Text(abandoned)),
                    ("crl-numbers-above", floors.Count == 0 ? null : string.Join(' ', floors.Select(f => $"{f.Key}:{Text(f.Value)}"))));
                return new Reconciled(lost, revoked, upgraded, unknown, abandoned, floors);
            },
            cancel);
        return outcome.TryGet(out var made, out var problem) ? Parsed<Reconciled>.Ok(made) : Parsed<Reconciled>.Refused(refusal ?? problem.Detail);
    }

    private static string Fork(AuditMark seen) => $"the audit log has another entry {seen.Id} than the one that is known: it is not the log in which that was seen, or it was rolled back and went on";

    private static async Task<string?> RefuseAsync(CaDb db, KnownState known, CancellationToken cancel)
    {
        var newest = await db.AuditEntries.AsNoTracking().OrderByDescending(e => e.Id).FirstOrDefaultAsync(cancel);
        if (Refuse(known, newest is null ? null : new AuditMark(newest.Id, AuditDigest.Of(newest))) is { } refusal)
        {
            return refusal;
        }

        if (known.Audit is not { } seen || seen.Id > (newest?.Id ?? 0))
        {
            return null;
        }

        var entry = await db.AuditEntries.AsNoTracking().FirstOrDefaultAsync(e => e.Id == seen.Id, cancel);
        return entry is null || AuditDigest.Of(entry) != seen.Hash ? Fork(seen) : null;
    }

    /// <summary>Ids of entries that are gone are not given again: whoever kept such an entry would find another in its place.</summary>
    private static async Task<long?> SkipEntriesAsync(StoreTransaction t, KnownState known, CancellationToken cancel)
    {
        var newest = await t.Db.AuditEntries.Select(e => (long?)e.Id).MaxAsync(cancel) ?? 0;
        if (known.Audit is { } seen && seen.Id <= newest)
        {
            return 0;
        }

        var last = known.Audit?.Id ?? (newest + Jump);
        if (t.Db.Kind == StoreKind.PostgreSql)
        {
            // Never back, should entries have been refused since.
            await t.Db.Database.ExecuteSqlAsync($"SELECT setval(pg_get_serial_sequence('audit_entries', 'id'), GREATEST({last}, nextval(pg_get_serial_sequence('audit_entries', 'id'))))", cancel);
        }
        else
        {
            await t.Db.Database.ExecuteSqlAsync($"INSERT INTO sqlite_sequence (name, seq) SELECT 'audit_entries', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'audit_entries')", cancel);
            await t.Db.Database.ExecuteSqlAsync($"UPDATE sqlite_sequence SET seq = max(seq, {last}) WHERE name = 'audit_entries'", cancel);
        }

        return known.Audit is null ? null : last - newest;
    }

    /// <summary>The next list of an issuer is above every number that may have been published.</summary>
    private static async Task<IReadOnlyDictionary<string, long>> RaiseFloorsAsync(StoreTransaction t, KnownState known, CancellationToken cancel)
    {
        var floors = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var issuer in await t.Db.Issuers.ToListAsync(cancel))
        {
            var stored = await t.Db.Crls.Where(c => c.IssuerId == issuer.Id).Select(c => (long?)c.Number).MaxAsync(cancel) ?? 0;
            long[] given =
            [
                .. known.Lists.Where(l => l.IssuerId == issuer.Id).Select(l => l.Number),
                .. known.Numbers.TryGetValue(issuer.Id, out var number) ? [number] : Array.Empty<long>(),
                .. known.Number is { } any ? [any] : Array.Empty<long>(),
            ];
            issuer.CrlNumberFloor = Math.Max(issuer.CrlNumberFloor, given.Length > 0 ? Math.Max(stored, given.Max()) : Math.Max(stored, t.Now.ToUnixTimeSeconds()) + Jump);
            floors[issuer.Id] = issuer.CrlNumberFloor;
        }

        return floors;
    }

    private static async Task<(int Revoked, int Upgraded, int Unknown)> RevokeAsync(StoreTransaction t, KnownList list, IReadOnlyCollection<KnownRevocation> some, CancellationToken cancel)
    {
        string[] serials = [.. some.Select(s => s.Serial)];
        var found = await t.Db.Certificates.Where(c => c.IssuerId == list.IssuerId && serials.Contains(c.Serial)).ToDictionaryAsync(c => c.Serial, cancel);
        var noted = await t.Db.LostRevocations.Where(l => l.IssuerId == list.IssuerId && serials.Contains(l.Serial)).ToDictionaryAsync(l => l.Serial, cancel);
        var (revoked, upgraded, unknown) = (0, 0, 0);
        var changed = new List<string>();
        var blocked = new HashSet<string>(); // two certificates with one key block it once
        foreach (var shown in some)
        {
            if (!found.TryGetValue(shown.Serial, out var certificate) || certificate.Status is CertificateStatus.Intended or CertificateStatus.Abandoned)
            {
                // Of what was only intended when the copy was made, too: it was signed afterwards.
                if (noted.TryGetValue(shown.Serial, out var before))
                {
                    before.Reason = shown.Reason == IssuedCertificate.KeyCompromise ? shown.Reason : before.Reason;
                    continue;
                }

                t.Db.LostRevocations.Add(new LostRevocation { IssuerId = list.IssuerId, Serial = shown.Serial, Shard = list.Part, RevokedAt = shown.RevokedAt, Reason = shown.Reason, RecordedAt = t.Now });
                unknown++;
                continue;
            }

            var compromise = shown.Reason == IssuedCertificate.KeyCompromise;
            var kind = AuditKinds.CertificateRevoked;
            if (certificate.Status == CertificateStatus.Issued)
            {
                certificate.Revoke(shown.Reason, shown.RevokedAt, t.Now);
                revoked++;
            }
            else if (compromise && certificate.RevocationReason != IssuedCertificate.KeyCompromise)
            {
                certificate.UpgradeToKeyCompromise(t.Now);
                kind = AuditKinds.RevocationUpgraded;
                upgraded++;
            }
            else
            {
                continue;
            }

            changed.Add(certificate.Serial);
            t.Audit(kind, "certificate:" + certificate.PublicId, ("serial", certificate.Serial), ("reason", shown.Reason?.ToString(CultureInfo.InvariantCulture)), ("list", Text(list.Number)));
            if (compromise && blocked.Add(certificate.KeyFingerprint))
            {
                await t.BlockKeyAsync(certificate.KeyFingerprint, certificate.Serial, proven: false, cancel);
                t.Audit(AuditKinds.KeyBlocked, "certificate:" + certificate.PublicId, ("key", certificate.KeyFingerprint));
            }
        }

        await t.WithdrawOcspAnswersAsync(changed, cancel);
        return (revoked, upgraded, unknown);
    }

    /// <summary>
    /// The lists of the copy go: some of them were followed by others, and nobody must be given an older one. The newest that is known takes their place; without
    /// one there is none until a worker makes it, which it does at its start.
    /// </summary>
    private static async Task KeepListsAsync(StoreTransaction t, KnownState known, CancellationToken cancel)
    {
        await t.Db.SaveChangesAsync(cancel);
        foreach (var list in known.Lists.GroupBy(l => (l.IssuerId, l.Part)).Select(g => g.MaxBy(l => l.Number)!))
        {
            if (!await t.Db.Crls.AnyAsync(c => c.IssuerId == list.IssuerId && c.Shard == list.Part && c.Number >= list.Number, cancel))
            {
                t.Db.Crls.Add(new CrlRow { IssuerId = list.IssuerId, Shard = list.Part, Number = list.Number, Der = list.Der.ToArray(), ThisUpdate = list.ThisUpdate, NextUpdate = list.NextUpdate });
            }
        }

        await t.Db.SaveChangesAsync(cancel);
        foreach (var place in await t.Db.Crls.Select(c => new { c.IssuerId, c.Shard }).Distinct().ToListAsync(cancel))
        {
            var lists = t.Db.Crls.Where(c => c.IssuerId == place.IssuerId && c.Shard == place.Shard);
            var newest = await lists.MaxAsync(c => c.Number, cancel);
            var shown = known.Lists.Any(l => l.IssuerId == place.IssuerId && l.Part == place.Shard && l.Number <= newest);
            await (shown ? lists.Where(c => c.Number < newest) : lists).ExecuteDeleteAsync(cancel);
        }
    }

    /// <summary>
    /// What was intended when the copy was made may have been signed, recorded and handed out afterwards. Signing it again would give two certificates one serial
    /// number, so it is given up, and its order with it.
    /// </summary>
    private static async Task<int> AbandonAsync(StoreTransaction t, CancellationToken cancel)
    {
        var intents = await t.Db.Certificates.Where(c => c.Status == CertificateStatus.Intended).ToListAsync(cancel);
        foreach (var intent in intents)
        {
            var order = await t.Db.Orders.FirstAsync(o => o.Id == intent.OrderId, cancel);
            var problem = new AcmeProblem(ProblemCatalog.ServerInternal, "The store was brought back from a copy that was made while this order was in processing; make a new order.");
            intent.Abandon();
            order.Fail(problem);
            await t.Db.WorkItems.Where(w => w.Kind == WorkQueue.WorkKind.Issue && w.SubjectId == order.Id).ExecuteDeleteAsync(cancel);
            t.Audit(AuditKinds.IssuanceAbandoned, "certificate:" + intent.PublicId, ("serial", intent.Serial));
            t.Audit(AuditKinds.OrderFailed, "order:" + order.PublicId, ("problem", problem.Type.Name), ("detail", problem.Detail));
        }

        return intents.Count;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}

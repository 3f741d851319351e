using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Orders;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Storage.Integrity;

/// <summary>The rules that need nothing but the store. What is signed is looked at by whoever knows the issuers.</summary>
public static class StoreRules
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<StoreRule> All { get; } =
    [
        new("S01", "the database's own checks find nothing: pages, indexes, references", DatabaseAsync),
        new("S02", "an order has what its state needs: a certificate of its own when valid, work when processing, an audit entry in any case", OrdersAsync),
        new("S03", "a certificate has its order, its entries in the audit log, and nothing of a state it is not in", CertificatesAsync),
        new("S04", "an authorization that is valid rests on a valid challenge and its evidence; a challenge in processing has work", AuthorizationsAsync),
        new("S05", "work is for something that waits for it", WorkAsync),
        new("S06", "a key that a certificate was revoked for as compromised is blocked", BlockedKeysAsync),
        new("S07", "an account's present key is its newest, and every account has an audit entry", AccountsAsync),
        new("S08", "numbers of revocation lists rise with their times", ListNumbersAsync),
        new("S09", "the facts of an audit entry are an object of texts", EntriesAsync),
    ];

    private static async IAsyncEnumerable<StoreFinding> DatabaseAsync(CaDb db, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (db.Kind == StoreKind.PostgreSql)
        {
            foreach (var name in await db.Database.SqlQuery<string>($"SELECT conname::text AS \"Value\" FROM pg_constraint WHERE NOT convalidated AND connamespace = current_schema()::regnamespace").ToListAsync(cancel))
            {
                yield return new("S01", "database", $"the constraint {name} is not validated, so that rows may break it");
            }

            foreach (var name in await db.Database.SqlQuery<string>($"SELECT indexrelid::regclass::text AS \"Value\" FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE NOT indisvalid AND c.relnamespace = current_schema()::regnamespace").ToListAsync(cancel))
            {
                yield return new("S01", "database", $"the index {name} is not valid; make it again");
            }

            yield break;
        }

        foreach (var line in await db.Database.SqlQuery<string>($"SELECT integrity_check AS \"Value\" FROM pragma_integrity_check WHERE integrity_check <> 'ok'").ToListAsync(cancel))
        {
            yield return new("S01", "database", line);
        }

        foreach (var line in await db.Database.SqlQuery<string>($"SELECT \"table\" || ' row ' || COALESCE(rowid, '?') || ' refers to a row of ' || parent || ' that is not there' AS \"Value\" FROM pragma_foreign_key_check").ToListAsync(cancel))
        {
            yield return new("S01", "database", line);
        }
    }

    private static async IAsyncEnumerable<StoreFinding> OrdersAsync(CaDb db, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var page in StorePages.PagesAsync(last => db.Orders.Where(o => o.Id > last).OrderBy(o => o.Id), o => o.Id, cancel))
        {
            long[] ids = [.. page.Select(o => o.Id)];
            var certificates = (await db.Certificates.Where(c => ids.Contains(c.OrderId)).Select(c => new { c.OrderId, c.PublicId, c.AccountId, c.IssuedAt }).ToListAsync(cancel)).ToDictionary(c => c.OrderId);
            var worked = (await db.WorkItems.Where(w => w.Kind == WorkKind.Issue && ids.Contains(w.SubjectId)).Select(w => w.SubjectId).ToListAsync(cancel)).ToHashSet();
            var created = await EntriesOfAsync(db, AuditKinds.OrderCreated, page.Select(o => "order:" + o.PublicId), cancel);
            foreach (var order in page)
            {
                var subject = "order:" + order.PublicId;
                var certificate = certificates.GetValueOrDefault(order.Id);
                if (order.CertificateId is not null && (certificate?.PublicId != order.CertificateId || certificate.IssuedAt is null))
                {
                    yield return new("S02", subject, $"it is valid with the certificate {order.CertificateId}, which is not there, not issued, or another order's");
                }

                if (certificate is not null && certificate.AccountId != order.AccountId)
                {
                    yield return new("S02", subject, $"its certificate {certificate.PublicId} belongs to another account");
                }

                if (order.CertificateId is not null && (order.FinalizedAt is null || order.Error is not null))
                {
                    yield return new("S02", subject, order.Error is null ? "it is valid and was never finalized" : "it is valid and has an error");
                }

                if (order is { FinalizedAt: not null, CertificateId: null, Error: null } && !worked.Contains(order.Id))
                {
                    yield return new("S02", subject, "it is processing and nobody works at it: no issuance is queued");
                }

                if (created.GetValueOrDefault(subject) != 1)
                {
                    yield return new("S02", subject, $"the audit log has {created.GetValueOrDefault(subject)} entries of its creation; one was expected");
                }
            }
        }
    }

    private static async IAsyncEnumerable<StoreFinding> CertificatesAsync(CaDb db, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var page in StorePages.PagesAsync(last => db.Certificates.Where(c => c.Id > last).OrderBy(c => c.Id), c => c.Id, cancel))
        {
            long[] ids = [.. page.Select(c => c.OrderId)];
            var orders = (await db.Orders.Where(o => ids.Contains(o.Id)).Select(o => new { o.Id, o.PublicId, o.CertificateId, o.FinalizedAt, Failed = o.Error != null }).ToListAsync(cancel)).ToDictionary(o => o.Id);
            string[] subjects = [.. page.Select(c => "certificate:" + c.PublicId)];
            var intended = await EntriesOfAsync(db, AuditKinds.IssuanceIntended, orders.Values.Select(o => "order:" + o.PublicId), cancel);
            var issued = await EntriesOfAsync(db, AuditKinds.CertificateIssued, subjects, cancel);
            var revoked = await EntriesOfAsync(db, AuditKinds.CertificateRevoked, subjects, cancel);
            foreach (var certificate in page)
            {
                var subject = "certificate:" + certificate.PublicId;
                StoreFinding Finding(string message) => new("S03", subject, message);
                var order = orders.GetValueOrDefault(certificate.OrderId);
                var signed = certificate.Status is CertificateStatus.Issued or CertificateStatus.Revoked;
                if (signed != (certificate is { Der.Length: > 0, IssuedAt: not null }) || (signed && certificate.TbsDer.Length > 0) || (!signed && certificate.TbsDer.Length == 0))
                {
                    yield return Finding($"it is {certificate.Status} and has {certificate.Der?.Length ?? 0} octets signed and {certificate.TbsDer.Length} to be signed");
                }

                if (signed && order?.CertificateId != certificate.PublicId)
                {
                    yield return Finding($"it is {certificate.Status}, and its order {order?.PublicId} names {order?.CertificateId ?? "none"}");
                }

                if (certificate.Status == CertificateStatus.Intended && order is not { FinalizedAt: not null, CertificateId: null, Failed: false })
                {
                    yield return Finding($"it is intended, and its order {order?.PublicId} is not processing");
                }

                if ((certificate.Status == CertificateStatus.Revoked) != certificate.RevokedAt.HasValue || certificate.RevokedAt.HasValue != certificate.StatusChangedAt.HasValue)
                {
                    yield return Finding($"it is {certificate.Status} with a time of revocation {Text(certificate.RevokedAt)} and of its status {Text(certificate.StatusChangedAt)}");
                }

                var intents = order is null ? 0 : intended.GetValueOrDefault("order:" + order.PublicId);
                if (intents != 1)
                {
                    yield return Finding($"the audit log has {intents} entries of the intent to issue it; one was expected");
                }

                if (issued.GetValueOrDefault(subject) != (signed ? 1 : 0))
                {
                    yield return Finding($"it is {certificate.Status}, and the audit log has {issued.GetValueOrDefault(subject)} entries of its issuance");
                }

                if (revoked.GetValueOrDefault(subject) != (certificate.Status == CertificateStatus.Revoked ? 1 : 0))
                {
                    yield return Finding($"it is {certificate.Status}, and the audit log has {revoked.GetValueOrDefault(subject)} entries of its revocation");
                }
            }
        }
    }

    private static async IAsyncEnumerable<StoreFinding> AuthorizationsAsync(CaDb db, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var page in StorePages.PagesAsync(last => db.Authorizations.Include(a => a.Challenges).Where(a => a.Id > last).OrderBy(a => a.Id), a => a.Id, cancel))
        {
            long[] ids = [.. page.Select(a => a.Id)];
            var proved = (await db.ValidationRecords.Where(v => v.Succeeded && ids.Contains(v.AuthorizationId)).Select(v => v.AuthorizationId).ToListAsync(cancel)).ToHashSet();
            var worked = (await db.WorkItems.Where(w => w.Kind == WorkKind.Validate && ids.Contains(w.SubjectId)).Select(w => new { w.SubjectId, w.Ordinal }).ToListAsync(cancel))
                .Select(w => (w.SubjectId, w.Ordinal)).ToHashSet();
            foreach (var authorization in page)
            {
                var subject = "authorization:" + authorization.PublicId;
                if (authorization.Status == AuthorizationStatus.Valid && !authorization.Challenges.Any(c => c.Status == ChallengeStatus.Valid))
                {
                    yield return new("S04", subject, "it is valid and none of its challenges is");
                }

                if (authorization.ValidatedAt is not null && !proved.Contains(authorization.Id))
                {
                    yield return new("S04", subject, "it was validated and there is no evidence of a validation that succeeded");
                }

                foreach (var challenge in authorization.Challenges.Where(c => c.Status == ChallengeStatus.Processing && !worked.Contains((authorization.Id, c.Ordinal))))
                {
                    yield return new("S04", subject, $"its challenge {challenge.Type.Wire()} is processing and nobody works at it: no validation is queued");
                }
            }
        }
    }

    private static async IAsyncEnumerable<StoreFinding> WorkAsync(CaDb db, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var page in StorePages.PagesAsync(last => db.WorkItems.Where(w => w.Id > last).OrderBy(w => w.Id), w => w.Id, cancel))
        {
            long[] orderIds = [.. page.Where(w => w.Kind == WorkKind.Issue).Select(w => w.SubjectId)];
            long[] authorizationIds = [.. page.Where(w => w.Kind == WorkKind.Validate).Select(w => w.SubjectId)];
            var processing = (await db.Orders.Where(o => orderIds.Contains(o.Id) && o.FinalizedAt != null && o.CertificateId == null && o.Error == null).Select(o => o.Id).ToListAsync(cancel)).ToHashSet();
            var challenges = (await db.Challenges.Where(c => authorizationIds.Contains(c.AuthorizationId) && c.Status == ChallengeStatus.Processing).Select(c => new { c.AuthorizationId, c.Ordinal }).ToListAsync(cancel))
                .Select(c => (c.AuthorizationId, c.Ordinal)).ToHashSet();
            foreach (var item in page.Where(w => w.Kind switch
            {
                WorkKind.Issue => !processing.Contains(w.SubjectId),
                WorkKind.Validate => !challenges.Contains((w.SubjectId, w.Ordinal)),
                _ => false,
            }))
            {
                yield return new("S05", "work:" + item.Id.ToString(CultureInfo.InvariantCulture), $"it is to {item.Kind} {item.SubjectId}/{item.Ordinal}, which does not wait for that");
            }
        }
    }

    private static async IAsyncEnumerable<StoreFinding> BlockedKeysAsync(CaDb db, [EnumeratorCancellation] CancellationToken cancel)
    {
        var unblocked = db.Certificates.Where(c => c.RevocationReason == IssuedCertificate.KeyCompromise && !db.BlockedKeys.Any(b => b.Fingerprint == c.KeyFingerprint));
        await foreach (var page in StorePages.PagesAsync(last => unblocked.Where(c => c.Id > last).OrderBy(c => c.Id).Select(c => new { c.Id, c.PublicId, c.KeyFingerprint }), c => c.Id, cancel))
        {
            foreach (var certificate in page)
            {
                yield return new("S06", "certificate:" + certificate.PublicId, $"it is revoked for the compromise of its key {certificate.KeyFingerprint}, which is not blocked");
            }
        }
    }

    private static async IAsyncEnumerable<StoreFinding> AccountsAsync(CaDb db, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var page in StorePages.PagesAsync(last => db.Accounts.Include(a => a.Keys).Where(a => a.Id > last).OrderBy(a => a.Id), a => a.Id, cancel))
        {
            var created = await EntriesOfAsync(db, AuditKinds.AccountCreated, page.Select(a => "account:" + a.PublicId), cancel);
            foreach (var account in page)
            {
                var subject = "account:" + account.PublicId;
                if (account.Keys.MaxBy(k => k.Id)?.Thumbprint != account.CurrentThumbprint)
                {
                    yield return new("S07", subject, $"its present key {account.CurrentThumbprint} is not the newest of its {account.Keys.Count} keys");
                }

                if (account.IsValid == account.ClosedAt.HasValue)
                {
                    yield return new("S07", subject, $"it is {account.Status} and was closed at {Text(account.ClosedAt)}");
                }

                if (created.GetValueOrDefault(subject) != 1)
                {
                    yield return new("S07", subject, $"the audit log has {created.GetValueOrDefault(subject)} entries of its creation; one was expected");
                }
            }
        }
    }

    private static async IAsyncEnumerable<StoreFinding> ListNumbersAsync(CaDb db, [EnumeratorCancellation] CancellationToken cancel)
    {
        foreach (var lists in (await db.Crls.Select(c => new { c.IssuerId, c.Shard, c.Number, c.ThisUpdate }).ToListAsync(cancel)).GroupBy(c => (c.IssuerId, c.Shard)))
        {
            var before = default(DateTimeOffset);
            foreach (var list in lists.OrderBy(l => l.Number))
            {
                if (list.ThisUpdate < before)
                {
                    yield return new("S08", "issuer:" + list.IssuerId, $"the list {list.Number} of part {list.Shard} is of {Text(list.ThisUpdate)}, before the one with the number below it");
                }

                before = list.ThisUpdate;
            }
        }
    }

    private static async IAsyncEnumerable<StoreFinding> EntriesAsync(CaDb db, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var page in StorePages.PagesAsync(last => db.AuditEntries.Where(e => e.Id > last).OrderBy(e => e.Id), e => e.Id, cancel))
        {
            foreach (var entry in page.Where(e => !IsObjectOfTexts(e.Facts)))
            {
                yield return new("S09", "entry:" + entry.Id.ToString(CultureInfo.InvariantCulture), "its facts are no JSON object of texts");
            }
        }
    }

    private static bool IsObjectOfTexts(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.EnumerateObject().All(p => p.Value.ValueKind == JsonValueKind.String);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static async Task<Dictionary<string, int>> EntriesOfAsync(CaDb db, string kind, IEnumerable<string> subjects, CancellationToken cancel)
    {
        string[] all = [.. subjects];
        return await db.AuditEntries.Where(e => e.Kind == kind && all.Contains(e.Subject)).GroupBy(e => e.Subject).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, cancel);
    }

    private static string Text(DateTimeOffset? at) => at?.ToString("O", CultureInfo.InvariantCulture) ?? "none";
}

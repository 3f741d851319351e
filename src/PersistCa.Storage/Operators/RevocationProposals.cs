using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Certificates;

namespace PersistCa.Storage.Operators;

/// <summary>A certificate that matches, in few words.</summary>
/// <param name="Serial">Serial number, lower-case hex.</param>
/// <param name="Names">Its names.</param>
public sealed record MatchedCertificate(string Serial, IReadOnlyList<string> Names);

/// <summary>A revocation that is announced.</summary>
/// <param name="Since">When it was proposed.</param>
/// <param name="ExplanationUrl">A page that says why; null for none of its own.</param>
public sealed record PlannedRevocation(DateTimeOffset Since, string? ExplanationUrl);

/// <summary>What is asked of the store about bulk revocations.</summary>
public static class RevocationProposals
{
    /// <summary>Serial numbers in one query: databases limit parameters.</summary>
    private const int SerialsAtOnce = 1000;

    /// <summary>
    /// The certificates that a revocation would change: those that are good and, where it is for keyCompromise, those revoked for something else (Baseline
    /// Requirements section 7.2.2). What has ended is left alone.
    /// </summary>
    /// <param name="db">The model.</param>
    /// <param name="kind">By what they are chosen; not a list of serial numbers.</param>
    /// <param name="criterion">The fingerprint, id, name, or "*." and a name.</param>
    /// <param name="reason">The reason it would be for.</param>
    /// <param name="now">The time.</param>
    public static IQueryable<IssuedCertificate> Matching(this CaDb db, CriterionKind kind, string criterion, int? reason, DateTimeOffset now)
    {
        var open = db.Changeable(reason, now);
        return kind switch
        {
            CriterionKind.Key => open.Where(c => c.KeyFingerprint == criterion),
            CriterionKind.Account => open.Where(c => db.Accounts.Any(a => a.Id == c.AccountId && a.PublicId == criterion)),
            CriterionKind.Issuer => open.Where(c => c.IssuerId == criterion),
            CriterionKind.Name when criterion.StartsWith("*.", StringComparison.Ordinal) => Under(criterion[1..]),
            CriterionKind.Name => open.Where(c => db.Orders.Any(o => o.Id == c.OrderId && o.Names.Contains(criterion))),
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };

#pragma warning disable CA1310 // becomes SQL, which compares octets and knows no other way
        IQueryable<IssuedCertificate> Under(string suffix) => open.Where(c => db.Orders.Any(o => o.Id == c.OrderId && o.Names.Any(n => n.EndsWith(suffix))));
#pragma warning restore CA1310
    }

    /// <summary>The certificates of serial numbers that a revocation would change.</summary>
    public static async Task<List<IssuedCertificate>> MatchingSerialsAsync(this CaDb db, IReadOnlyCollection<string> serials, int? reason, DateTimeOffset now, CancellationToken cancel)
    {
        var found = new List<IssuedCertificate>(serials.Count);
        foreach (var some in serials.Chunk(SerialsAtOnce))
        {
            found.AddRange(await db.Changeable(reason, now).Where(c => some.Contains(c.Serial)).ToListAsync(cancel));
        }

        return found;
    }

    /// <summary>Of serial numbers those that no certificate here has.</summary>
    public static async Task<IReadOnlyList<string>> UnknownSerialsAsync(this CaDb db, IReadOnlyCollection<string> serials, CancellationToken cancel)
    {
        var unknown = serials.ToHashSet();
        foreach (var some in serials.Chunk(SerialsAtOnce))
        {
            unknown.ExceptWith(await db.Certificates.Where(c => some.Contains(c.Serial) && c.IssuedAt != null).Select(c => c.Serial).ToListAsync(cancel));
        }

        return [.. unknown.Order(StringComparer.Ordinal)];
    }

    /// <summary>The first certificates of serial numbers, with their names.</summary>
    public static async Task<IReadOnlyList<MatchedCertificate>> NamedAsync(this CaDb db, IEnumerable<string> serials, int most, CancellationToken cancel)
    {
        var first = serials.Order(StringComparer.Ordinal).Take(Math.Min(most, SerialsAtOnce)).ToArray();
        var found = await db.Certificates.Where(c => first.Contains(c.Serial))
            .Join(db.Orders, c => c.OrderId, o => o.Id, (c, o) => new { c.Serial, o.Names }).ToListAsync(cancel);
        return [.. found.OrderBy(f => f.Serial, StringComparer.Ordinal).Select(f => new MatchedCertificate(f.Serial, f.Names))];
    }

    /// <summary>SHA-256 over serial numbers, sorted by their octets, a line feed after each; lower-case hex.</summary>
    public static string DigestOf(IEnumerable<string> serials)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var serial in serials.Order(StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.ASCII.GetBytes(serial + "\n"));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The proposal of an id, held until this transaction ends: of two that approve it, or carry it out, one comes after the other.</summary>
    public static async Task<RevocationProposal?> HoldProposalAsync(this StoreTransaction t, string publicId, CancellationToken cancel) => t.Db.Kind == StoreKind.PostgreSql
        ? (await t.Db.RevocationProposals.FromSql(FormattableStringFactory.Create("SELECT * FROM revocation_proposals WHERE public_id = {0} FOR UPDATE", publicId)).ToListAsync(cancel)).FirstOrDefault()
        : await t.Db.RevocationProposals.FirstOrDefaultAsync(p => p.PublicId == publicId, cancel);

    /// <summary>Serial numbers of a proposal.</summary>
    public static Task<List<string>> SerialsOfAsync(this CaDb db, long proposalId, CancellationToken cancel) =>
        db.RevocationItems.Where(i => i.ProposalId == proposalId).Select(i => i.Serial).ToListAsync(cancel);

    /// <summary>The planned revocation that a certificate is to be renewed for: the first that was proposed, and has neither lapsed nor been carried out for it. Null when there is none.</summary>
    public static Task<PlannedRevocation?> PlannedRevocationAsync(this CaDb db, string serial, DateTimeOffset now, CancellationToken cancel) => db.RevocationItems
        .Where(i => i.Serial == serial && i.DoneAt == null)
        .Join(db.RevocationProposals, i => i.ProposalId, p => p.Id, (i, p) => p)
        .Where(p => p.PlannedFor != null && p.FinishedAt == null && (p.StartedAt != null || p.Approver != null || p.Matched <= p.AloneUpTo || p.ExpiresAt > now))
        .OrderBy(p => p.Id)
        .Select(p => new PlannedRevocation(p.CreatedAt, p.ExplanationUrl))
        .FirstOrDefaultAsync(cancel);

    /// <summary>The page that was given with the planned revocation by which a certificate was revoked; null for none.</summary>
    public static Task<string?> RevocationPageAsync(this CaDb db, string serial, CancellationToken cancel) => db.RevocationItems
        .Where(i => i.Serial == serial && i.DoneAt != null)
        .Join(db.RevocationProposals, i => i.ProposalId, p => p.Id, (i, p) => p)
        .Where(p => p.ExplanationUrl != null)
        .OrderBy(p => p.Id)
        .Select(p => p.ExplanationUrl)
        .FirstOrDefaultAsync(cancel);

    /// <summary>Proposals whose planned time has come and that are decided, the oldest first.</summary>
    public static Task<List<string>> DueProposalsAsync(this CaDb db, DateTimeOffset now, CancellationToken cancel) => db.RevocationProposals
        .Where(p => p.PlannedFor != null && p.PlannedFor <= now && p.StartedAt == null && p.FinishedAt == null && (p.Approver != null || p.Matched <= p.AloneUpTo))
        .OrderBy(p => p.Id).Select(p => p.PublicId).ToListAsync(cancel);

    /// <summary>Proposals that were decided and are not carried out, and at which nobody has been since a time; the oldest first.</summary>
    public static Task<List<string>> StandingStillAsync(this CaDb db, DateTimeOffset since, CancellationToken cancel) => db.RevocationProposals
        .Where(p => p.StartedAt != null && p.FinishedAt == null && p.ProgressAt <= since).OrderBy(p => p.Id).Select(p => p.PublicId).ToListAsync(cancel);

    private static IQueryable<IssuedCertificate> Changeable(this CaDb db, int? reason, DateTimeOffset now) => reason == IssuedCertificate.KeyCompromise
        ? db.Certificates.Where(c => c.NotAfter >= now
            && (c.Status == CertificateStatus.Issued || (c.Status == CertificateStatus.Revoked && c.RevocationReason != IssuedCertificate.KeyCompromise)))
        : db.Certificates.Where(c => c.NotAfter >= now && c.Status == CertificateStatus.Issued);
}

using Microsoft.EntityFrameworkCore;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;

namespace PersistCa.Server.Registration;

/// <summary>Which entries are looked for; what is null does not matter.</summary>
public sealed record AuditFilter
{
    /// <summary>One of the closed list of kinds.</summary>
    public string? Kind { get; init; }

    /// <summary>Who brought it about.</summary>
    public string? Actor { get; init; }

    /// <summary>What it happened to.</summary>
    public string? Subject { get; init; }

    /// <summary>At or after this.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Before this.</summary>
    public DateTimeOffset? Until { get; init; }
}

/// <summary>The audit log as operators see it. Nothing changes it.</summary>
public sealed class AuditLook(CaStore store)
{
    /// <summary>Entries, the newest first.</summary>
    public async Task<Paged<AuditEntry>> ListAsync(OperatorIdentity who, AuditFilter filter, PageWish page, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        var below = page.Below;
        return Paged.Of(
            await store.ReadAsync(
                db =>
                {
                    var rows = db.AuditEntries.Where(e => e.Id < below);
                    rows = filter.Kind is { } kind ? rows.Where(e => e.Kind == kind) : rows;
                    rows = filter.Actor is { } actor ? rows.Where(e => e.Actor == actor) : rows;
                    rows = filter.Subject is { } subject ? rows.Where(e => e.Subject == subject) : rows;
                    rows = filter.From is { } from ? rows.Where(e => e.At >= from) : rows;
                    rows = filter.Until is { } until ? rows.Where(e => e.At < until) : rows;
                    return rows.OrderByDescending(e => e.Id).Take(page.Size + 1).ToListAsync(cancel);
                },
                cancel),
            page,
            e => e.Id);
    }
}

using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Storage.AuditLog;

namespace PersistCa.Storage.Nodes;

/// <summary>Who has which duty, and since which epoch.</summary>
/// <param name="factory">Makes contexts.</param>
/// <param name="store">The way to write.</param>
public sealed class DutyBook(IDbContextFactory<CaDb> factory, CaStore store)
{
    /// <summary>CRLs, OCSP answers ahead of questions, bulk revocations that stand still, retention.</summary>
    public const string Periodic = "periodic";

    /// <summary>Takes a duty. Only for the node that has the lock which goes with it, or where another's time is up.</summary>
    /// <param name="name">The duty.</param>
    /// <param name="node">Name of this node.</param>
    /// <param name="hold">How long others leave it to this node; null where a lock says that.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>The epoch; null when another node has it.</returns>
    public async Task<long?> TakeAsync(string name, string node, TimeSpan? hold, CancellationToken cancel)
    {
        var outcome = await store.WriteAsync<Duty>(
            Actor.Server,
            async t =>
            {
                var duty = await FindAsync(t, name, "FOR UPDATE", cancel);
                if (hold is not null && duty is not null && duty.Holder != node && duty.HeldUntil > t.Now)
                {
                    return new AcmeProblem(ProblemCatalog.ServerInternal, "another node has this duty");
                }

                if (duty is null)
                {
                    t.Db.Duties.Add(duty = new Duty { Name = name, Holder = node });
                }

                duty.Epoch++;
                duty.Holder = node;
                duty.TakenAt = t.Now;
                duty.HeldUntil = t.Now + (hold ?? TimeSpan.Zero);
                t.Audit(AuditKinds.DutyTaken, "duty:" + name, ("node", node), ("epoch", duty.Epoch.ToString(CultureInfo.InvariantCulture)));
                return duty;
            },
            cancel);
        return outcome.IsRefused ? null : outcome.Value.Epoch;
    }

    /// <summary>Holds a duty longer.</summary>
    /// <returns>False when another node took it.</returns>
    public async Task<bool> KeepAsync(string name, long epoch, TimeSpan hold, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var until = store.Now + hold;
        return await db.Duties.Where(d => d.Name == name && d.Epoch == epoch).ExecuteUpdateAsync(s => s.SetProperty(d => d.HeldUntil, until), cancel) == 1;
    }

    /// <summary>Gives a duty up, so that another node need not wait.</summary>
    public async Task LeaveAsync(string name, long epoch, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var past = DateTimeOffset.UnixEpoch;
        await db.Duties.Where(d => d.Name == name && d.Epoch == epoch).ExecuteUpdateAsync(s => s.SetProperty(d => d.HeldUntil, past), cancel);
    }

    /// <summary>Whether a duty is still that of an epoch, asked inside the transaction that does it: nobody takes it before the transaction has ended.</summary>
    public static async Task<bool> HoldsAsync(StoreTransaction transaction, string name, long epoch, CancellationToken cancel) =>
        (await FindAsync(transaction, name, "FOR SHARE", cancel))?.Epoch == epoch;

    private static async Task<Duty?> FindAsync(StoreTransaction t, string name, string hold, CancellationToken cancel) => t.Db.Kind == StoreKind.PostgreSql
        ? (await t.Db.Duties.FromSql(FormattableStringFactory.Create("SELECT * FROM duties WHERE name = {0} " + hold, name)).ToListAsync(cancel)).FirstOrDefault()
        : await t.Db.Duties.FirstOrDefaultAsync(d => d.Name == name, cancel);
}

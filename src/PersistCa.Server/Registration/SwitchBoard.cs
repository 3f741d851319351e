using System.Collections.Frozen;
using Microsoft.EntityFrameworkCore;
using PersistCa.Storage;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Registration;

/// <summary>What operators switched off while the server runs.</summary>
/// <param name="Profiles">Names of profiles that are withdrawn.</param>
/// <param name="Issuers">Ids of issuers that sign no certificates of subscribers.</param>
public sealed record SwitchState(FrozenSet<string> Profiles, FrozenSet<string> Issuers)
{
    /// <summary>Nothing is.</summary>
    public static readonly SwitchState AllOn = new(FrozenSet<string>.Empty, FrozenSet<string>.Empty);
}

/// <summary>
/// What this node knows of the switches, which are kept in the store for all nodes. Whoever decides looks inside the deciding transaction; what is only shown,
/// such as the directory, may be as old as Operators:SwitchInterval.
/// </summary>
public sealed class SwitchBoard
{
    private readonly Lock gate = new();
    private long asked;
    private long answered;
    private volatile SwitchState current = SwitchState.AllOn;

    /// <summary>As this node saw them last.</summary>
    public SwitchState Current => current;

    /// <summary>Looks.</summary>
    public async Task<SwitchState> LookAsync(CaDb db, CancellationToken cancel)
    {
        // Of two that look at once, the one who asked first must not have the last word.
        var ticket = Interlocked.Increment(ref asked);
        var rows = await db.RuntimeSwitches.AsNoTracking().ToListAsync(cancel);
        return Learn(ticket, [.. rows.Select(r => (r.Kind, r.Name))]);
    }

    /// <summary>Asks together with other questions; what is returned takes the answer.</summary>
    public Func<SwitchState> Ask(StoreReads reads)
    {
        var ticket = Interlocked.Increment(ref asked);
        var found = reads.Switches();
        return () => Learn(ticket, found.Value);
    }

    private SwitchState Learn(long ticket, IReadOnlyList<(SwitchKind Kind, string Name)> rows)
    {
        lock (gate)
        {
            if (ticket > answered)
            {
                answered = ticket;
                current = rows.Count == 0 ? SwitchState.AllOn : new SwitchState(Names(SwitchKind.Profile), Names(SwitchKind.Issuer));
            }

            return current;
        }

        FrozenSet<string> Names(SwitchKind kind) => rows.Where(r => r.Kind == kind).Select(r => r.Name).ToFrozenSet(StringComparer.Ordinal);
    }
}

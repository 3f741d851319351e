using Microsoft.EntityFrameworkCore;

namespace PersistCa.Storage.Operators;

/// <summary>What can be switched off while the server runs.</summary>
public enum SwitchKind
{
    /// <summary>A profile, by its name: not offered any more.</summary>
    Profile = 1,

    /// <summary>An issuer, by its id: signs no certificates of subscribers any more; its lists and answers go on.</summary>
    Issuer = 2,
}

/// <summary>Something that is switched off, on all nodes. What has no row is on.</summary>
public sealed class RuntimeSwitch
{
    public SwitchKind Kind { get; init; }

    /// <summary>Name of the profile, or id of the issuer.</summary>
    public required string Name { get; init; }

    public DateTimeOffset OffSince { get; init; }
}

/// <summary>Switches things.</summary>
public static class RuntimeSwitches
{
    /// <summary>Switches something off, or on again, inside a change.</summary>
    /// <returns>False when it was so already.</returns>
    public static async Task<bool> SwitchAsync(this StoreTransaction t, SwitchKind kind, string name, bool on, CancellationToken cancel)
    {
        var row = await t.Db.RuntimeSwitches.FirstOrDefaultAsync(s => s.Kind == kind && s.Name == name, cancel);
        if (on == row is null)
        {
            return false;
        }

        if (row is not null)
        {
            t.Db.RuntimeSwitches.Remove(row);
        }
        else
        {
            t.Db.RuntimeSwitches.Add(new RuntimeSwitch { Kind = kind, Name = name, OffSince = t.Now });
        }

        return true;
    }
}

using System.Collections.Immutable;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Records;

/// <summary>
/// At which names a record for a name may stand (dns-persist-01 rules, section 6 items 1 and 4): at the name itself and, with policy=wildcard, at each
/// ancestor down to the registrable domain or a configured floor, never above.
/// </summary>
public sealed class PersistScope
{
    /// <summary>Most names asked for, the name itself included.</summary>
    public const int DefaultMaxNames = 8;

    private readonly PublicSuffixList? suffixes;
    private readonly ImmutableArray<DnsName> floors;
    private readonly int maxNames;

    private PersistScope(PublicSuffixList? suffixes, ImmutableArray<DnsName> floors, int maxNames)
    {
        this.suffixes = suffixes;
        this.floors = floors;
        this.maxNames = maxNames;
    }

    /// <summary>Records count at the name itself only, as the Baseline Requirements have it.</summary>
    public static PersistScope NameOnly { get; } = new(null, [], 1);

    /// <summary>Records count at ancestors too.</summary>
    /// <param name="suffixes">Tells the registrable domain of a name.</param>
    /// <param name="floors">
    /// For private zones: the highest name at which a record may stand for the names under it, in place of the registrable domain. The longest that covers a
    /// name is its floor.
    /// </param>
    /// <param name="maxNames">Most names asked for, nearest first.</param>
    public static PersistScope WithAncestors(PublicSuffixList suffixes, IEnumerable<DnsName> floors, int maxNames = DefaultMaxNames)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxNames, 1);
        return new PersistScope(suffixes, [.. floors.OrderByDescending(f => f.LabelCount)], maxNames);
    }

    /// <summary>The names at which a record may stand, nearest first; the first is the name itself.</summary>
    public ImmutableArray<DnsName> NamesFor(DnsName name)
    {
        if (maxNames == 1 || Highest(name) is not { } highest || highest.Equals(name))
        {
            return [name];
        }

        var names = ImmutableArray.CreateBuilder<DnsName>();
        names.Add(name);
        foreach (var ancestor in name.Ancestors())
        {
            if (names.Count == maxNames)
            {
                break;
            }

            names.Add(ancestor);
            if (ancestor.Equals(highest))
            {
                break;
            }
        }

        return names.ToImmutable();
    }

    private DnsName? Highest(DnsName name)
    {
        foreach (var floor in floors)
        {
            if (name.IsWithin(floor))
            {
                return floor;
            }
        }

        return suffixes?.RegistrableDomain(name);
    }
}

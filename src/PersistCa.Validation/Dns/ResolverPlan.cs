using System.Collections.Frozen;
using System.Collections.Immutable;
using PersistCa.Protocol;
using PersistCa.Validation.Dns.Wire;

namespace PersistCa.Validation.Dns;

/// <summary>Which resolvers answer for which names, and whose word on DNSSEC counts: the options, read and checked. Pure.</summary>
internal sealed class ResolverPlan
{
    private readonly ImmutableArray<Route> routes;

    private ResolverPlan(DnsOptions options, ImmutableArray<ResolverAddress> general, ImmutableArray<Route> routes, FrozenSet<ResolverAddress> trusted, Dnssec.TrustAnchors anchors)
    {
        Options = options;
        General = general;
        this.routes = routes;
        Trusted = trusted;
        Anchors = anchors;
    }

    /// <summary>The options it was made of.</summary>
    public DnsOptions Options { get; }

    /// <summary>Resolvers for all names without a zone of their own.</summary>
    public ImmutableArray<ResolverAddress> General { get; }

    /// <summary>Resolvers whose word counts besides those on loopback.</summary>
    public FrozenSet<ResolverAddress> Trusted { get; }

    /// <summary>What chains of signatures start from.</summary>
    public Dnssec.TrustAnchors Anchors { get; }

    /// <summary>Every resolver once.</summary>
    public IEnumerable<ResolverAddress> All => General.Concat(routes.SelectMany(r => r.Resolvers)).Distinct();

    /// <summary>Reads the options.</summary>
    /// <returns>The plan, or the reason why the options cannot be used.</returns>
    public static Parsed<ResolverPlan> Read(DnsOptions options)
    {
        if (options.FirstOutOfRange() is { } outside)
        {
            return Parsed<ResolverPlan>.Refused(outside);
        }

        string? fault = null;
        var general = options.Resolvers.Count > 0 ? Addresses(options.Resolvers, ref fault) : SystemResolvers.ReadFile(options.SystemResolversFile);
        if (general.IsEmpty)
        {
            fault ??= $"no resolver is configured and {options.SystemResolversFile} names none; at least one was expected";
        }

        var routes = ImmutableArray.CreateBuilder<Route>();
        foreach (var zone in options.Zones)
        {
            var name = ZoneName(zone.Zone, ref fault);
            var resolvers = Addresses(zone.Resolvers, ref fault);
            fault ??= resolvers.IsEmpty ? $"the zone '{zone.Zone}' has no resolver; at least one was expected"
                : routes.Any(r => DnsWireName.Same(r.Zone, name)) ? $"the zone '{zone.Zone}' is configured twice"
                : null;
            routes.Add(new Route(name, resolvers));
        }

        foreach (var zone in options.InsecureZones.Where(z => z != "."))
        {
            _ = ZoneName(zone, ref fault);
        }

        var anchors = Dnssec.TrustAnchors.Create(options.TrustAnchors, options.InsecureZones);
        fault ??= anchors.Reason;

        var trusted = Addresses(options.TrustedResolvers, ref fault).ToFrozenSet();
        return fault is null
            ? Parsed<ResolverPlan>.Ok(new ResolverPlan(options, general, [.. routes.OrderByDescending(r => r.Zone.Length)], trusted, anchors.Value!))
            : Parsed<ResolverPlan>.Refused(fault);
    }

    /// <summary>Who is asked for a name, and which zone it counts to.</summary>
    public Route For(string name)
    {
        // The longest comes first, and of two zones that hold one name the longer has more labels.
        foreach (var route in routes)
        {
            if (DnsWireName.IsWithin(name, route.Zone))
            {
                return route;
            }
        }

        return new Route(LastTwoLabels(name), General);
    }

    private static string LastTwoLabels(string name)
    {
        var last = name.LastIndexOf('.');
        var before = last > 0 ? name.LastIndexOf('.', last - 1) : -1;
        return name[(before + 1)..].ToLowerInvariant();
    }

    private static ImmutableArray<ResolverAddress> Addresses(IReadOnlyList<string> texts, ref string? fault)
    {
        var read = ImmutableArray.CreateBuilder<ResolverAddress>(texts.Count);
        foreach (var text in texts)
        {
            var address = ResolverAddress.Parse(text);
            if (address.IsValid)
            {
                read.Add(address.Value);
            }

            fault ??= address.Reason;
        }

        return read.ToImmutable();
    }

    private static string ZoneName(string text, ref string? fault)
    {
        var name = text.EndsWith('.') ? text[..^1] : text;
        var written = name.Length == 0 ? Parsed<byte[]>.Refused("it is empty") : DnsWireName.Write(name);
        fault ??= written.IsValid ? null : $"'{text}' is not a zone: {written.Reason}";
        return name.ToLowerInvariant();
    }
}

/// <summary>Resolvers for names of one zone.</summary>
/// <param name="Zone">The zone, in lower case, by which places are shared out.</param>
/// <param name="Resolvers">Its resolvers.</param>
internal sealed record Route(string Zone, ImmutableArray<ResolverAddress> Resolvers);

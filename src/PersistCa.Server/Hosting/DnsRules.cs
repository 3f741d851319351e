using PersistCa.Protocol.Identifiers;
using PersistCa.Validation.Dns;
using PersistCa.Validation.Dnssec;

namespace PersistCa.Server.Hosting;

/// <summary>What the values of section Validation:Dns may be. Pure.</summary>
internal static class DnsRules
{
    /// <summary>Nobody judges signatures.</summary>
    public const string Off = "off";

    /// <summary>The resolvers do.</summary>
    public const string TrustedResolver = "trusted-resolver";

    /// <summary>This server does, and nobody's word counts.</summary>
    public const string Validate = "validate";

    private const string Section = "Validation:Dns:";

    /// <summary>The mode by its word; null for another word.</summary>
    public static DnssecMode? Mode(string word) => word switch
    {
        Off => DnssecMode.Off,
        TrustedResolver => DnssecMode.TrustedResolver,
        Validate => DnssecMode.Validate,
        _ => null,
    };

    /// <summary>Checks all values.</summary>
    public static IEnumerable<ConfigurationFault> Check(DnsLookupOptions d) =>
        Resolvers("Resolvers", d.Resolvers)
            .Concat(d.Zones.SelectMany((z, i) => Zone($"Zones:{i}", z)))
            .Concat(Resolvers("TrustedResolvers", d.TrustedResolvers))
            .Concat(d.InsecureZones.Where(z => z != "." || Mode(d.Dnssec) != DnssecMode.Validate).SelectMany(z => Name("InsecureZones", z)))
            .Concat(Dnssec(d))
            .Concat(Ranges(d));

    private static IEnumerable<ConfigurationFault> Ranges(DnsLookupOptions d)
    {
        if (d.Timeout > d.OverallTimeout)
        {
            yield return new(Section + "Timeout", $"{d.Timeout} is longer than {Section}OverallTimeout, {d.OverallTimeout}; make it shorter");
        }

        var second = TimeSpan.FromSeconds(1);
        var least = TimeSpan.FromMilliseconds(50);
        var ranges = OptionRules.Range(Section + "Timeout", d.Timeout, least, 30 * second)
            .Concat(OptionRules.Range(Section + "OverallTimeout", d.OverallTimeout, least, 60 * second))
            .Concat(OptionRules.Range(Section + "SharedOwnerGrace", d.SharedOwnerGrace, TimeSpan.Zero, 60 * second))
            .Concat(OptionRules.Range(Section + "Retries", d.Retries, 0, 10))
            .Concat(OptionRules.Range(Section + "Concurrency", d.Concurrency, 1, 10_000))
            .Concat(OptionRules.Range(Section + "ConcurrencyPerZone", d.ConcurrencyPerZone, 1, 10_000))
            .Concat(OptionRules.Range(Section + "FailuresUntilCooling", d.FailuresUntilCooling, 1, 1000))
            .Concat(OptionRules.Range(Section + "Chain:MaxLookups", d.Chain.MaxLookups, 1, 1000))
            .Concat(OptionRules.Range(Section + "Chain:MaxSignatureChecks", d.Chain.MaxSignatureChecks, 1, 10_000))
            .Concat(OptionRules.Range(Section + "Chain:MaxKeys", d.Chain.MaxKeys, 1, 1000))
            .Concat(OptionRules.Range(Section + "Chain:MaxNsec3Iterations", d.Chain.MaxNsec3Iterations, 0, 500))
            .Concat(OptionRules.Range(Section + "Chain:CacheTime", d.Chain.CacheTime, TimeSpan.Zero, TimeSpan.FromDays(1)))
            .Concat(OptionRules.Range(Section + "Chain:CacheEntries", d.Chain.CacheEntries, 1, 1_000_000))
            .Concat(OptionRules.Range(Section + "CoolingTime", d.CoolingTime, TimeSpan.Zero, 3600 * second));
        foreach (var fault in ranges)
        {
            yield return fault;
        }
    }

    private static IEnumerable<ConfigurationFault> Dnssec(DnsLookupOptions d)
    {
        switch (Mode(d.Dnssec))
        {
            case null:
                yield return new(Section + "Dnssec", $"there is no mode '{d.Dnssec}'; there are {Off}, {TrustedResolver} and {Validate}");
                yield break;
            case DnssecMode.Off when d.RequireSecure:
                yield return new(Section + "RequireSecure", $"it is set while {Section}Dnssec is {Off}, so that no answer would ever do; set {Section}Dnssec to {TrustedResolver} or {Validate}");
                yield break;
            case DnssecMode.Off or DnssecMode.TrustedResolver when d.TrustAnchors.Count > 0:
                yield return new(Section + "TrustAnchors", $"they are given while {Section}Dnssec is {d.Dnssec}, where nothing is checked by them; set {Section}Dnssec to {Validate} or take them away");
                yield break;
            case DnssecMode.Off:
                yield break;
            case DnssecMode.Validate:
                foreach (var fault in Anchors(d))
                {
                    yield return fault;
                }

                yield break;
        }

        foreach (var (key, name, what) in new[]
        {
            ("SelfTestSecureName", d.SelfTestSecureName, "a name in a zone that is signed, such as example.com"),
            ("SelfTestBogusName", d.SelfTestBogusName, "a name whose signatures are wrong on purpose, such as dnssec-failed.org"),
        })
        {
            if (name.Length == 0)
            {
                yield return new(Section + key, $"it is empty while {Section}Dnssec is {TrustedResolver}; write {what}: the start asks for it to find out whether the resolvers validate");
            }
            else
            {
                foreach (var fault in Name(key, name))
                {
                    yield return fault;
                }
            }
        }

        var trusted = d.TrustedResolvers.Select(ResolverAddress.Parse).Where(a => a.IsValid).Select(a => a.Value).ToHashSet();
        foreach (var resolver in d.Resolvers.Select(ResolverAddress.Parse).Where(a => a.IsValid && !a.Value.IsLoopback && !trusted.Contains(a.Value)))
        {
            yield return new(
                Section + "TrustedResolvers",
                $"{resolver.Value} of {Section}Resolvers is not among them; in mode {TrustedResolver} list every resolver that is not on loopback, if the way to it is secure");
        }
    }

    private static IEnumerable<ConfigurationFault> Anchors(DnsLookupOptions d)
    {
        var wrong = d.TrustAnchors.Select(TrustAnchors.Check).Where(a => !a.IsValid).ToList();
        foreach (var anchor in wrong)
        {
            yield return new(Section + "TrustAnchors", anchor.Reason!);
        }

        if (wrong.Count == 0 && d.InsecureZones.All(z => z == "." || DnsName.Parse(z).IsValid) && TrustAnchors.Create(d.TrustAnchors, d.InsecureZones) is { IsValid: false } together)
        {
            yield return new(Section + "InsecureZones", $"{together.Reason}; take one of the two away");
        }
    }

    private static IEnumerable<ConfigurationFault> Zone(string key, DnsZoneOptions zone)
    {
        var faults = Name(key + ":Zone", zone.Zone).Concat(Resolvers(key + ":Resolvers", zone.Resolvers));
        return zone.Resolvers.Count > 0 ? faults : faults.Append(new(Section + key + ":Resolvers", "it is empty; name one resolver at least"));
    }

    private static IEnumerable<ConfigurationFault> Name(string key, string name)
    {
        var parsed = DnsName.Parse(name);
        if (!parsed.IsValid)
        {
            yield return new(Section + key, $"'{name}' is not a domain name: {parsed.Reason}");
        }
    }

    private static IEnumerable<ConfigurationFault> Resolvers(string key, List<string> resolvers)
    {
        foreach (var resolver in resolvers)
        {
            if (ResolverAddress.Parse(resolver) is { IsValid: false } wrong)
            {
                yield return new(Section + key, $"'{resolver}' is not a resolver: {wrong.Reason}");
            }
        }
    }
}

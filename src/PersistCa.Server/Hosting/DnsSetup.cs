using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PersistCa.Protocol.Records;
using PersistCa.Validation.Dns;
using PersistCa.Validation.Dnssec;

namespace PersistCa.Server.Hosting;

/// <summary>Makes the resolver from the configuration, and tries it before anything rests on it.</summary>
internal static class DnsSetup
{
    /// <summary>Makes the resolver.</summary>
    /// <exception cref="StartRefusedException">The system names no resolver, or a file cannot be read.</exception>
    public static StubResolver Create(DnsLookupOptions dns, PersistPolicy policy, TimeProvider clock)
    {
        var resolver = StubResolver.Create(
            new DnsOptions
            {
                Resolvers = dns.Resolvers,
                Zones = [.. dns.Zones.Select(z => new DnsZoneForward(z.Zone, z.Resolvers))],
                TlsRoots = Roots(dns.TlsTrustFile),
                Timeout = dns.Timeout,
                Retries = dns.Retries,
                OverallTimeout = dns.OverallTimeout,
                ConcurrencyPerResolver = dns.Concurrency,
                ConcurrencyPerZone = dns.ConcurrencyPerZone,
                FailuresUntilCooling = dns.FailuresUntilCooling,
                CoolingTime = dns.CoolingTime,
                CaseRandomization = dns.CaseRandomization,
                Dnssec = DnsRules.Mode(dns.Dnssec) ?? throw new StartRefusedException("Validation:Dns:Dnssec", $"there is no mode '{dns.Dnssec}'"),
                TrustedResolvers = dns.TrustedResolvers,
                RequireSecure = dns.RequireSecure,
                InsecureZones = dns.InsecureZones,
                TrustAnchors = dns.TrustAnchors,
                Chain = new ChainLimits
                {
                    MaxLookups = dns.Chain.MaxLookups,
                    MaxSignatureChecks = dns.Chain.MaxSignatureChecks,
                    MaxKeys = dns.Chain.MaxKeys,
                    MaxNsec3Iterations = dns.Chain.MaxNsec3Iterations,
                    CacheTime = dns.Chain.CacheTime,
                    CacheEntries = dns.Chain.CacheEntries,
                },
                MaxRecords = policy.MaxRecords,
                MaxAnswerOctets = policy.MaxBytes,
            },
            clock);
        return resolver.IsValid ? resolver.Value : throw new StartRefusedException("Validation:Dns:Resolvers", resolver.Reason);
    }

    /// <summary>Finds out whether the resolvers validate DNSSEC, where the configuration rests on that.</summary>
    /// <exception cref="StartRefusedException">One does not, or there are no names to find it out by.</exception>
    public static async Task RequireValidationAsync(StubResolver resolver, DnsLookupOptions dns, TimeProvider clock, CancellationToken cancel)
    {
        if (DnsRules.Mode(dns.Dnssec) is not (DnssecMode.TrustedResolver or DnssecMode.Validate))
        {
            return;
        }

        // Checked with the rest of the configuration already; this guards those who start without reading one.
        if (DnsRules.Check(dns).FirstOrDefault() is { } wrong)
        {
            throw new StartRefusedException(wrong.Key, wrong.Message);
        }

        if (DnsRules.Mode(dns.Dnssec) == DnssecMode.Validate)
        {
            if (await DnssecSelfTest.RunAsync(resolver, clock, cancel) is { } fault)
            {
                throw new StartRefusedException(
                    "Validation:Dns:Dnssec", $"the self-test failed: {fault}; mend the resolver, Validation:Dns:TrustAnchors or the clock, declare the zone in Validation:Dns:InsecureZones, or set {DnsRules.Off}");
            }

            return;
        }

        if (await DnssecSelfTest.RunAsync(resolver, dns.SelfTestSecureName, dns.SelfTestBogusName, cancel) is { } reason)
        {
            throw new StartRefusedException("Validation:Dns:Dnssec", $"the self-test failed: {reason}; mend the resolver or its trust anchor, or set {DnsRules.Off}");
        }
    }

    private static X509Certificate2Collection? Roots(string file)
    {
        if (file.Length == 0)
        {
            return null;
        }

        try
        {
            var roots = new X509Certificate2Collection();
            roots.ImportFromPemFile(file);
            return roots.Count > 0 ? roots : throw new StartRefusedException("Validation:Dns:TlsTrustFile", $"there is no certificate (PEM) in {file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new StartRefusedException("Validation:Dns:TlsTrustFile", $"{file} cannot be read: {e.Message}");
        }
    }
}

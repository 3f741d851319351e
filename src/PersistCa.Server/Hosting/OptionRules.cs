using System.Net;
using PersistCa.Protocol;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Limits;
using PersistCa.Protocol.Records;
using PersistCa.Server.Registration;
using PersistCa.Storage;

namespace PersistCa.Server.Hosting;

/// <summary>What values may be, beyond their types. Pure: what needs a file or a database is found out at the start.</summary>
internal static class OptionRules
{
    /// <summary>The roles that a node has unless others are named.</summary>
    public static readonly string[] Roles = ["acme", "worker", "publication"];

    /// <summary>All roles. A perspective is one only where it is told to be: it serves other authorities, and must know which.</summary>
    public static readonly string[] AllRoles = [.. Roles, PerspectiveRules.Role];

    /// <summary>Checks all values.</summary>
    public static IEnumerable<ConfigurationFault> Check(PersistCaOptions o) =>
        Server(o.Server).Concat(Store(o.Store)).Concat(Authority(o.Authority)).Concat(Acme(o.Acme)).Concat(Names(o.Names))
            .Concat(Validation(o.Validation)).Concat(PolicyRules.Check(o.Validation.Targets)).Concat(PolicyRules.Check(o.Policy)).Concat(Issuance(o.Issuance)).Concat(Limits(o.Limits)).Concat(PerspectiveRules.Check(o)).Concat(KeySetup.Check(o))
            .Concat(IssuerSetup.Check(o.Authority)).Concat(ProfileSetup.Check(o)).Concat(OperatorRules.Check(o.Operators));

    private static IEnumerable<ConfigurationFault> Server(ServerOptions s)
    {
        foreach (var (key, url, scheme) in new[] { ("Server:BaseUrl", s.BaseUrl, "https"), ("Server:PublicationUrl", s.PublicationUrl, "http") })
        {
            if (!Uri.TryCreate(url, UriKind.Absolute, out var uri)
                || (uri.Scheme != scheme && !(scheme == "http" && uri.Scheme == "https"))
                || url.EndsWith('/') || uri.Query.Length > 0 || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0 || uri.AbsolutePath != "/")
            {
                yield return new(key, $"'{url}' is not a base URL; write {scheme}://host or {scheme}://host:port, without path and final slash");
            }
        }

        foreach (var (key, address) in new[] { ("Server:Listen", s.Listen), ("Server:ListenPublication", s.ListenPublication) })
        {
            if (!IPEndPoint.TryParse(address, out var endpoint) || !address.Contains(':', StringComparison.Ordinal) || (endpoint.Port == 0 && !address.EndsWith(":0", StringComparison.Ordinal)))
            {
                yield return new(key, $"'{address}' is not an address with a port; write one such as 0.0.0.0:443 or [::]:443");
            }
        }

        foreach (var role in s.Roles.Where(r => !AllRoles.Contains(r)))
        {
            yield return new("Server:Roles", $"there is no role '{role}'; there are {string.Join(", ", AllRoles)}");
        }

        if (s.TlsCertificateFile.Length > 0 != s.TlsKeyFile.Length > 0)
        {
            yield return new("Server:TlsKeyFile", "Server:TlsCertificateFile and Server:TlsKeyFile go together; set both or neither");
        }

        if (s.ProxyProtocol && s.TrustedProxies.Count == 0)
        {
            yield return new("Server:ProxyProtocol", "it is set, and Server:TrustedProxies is empty: nobody's header would be read; name the balancer's networks");
        }

        if (s.DataDirectory.Length == 0)
        {
            yield return new("Server:DataDirectory", "it is empty; name a folder");
        }

        foreach (var fault in Range("Server:MaxConnections", s.MaxConnections, 1, 1_000_000).Concat(Range("Server:MaxWorkAttempts", s.MaxWorkAttempts, 1, 100_000))
                     .Concat(Range("Server:ParkedLifetime", s.ParkedLifetime, TimeSpan.FromMinutes(1), TimeSpan.FromDays(365)))
                     .Concat(Range("Server:DrainDelay", s.DrainDelay, TimeSpan.Zero, TimeSpan.FromMinutes(5)))
                     .Concat(Range("Server:StopTimeout", s.StopTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10)))
                     .Concat(PolicyRules.Networks("Server:TrustedProxies", s.TrustedProxies))
                     .Concat(Range("Server:TlsFileCheckInterval", s.TlsFileCheckInterval, TimeSpan.Zero, TimeSpan.FromHours(1))))
        {
            yield return fault;
        }
    }

    private static IEnumerable<ConfigurationFault> Store(StoreOptions s)
    {
        if (s.Kind == StoreKind.PostgreSql && s.ConnectionString.Length == 0)
        {
            yield return new("Store:ConnectionString", "it is empty; for PostgreSql write one such as Host=db;Database=persistca;Username=persistca");
        }

        if (s.TransactionPooler && s.Kind != StoreKind.PostgreSql)
        {
            yield return new("Store:TransactionPooler", "there is no pooler in front of SQLite; leave it out");
        }

        foreach (var fault in Range("Store:KeepLapsed", s.KeepLapsed, TimeSpan.FromHours(1), TimeSpan.FromDays(3650))
                     .Concat(Range("Store:AccountMemory", s.AccountMemory, TimeSpan.Zero, TimeSpan.FromMinutes(1))))
        {
            yield return fault;
        }
    }

    private static IEnumerable<ConfigurationFault> Authority(AuthorityOptions a)
    {
        if (a.Name.Length is 0 or > 64)
        {
            yield return new("Authority:Name", $"it has {a.Name.Length} characters; 1 to 64 are expected");
        }

        if (a.IssuerNames.Count > 10)
        {
            yield return new("Authority:IssuerNames", $"there are {a.IssuerNames.Count} names; clients accept at most 10");
        }

        foreach (var (key, names) in new[] { ("Authority:IssuerNames", a.IssuerNames), ("Authority:FormerIssuerNames", a.FormerIssuerNames) })
        {
            foreach (var name in names)
            {
                var parsed = IssuerName.Parse(name);
                if (!parsed.IsValid || parsed.Value.Text != name)
                {
                    yield return new(key, parsed.IsValid ? $"'{name}' is not in normal form; write {parsed.Value.Text}" : $"'{name}' is not a domain name: {parsed.Reason}");
                }
            }
        }

        foreach (var (key, urls) in new[]
        {
            ("Authority:AccountHashPrefix", a.AccountHashPrefix.Length == 0 ? [] : new List<string> { a.AccountHashPrefix }),
            ("Authority:FormerAccountHashPrefixes", a.FormerAccountHashPrefixes),
            ("Authority:FormerBaseUrls", a.FormerBaseUrls),
        })
        {
            foreach (var url in urls)
            {
                if (!Uri.TryCreate(url, UriKind.Absolute, out _) || url.Any(c => c is < '!' or > '~' or ';'))
                {
                    yield return new(key, $"'{url}' is not an absolute URL of printable ASCII without ';'");
                }
            }
        }
    }

    private static IEnumerable<ConfigurationFault> Acme(AcmeOptions a) =>
        Url("Acme:TermsOfService", a.TermsOfService)
            .Concat(Url("Acme:Website", a.Website))
            .Concat(Range("Acme:NonceLifetime", a.NonceLifetime, TimeSpan.FromMinutes(5), TimeSpan.FromDays(7)))
            .Concat(Range("Acme:OrderLifetime", a.OrderLifetime, TimeSpan.FromMinutes(5), TimeSpan.FromDays(30)))
            .Concat(Range("Acme:AuthorizationLifetime", a.AuthorizationLifetime, TimeSpan.FromMinutes(5), TimeSpan.FromDays(398)))
            .Concat(Range("Acme:PollWait", a.PollWait, TimeSpan.Zero, TimeSpan.FromSeconds(20)))
            .Concat(Range("Acme:FinalizeWait", a.FinalizeWait, TimeSpan.Zero, TimeSpan.FromSeconds(20)))
            .Concat(Renewal(a.Renewal))
            .Concat(Range("Acme:MaxNames", a.MaxNames, 1, 1000))
            .Concat(Range("Acme:MaxBodyBytes", a.MaxBodyBytes, 16 * 1024, 4 * 1024 * 1024))
            .Concat(Range("Acme:MaxContacts", a.MaxContacts, 0, 100))
            .Concat(Range("Acme:OrdersPerPage", a.OrdersPerPage, 1, 10_000));

    private static IEnumerable<ConfigurationFault> Renewal(RenewalOptions r)
    {
        foreach (var fault in Range("Acme:Renewal:StartPercent", r.StartPercent, 1, 99)
                     .Concat(Range("Acme:Renewal:SpreadPercent", r.SpreadPercent, 0, 90))
                     .Concat(Range("Acme:Renewal:LengthPercent", r.LengthPercent, 1, 90))
                     .Concat(Range("Acme:Renewal:CheckInterval", r.CheckInterval, TimeSpan.FromMinutes(1), TimeSpan.FromDays(1)))
                     .Concat(Url("Acme:Renewal:ExplanationUrl", r.ExplanationUrl)))
        {
            yield return fault;
        }

        if (r.StartPercent + r.SpreadPercent + r.LengthPercent > 100)
        {
            yield return new("Acme:Renewal:LengthPercent", $"with StartPercent and SpreadPercent it makes {r.StartPercent + r.SpreadPercent + r.LengthPercent}; at most 100 leave the window within the certificate's life");
        }
    }

    private static IEnumerable<ConfigurationFault> Names(NamePolicyOptions n)
    {
        foreach (var (key, suffixes) in new[] { ("Names:AllowedSuffixes", n.AllowedSuffixes), ("Names:DeniedSuffixes", n.DeniedSuffixes) })
        {
            foreach (var suffix in suffixes)
            {
                var parsed = DnsName.Parse(suffix.TrimStart('.'));
                if (!parsed.IsValid)
                {
                    yield return new(key, $"'{suffix}' is not a suffix: {parsed.Reason}");
                }
            }
        }
    }

    private static IEnumerable<ConfigurationFault> Validation(ValidationOptions v)
    {
        foreach (var fault in PolicyRules.Challenges("Validation:Challenges", v.Challenges))
        {
            yield return fault;
        }

        foreach (var dialect in v.Persist.Dialects.Where(d => PersistDialects.Read(d) is null))
        {
            yield return new("Validation:Persist:Dialects", $"there is no dialect '{dialect}'; there are {string.Join(", ", PersistDialects.All.Select(d => d.Wire()))}");
        }

        if (CaaSuffixes(v.Caa) is { IsValid: false } suffixes)
        {
            yield return new("Validation:Caa:Suffixes", suffixes.Reason);
        }

        var second = TimeSpan.FromSeconds(1);
        var ranges = Range("Validation:Concurrency", v.Concurrency, 1, 10_000)
            .Concat(Range("Validation:Deadline", v.Deadline, second, 100 * second))
            .Concat(Range("Validation:Http:Port", v.Http.Port, 1, 65535))
            .Concat(Range("Validation:Http:MaxRedirects", v.Http.MaxRedirects, 0, 20))
            .Concat(Range("Validation:Http:Timeout", v.Http.Timeout, TimeSpan.FromMilliseconds(50), 60 * second))
            .Concat(Range("Validation:TlsAlpnPort", v.TlsAlpnPort, 1, 65535))
            .Concat(Range("Validation:Caa:MaxLabels", v.Caa.MaxLabels, 1, 127))
            .Concat(Range("Validation:Persist:MaxNames", v.Persist.MaxNames, 1, 127))
            .Concat(Range("Validation:Persist:JustInTimeBudget", v.Persist.JustInTimeBudget, TimeSpan.FromMilliseconds(50), 30 * second))
            .Concat(v.Persist.Floors.Where(f => !DnsName.Parse(f).IsValid).Select(f => new ConfigurationFault("Validation:Persist:Floors", $"'{f}' is not a name: {DnsName.Parse(f).Reason}")))
            .Concat(Range("Validation:Persist:MaxRecords", v.Persist.MaxRecords, 1, 10_000))
            .Concat(Range("Validation:Persist:MaxBytes", v.Persist.MaxBytes, 512, 64 * 1024))
            .Concat(v.Http.RedirectPorts.SelectMany(p => Range("Validation:Http:RedirectPorts", p, 1, 65535)));
        foreach (var fault in ranges.Concat(DnsRules.Check(v.Dns)))
        {
            yield return fault;
        }
    }

    /// <summary>The CAA modes.</summary>
    public static Parsed<CaaModes> CaaSuffixes(CaaOptions caa) => CaaModes.Create(caa.Suffixes.Select(s => KeyValuePair.Create(s.Suffix, s.Mode)), caa.Mode);

    private static IEnumerable<ConfigurationFault> Issuance(IssuanceOptions i) =>
        Range("Issuance:Validity", i.Validity, TimeSpan.FromHours(1), TimeSpan.FromDays(825))
            .Concat(Range("Issuance:Backdate", i.Backdate, TimeSpan.Zero, TimeSpan.FromHours(24)))
            .Concat(Range("Issuance:Concurrency", i.Concurrency, 1, 256))
            .Concat(Range("Issuance:CrlValidity", i.CrlValidity, TimeSpan.FromHours(1), TimeSpan.FromDays(365)))
            .Concat(Range("Issuance:CrlInterval", i.CrlInterval, TimeSpan.FromMinutes(1), i.CrlValidity / 2))
            .Concat(StatusRules.Check(i));

    private static IEnumerable<ConfigurationFault> Limits(LimitOptions l)
    {
        foreach (var (kind, text) in LimitDesk.Texts(l))
        {
            if (RateLimit.Parse(text) is { IsValid: false } bad)
            {
                yield return new($"Limits:{kind}", bad.Reason);
            }
        }

        for (var at = 0; at < l.PerAccount.Count; at++)
        {
            if (LimitDesk.ReadOverride(l.PerAccount[at]) is { IsValid: false } bad)
            {
                yield return new($"Limits:PerAccount:{at}", bad.Reason);
            }
        }

        foreach (var fault in Range("Limits:PendingAuthorizations", l.PendingAuthorizations, 0, 100_000_000))
        {
            yield return fault;
        }
    }

    private static IEnumerable<ConfigurationFault> Url(string key, string url)
    {
        if (url.Length > 0 && (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")))
        {
            yield return new(key, $"'{url}' is not an http or https URL");
        }
    }

    /// <summary>The fault of a value outside its range, if it is.</summary>
    public static IEnumerable<ConfigurationFault> Range<T>(string key, T value, T least, T most)
        where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
        {
            yield return new(key, $"{value} is out of range; {least} to {most} is accepted");
        }
    }
}

using Microsoft.Extensions.Configuration;
using PersistCa.Server.Hosting;
using PersistCa.Storage;

namespace PersistCa.Server.Tests.Hosting;

public sealed class ConfigurationTests
{
    private static (PersistCaOptions Options, IReadOnlyList<ConfigurationFault> Faults) Read(params (string Key, string Value)[] settings) => ConfigurationReader.Read(
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => new KeyValuePair<string, string?>(s.Key, s.Value))).Build());

    [Fact]
    public void Nothing_configured_is_good() => Assert.Empty(Read().Faults);

    [Fact]
    public void Values_of_every_kind_are_read()
    {
        var (options, faults) = Read(
            ("Validation:Dns:Resolvers:0", "127.0.0.1:5353"),
            ("Validation:Dns:Timeout", "00:00:03"),
            ("Store:Kind", "postgresql"),
            ("Store:ConnectionString", "Host=db"),
            ("Issuance:CommonName", "true"),
            ("Acme:MaxNames", "7"),
            ("validation:challenges", "dns-01, dns-persist-01"));

        Assert.Empty(faults);
        Assert.Equal(["127.0.0.1:5353"], options.Validation.Dns.Resolvers);
        Assert.Equal(TimeSpan.FromSeconds(3), options.Validation.Dns.Timeout);
        Assert.Equal(StoreKind.PostgreSql, options.Store.Kind);
        Assert.True(options.Issuance.CommonName);
        Assert.Equal(7, options.Acme.MaxNames);
        Assert.Equal(["dns-01", "dns-persist-01"], options.Validation.Challenges);
    }

    [Fact]
    public void The_configuration_that_is_shipped_for_a_node_is_good()
    {
        var file = Path.Combine(PersistCa.Testing.SourceTree.Root, "deploy", "systemd", "persistca.json");
        var (options, faults) = ConfigurationReader.Read(new ConfigurationBuilder().AddJsonFile(file).Build());
        Assert.Empty(faults);
        Assert.True(options.Server.ProxyProtocol);
        Assert.Equal(StoreKind.PostgreSql, options.Store.Kind);
    }

    [Theory]
    [InlineData("Server:MaxWorkAttempts", "0")]
    [InlineData("Server:ParkedLifetime", "00:00:59")]
    [InlineData("Server:DrainDelay", "00:05:01")]
    [InlineData("Server:StopTimeout", "00:00:00.5")]
    [InlineData("Server:TrustedProxies:0", "10.0.0.1/8")]
    public void What_a_node_may_be_told_about_its_end_its_work_and_its_proxies_has_bounds(string key, string value) =>
        Assert.Equal(key.Replace(":0", "", StringComparison.Ordinal), Assert.Single(Read((key, value)).Faults).Key.Replace(":0", "", StringComparison.Ordinal));

    [Fact]
    public void Zones_are_a_list_of_sections()
    {
        var (options, faults) = Read(
            ("Validation:Dns:Zones:0:Zone", "corp.example"),
            ("Validation:Dns:Zones:0:Resolvers", "10.0.0.53,10.0.1.53"),
            ("Validation:Dns:Zones:1:zone", "lab"),
            ("Validation:Dns:Zones:1:Resolvers:0", "tls://10.0.2.53#dns.lab"));

        Assert.Empty(faults);
        Assert.Equal(["corp.example", "lab"], options.Validation.Dns.Zones.Select(z => z.Zone));
        Assert.Equal(["10.0.0.53", "10.0.1.53"], options.Validation.Dns.Zones[0].Resolvers);
        Assert.Equal(["tls://10.0.2.53#dns.lab"], options.Validation.Dns.Zones[1].Resolvers);
    }

    [Theory]
    [InlineData("Validation:Dns:Zones:0:Zone", "corp.example", "Validation:Dns:Zones:0:Resolvers", "name one resolver at least")]
    [InlineData("Validation:Dns:Zones:0:Resolvers", "10.0.0.53", "Validation:Dns:Zones:0:Zone", "is not a domain name")]
    public void Half_a_zone_is_a_mistake(string key, string value, string faultKey, string remedy)
    {
        var fault = Assert.Single(Read((key, value)).Faults);

        Assert.Equal(faultKey, fault.Key);
        Assert.Contains(remedy, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_trusts_resolvers_must_say_which_and_how_to_try_them()
    {
        var good = new Dictionary<string, string>
        {
            ["Validation:Dns:Dnssec"] = "trusted-resolver",
            ["Validation:Dns:Resolvers"] = "127.0.0.1,10.0.0.53",
            ["Validation:Dns:TrustedResolvers"] = "10.0.0.53:53",
            ["Validation:Dns:SelfTestSecureName"] = "example.com",
            ["Validation:Dns:SelfTestBogusName"] = "dnssec-failed.org",
        };
        Assert.Empty(Read([.. good.Select(s => (s.Key, s.Value))]).Faults);

        foreach (var key in new[] { "TrustedResolvers", "SelfTestSecureName", "SelfTestBogusName" }.Select(k => "Validation:Dns:" + k))
        {
            Assert.Equal(key, Assert.Single(Read([.. good.Where(s => s.Key != key).Select(s => (s.Key, s.Value))]).Faults).Key);
        }
    }

    [Fact]
    public void A_list_given_twice_in_two_forms_is_a_mistake_and_not_a_choice()
    {
        var fault = Assert.Single(Read(("Validation:Dns:Resolvers:0", "127.0.0.1"), ("Validation:Dns:Resolvers", "127.0.0.2")).Faults);
        Assert.Equal("Validation:Dns:Resolvers", fault.Key);
        Assert.Contains("beside a list", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rules_are_a_list_of_sections_in_the_order_of_their_numbers()
    {
        var (options, faults) = Read(
            ("Policy:Challenges:10:Types", "dns-persist-01"),
            ("Policy:Challenges:2:NameSuffix", "fleet.example.com"),
            ("Policy:Challenges:2:Types:0", "dns-01"),
            ("Policy:Challenges:2:Types:1", "dns-account-01"),
            ("Policy:Ip:AllowedNetworks", "10.0.0.0/8,fd00::/8"),
            ("Validation:Targets:AllowLoopback", "true"));

        Assert.Empty(faults);
        Assert.Equal(["fleet.example.com", ""], options.Policy.Challenges.Select(r => r.NameSuffix));
        Assert.Equal(["dns-01,dns-account-01", "dns-persist-01"], options.Policy.Challenges.Select(r => string.Join(',', r.Types)));
        Assert.Equal(["10.0.0.0/8", "fd00::/8"], options.Policy.Ip.AllowedNetworks);
        Assert.True(options.Validation.Targets.AllowLoopback);
    }

    [Theory]
    [InlineData("Validation:Persist:MaxBytes", "65537", "Validation:Persist:MaxBytes", "512 to 65536")]
    [InlineData("Validation:Dns:Timeout", "00:00:20", "Validation:Dns:Timeout", "longer than Validation:Dns:OverallTimeout")]
    [InlineData("Validaton:Dns:Timeout", "00:00:01", "Validaton", "did you mean Validation")]
    [InlineData("Validation:Dns:Resolver", "127.0.0.1", "Validation:Dns:Resolver", "did you mean Validation:Dns:Resolvers")]
    [InlineData("Acme:Nothing", "1", "Acme:Nothing", "known in Acme")]
    [InlineData("Acme:MaxNames", "many", "Acme:MaxNames", "'many' was found where a whole number")]
    [InlineData("Acme:MaxNames", "0", "Acme:MaxNames", "1 to 1000")]
    [InlineData("Acme:MaxNames:0", "1", "Acme:MaxNames", "a section was found")]
    [InlineData("Acme", "x", "Acme", "'x' was found where a section")]
    [InlineData("Store:Kind", "Oracle", "Store:Kind", "Sqlite or PostgreSql")]
    [InlineData("Store:Kind", "1", "Store:Kind", "Sqlite or PostgreSql")]
    [InlineData("Store:Kind", "PostgreSql", "Store:ConnectionString", "Host=db")]
    [InlineData("Policy:Revocation:AloneUpTo", "-1", "Policy:Revocation:AloneUpTo", "0 to 1000000")]
    [InlineData("Policy:Revocation:ProposalLifetime", "00:04:59", "Policy:Revocation:ProposalLifetime", "is out of range")]
    [InlineData("Policy:Revocation:BatchSize", "5001", "Policy:Revocation:BatchSize", "1 to 5000")]
    [InlineData("Policy:Revocation:MaxMatched", "0", "Policy:Revocation:MaxMatched", "1 to 1000000")]
    [InlineData("Policy:Revocation:MaxBodyBytes", "1023", "Policy:Revocation:MaxBodyBytes", "1024 to 4194304")]
    [InlineData("Acme:Renewal:StartPercent", "0", "Acme:Renewal:StartPercent", "1 to 99")]
    [InlineData("Acme:Renewal:StartPercent", "95", "Acme:Renewal:LengthPercent", "it makes 105; at most 100")]
    [InlineData("Acme:Renewal:SpreadPercent", "-1", "Acme:Renewal:SpreadPercent", "0 to 90")]
    [InlineData("Acme:Renewal:CheckInterval", "00:00:59", "Acme:Renewal:CheckInterval", "00:01:00 to 1.00:00:00")]
    [InlineData("Acme:Renewal:ExplanationUrl", "here", "Acme:Renewal:ExplanationUrl", "is not an http or https URL")]
    [InlineData("Policy:Revocation:LongestPlan", "00:59:00", "Policy:Revocation:LongestPlan", "01:00:00 to 365.00:00:00")]
    [InlineData("Acme:ExternalAccount", "on", "Acme:ExternalAccount", "Off or Optional or Required")]
    [InlineData("Limits:FailedBindingsPerAddress", "x", "Limits:FailedBindingsPerAddress", "is no limit")]
    [InlineData("Limits:LoneRevocationsPerOperator", "x", "Limits:LoneRevocationsPerOperator", "is no limit")]
    [InlineData("Store:KeepLapsed", "00:10:00", "Store:KeepLapsed", "is out of range")]
    [InlineData("Server:MaxWorkAttempts", "0", "Server:MaxWorkAttempts", "1 to 100000")]
    [InlineData("Issuance:CommonName", "yes", "Issuance:CommonName", "true or false")]
    [InlineData("Issuance:Validity", "00:10:00", "Issuance:Validity", "is out of range")]
    [InlineData("Issuance:Validity", "ninety days", "Issuance:Validity", "a duration such as")]
    [InlineData("Server:BaseUrl", "http://ca.test", "Server:BaseUrl", "is not a base URL")]
    [InlineData("Server:BaseUrl", "https://ca.test/", "Server:BaseUrl", "final slash")]
    [InlineData("Server:BaseUrl", "https://ca.test/acme", "Server:BaseUrl", "is not a base URL")]
    [InlineData("Server:Listen", "localhost", "Server:Listen", "0.0.0.0:443")]
    [InlineData("Server:Roles", "acme,king", "Server:Roles", "there is no role 'king'")]
    [InlineData("Server:TlsCertificateFile", "x.pem", "Server:TlsKeyFile", "go together")]
    [InlineData("Authority:IssuerNames", "CA.Example", "Authority:IssuerNames", "write ca.example")]
    [InlineData("Authority:IssuerNames", "a b", "Authority:IssuerNames", "is not a domain name")]
    [InlineData("Authority:AccountHashPrefix", "no url", "Authority:AccountHashPrefix", "absolute URL")]
    [InlineData("Names:AllowedSuffixes", "a_b", "Names:AllowedSuffixes", "underscore")]
    [InlineData("Validation:Challenges", "dns-02", "Validation:Challenges", "there is no challenge 'dns-02'")]
    [InlineData("Validation:Persist:Dialects", "draft-09", "Validation:Persist:Dialects", "there is no dialect")]
    [InlineData("Validation:Dns:Resolvers", "dns.example", "Validation:Dns:Resolvers", "is not a resolver")]
    [InlineData("Validation:Dns:Resolvers", "tls://192.0.2.1", "Validation:Dns:Resolvers", "which name its certificate must have")]
    [InlineData("Validation:Dns:ConcurrencyPerZone", "0", "Validation:Dns:ConcurrencyPerZone", "1 to 10000")]
    [InlineData("Validation:Dns:FailuresUntilCooling", "0", "Validation:Dns:FailuresUntilCooling", "1 to 1000")]
    [InlineData("Validation:Dns:CoolingTime", "02:00:00", "Validation:Dns:CoolingTime", "00:00:00 to 01:00:00")]
    [InlineData("Validation:Dns:CaseRandomization", "on", "Validation:Dns:CaseRandomization", "true or false")]
    [InlineData("Validation:Dns:Dnssec", "validating", "Validation:Dns:Dnssec", "there are off, trusted-resolver and validate")]
    [InlineData("Validation:Dns:RequireSecure", "true", "Validation:Dns:RequireSecure", "set Validation:Dns:Dnssec to trusted-resolver")]
    [InlineData("Validation:Dns:InsecureZones", "a b", "Validation:Dns:InsecureZones", "is not a domain name")]
    [InlineData("Validation:Dns:TrustedResolvers", "dns.example", "Validation:Dns:TrustedResolvers", "is not a resolver")]
    [InlineData("Validation:Dns:Zones", "corp.example", "Validation:Dns:Zones", "as in Validation:Dns:Zones:0:Zone")]
    [InlineData("Validation:Dns:Zones:Zone", "corp.example", "Validation:Dns:Zones:Zone", "a numbered section")]
    [InlineData("Validation:Dns:Zones:0", "corp.example", "Validation:Dns:Zones:0", "where a numbered section was expected")]
    [InlineData("Validation:Dns:Zones:0:Name", "corp.example", "Validation:Dns:Zones:0:Name", "known in Validation:Dns:Zones:0: Zone, Resolvers")]
    [InlineData("Validation:Dns:Zones:2:Zone", "corp.example", "Validation:Dns:Zones:2:Resolvers", "name one resolver at least")]
    [InlineData("Validation:Dns:TrustAnchors", "corp.example DS 1 13 2 AA", "Validation:Dns:TrustAnchors", "set Validation:Dns:Dnssec to validate")]
    [InlineData("Validation:Http:Port", "70000", "Validation:Http:Port", "1 to 65535")]
    [InlineData("Validation:Targets:AllowedNetworks", "10.0.0.1/8", "Validation:Targets:AllowedNetworks", "zeros after the prefix")]
    [InlineData("Validation:Targets:DeniedNetworks", "10.0.0.0/33", "Validation:Targets:DeniedNetworks", "such as 10.0.0.0/8")]
    [InlineData("Validation:Targets:DeniedNetworks", "::ffff:10.0.0.0/104", "Validation:Targets:DeniedNetworks", "write it as IPv4")]
    [InlineData("Validation:Targets:AllowLoopbak", "true", "Validation:Targets:AllowLoopbak", "did you mean Validation:Targets:AllowLoopback")]
    [InlineData("Policy:Ip:AllowedNetworks", "everything", "Policy:Ip:AllowedNetworks", "is not a network")]
    [InlineData("Policy:Ip:Networks", "10.0.0.0/8", "Policy:Ip:Networks", "known in Policy:Ip")]
    [InlineData("Policy:Challenges", "dns-01", "Policy:Challenges", "Policy:Challenges:0")]
    [InlineData("Policy:Challenges:0", "dns-01", "Policy:Challenges:0", "where a numbered section was expected")]
    [InlineData("Policy:Challenges:first:Types", "dns-01", "Policy:Challenges:first", "Policy:Challenges:0")]
    [InlineData("Policy:Challenges:0:Suffix", "example.com", "Policy:Challenges:0:Suffix", "known in Policy:Challenges:0")]
    [InlineData("Policy:Challenges:0:NameSuffix", "example.com", "Policy:Challenges:0:Types", "at least one challenge")]
    [InlineData("Policy:Challenges:0:Types", "dns-02", "Policy:Challenges:0:Types", "there is no challenge 'dns-02'")]
    public void A_mistake_names_its_key_and_the_remedy(string key, string value, string faultKey, string remedy)
    {
        var fault = Assert.Single(Read((key, value)).Faults);

        Assert.Equal(faultKey, fault.Key);
        Assert.Contains(remedy, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.ToString());
    }

    [Theory]
    [InlineData("NameSuffix", "a_b", "is not a suffix")]
    [InlineData("Account", "https://ca.example/acme/account/AAAAAAAAAAAAAAAA", "the last segment of its URL")]
    public void A_mistake_in_a_rule_names_the_rule(string member, string value, string remedy)
    {
        var fault = Assert.Single(Read(("Policy:Challenges:0:Types", "dns-01"), ($"Policy:Challenges:0:{member}", value)).Faults);

        Assert.Equal("Policy:Challenges:0:" + member, fault.Key);
        Assert.Contains(remedy, fault.Message, StringComparison.Ordinal);
    }
}

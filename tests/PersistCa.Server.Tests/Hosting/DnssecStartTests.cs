using PersistCa.Server.Hosting;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Hosting;

/// <summary>An authority that rests on its resolvers' word does not start before they have shown what it is worth.</summary>
public sealed class DnssecStartTests
{
    private static void Trust(PersistCaOptions options)
    {
        options.Validation.Dns.Dnssec = "trusted-resolver";
        options.Validation.Dns.SelfTestSecureName = "signed.example";
        options.Validation.Dns.SelfTestBogusName = "bogus.example";
    }

    [Fact]
    public async Task A_start_with_a_resolver_that_does_not_validate_is_refused_in_one_line()
    {
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => RunningAuthority.StartAsync(Trust));

        Assert.StartsWith("Validation:Dns:Dnssec: the self-test failed: the resolver 127.0.0.1:", refused.Message, StringComparison.Ordinal);
        Assert.Contains("does not vouch for signed.example", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public async Task A_start_without_names_to_try_resolvers_by_is_refused_with_the_key()
    {
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => RunningAuthority.StartAsync(o =>
        {
            Trust(o);
            o.Validation.Dns.SelfTestBogusName = "";
        }));

        Assert.StartsWith("Validation:Dns:SelfTestBogusName: ", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/nonexistent/roots.pem", "cannot be read")]
    [InlineData("/dev/null", "there is no certificate")]
    public async Task A_trust_file_for_resolvers_that_holds_nothing_stops_the_start(string file, string remedy)
    {
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => RunningAuthority.StartAsync(o => o.Validation.Dns.TlsTrustFile = file));

        Assert.StartsWith("Validation:Dns:TlsTrustFile: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_validates_nothing_does_not_try_resolvers()
    {
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            Trust(o);
            o.Server.Roles = ["acme", "publication"];
        });
    }

    [Fact]
    public async Task A_start_that_validates_itself_is_refused_where_the_resolver_gives_no_keys_that_fit_the_anchor()
    {
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => RunningAuthority.StartAsync(o => o.Validation.Dns.Dnssec = "validate"));

        Assert.StartsWith("Validation:Dns:Dnssec: the self-test failed: the resolver 127.0.0.1:", refused.Message, StringComparison.Ordinal);
        Assert.Contains("asked for the keys of .", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public async Task A_start_with_everything_declared_unsigned_needs_no_keys()
    {
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            o.Validation.Dns.Dnssec = "validate";
            o.Validation.Dns.InsecureZones = ["."];
        });
    }

    [Theory]
    [InlineData("corp.example DS 1 13 2 AA", "corp.example", "Validation:Dns:TrustAnchors", "the digest has not the length of its type")]
    [InlineData("corp.example DS 1 13 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D", "corp.example", "Validation:Dns:InsecureZones", "take one of the two away")]
    [InlineData("", "..", "Validation:Dns:InsecureZones", "is not a domain name")]
    public void A_mistake_in_anchors_or_islands_names_its_key(string anchor, string island, string key, string words)
    {
        var fault = DnsRules.Check(new DnsLookupOptions { Dnssec = "validate", TrustAnchors = anchor.Length > 0 ? [anchor] : [], InsecureZones = [island] }).First();

        Assert.Equal(key, fault.Key);
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_bound_of_a_chain_has_its_range()
    {
        var options = new DnsLookupOptions
        {
            Chain = new DnsChainOptions { MaxLookups = 0, MaxSignatureChecks = 0, MaxKeys = 0, MaxNsec3Iterations = 501, CacheTime = TimeSpan.FromDays(2), CacheEntries = 0 },
        };

        Assert.Equal(
            new[] { "CacheEntries", "CacheTime", "MaxKeys", "MaxLookups", "MaxNsec3Iterations", "MaxSignatureChecks" }.Select(k => "Validation:Dns:Chain:" + k),
            DnsRules.Check(options).Select(f => f.Key).Order(StringComparer.Ordinal));
    }
}

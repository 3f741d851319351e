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
}

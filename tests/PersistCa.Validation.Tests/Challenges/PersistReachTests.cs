using Microsoft.Extensions.Time.Testing;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Validation.Challenges;

namespace PersistCa.Validation.Tests.Challenges;

/// <summary>Where records are looked for: above a name, at reverse names of addresses (dns-persist-01 rules section 6 item 1; BR 3.2.2.5.8).</summary>
public sealed class PersistReachTests
{
    private const string Draft01 = "ca.example; accounturi=https://ca.example/acct/123";

    private static readonly DateTimeOffset Now = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);

    private static readonly PersistPolicy Policy = new(
        [IssuerName.Parse("ca.example").Value!], ["https://ca.example/account-hash/"], PersistDialects.All.ToHashSet())
    {
        Scope = PersistScope.WithAncestors(PublicSuffixList.Shipped, []),
    };

    private static Task<ChallengeResult> ValidateAsync(LoopbackZone zone, string identifier, PersistPolicy? policy = null) =>
        new DnsPersist01Validator(Sample.Resolver(zone), policy ?? Policy, new FakeTimeProvider(Now)).ValidateAsync(Sample.Attempt(identifier), default);

    [Fact]
    public async Task Names_above_are_asked_only_when_the_name_itself_brings_nothing()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt("_validation-persist.a.b.example.com", Draft01);
        Assert.True((await ValidateAsync(zone, "a.b.example.com")).IsValid);
        Assert.All(zone.Queries, q => Assert.EndsWith(".a.b.example.com", q.Owner, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Names_above_are_asked_down_to_the_registrable_domain_and_the_nearest_that_fits_wins()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt("_validation-persist.example.com", Draft01 + "; policy=wildcard");
        zone.SetTxt("_validation-persist.b.example.com", Draft01 + "; policy=wildcard; persistUntil=2000000000");
        var result = await ValidateAsync(zone, "a.b.example.com");
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(2_000_000_000), result.RecordExpires);
        Assert.Equal(6, zone.Queries.Select(q => q.Owner).Distinct().Count());
        Assert.DoesNotContain(zone.Queries, q => q.Owner.EndsWith("persist.com", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_failure_at_the_name_does_not_matter_when_one_above_fits_and_does_when_none_does()
    {
        await using var zone = Sample.Zone();
        zone.Fail("_validation-persist.a.example.com", 2);
        Assert.Equal(ProblemCatalog.Dns, (await ValidateAsync(zone, "a.example.com")).Problem?.Type);
        zone.SetTxt("_validation-persist.example.com", Draft01 + "; policy=wildcard");
        Assert.True((await ValidateAsync(zone, "a.example.com")).IsValid);
    }

    [Fact]
    public async Task The_refusal_says_down_to_where_a_record_may_stand()
    {
        await using var zone = Sample.Zone();
        Assert.Contains("or above it, down to example.com,", (await ValidateAsync(zone, "a.b.example.com")).Problem?.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("192.0.2.7", "_ip-validation-persist.7.2.0.192.in-addr.arpa")]
    [InlineData("2001:db8::1", "_ip-validation-persist.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")]
    public async Task An_address_is_proved_at_its_reverse_name_and_nowhere_above(string address, string owner)
    {
        await using var zone = Sample.Zone();
        var refused = await ValidateAsync(zone, address);
        Assert.Contains($"No TXT record at {owner} names", refused.Problem?.Detail, StringComparison.Ordinal);
        Assert.Equal(owner, Assert.Single(zone.Queries).Owner);
        zone.SetTxt(owner, Draft01);
        Assert.True((await ValidateAsync(zone, address)).IsValid);
    }

    [Fact]
    public async Task A_hashed_record_of_an_address_is_bound_to_its_reverse_name()
    {
        await using var zone = Sample.Zone();
        var at = DnsName.Parse("7.2.0.192.in-addr.arpa").Value!;
        var record = RecordText.For(PersistDialect.Draft02, at, Sample.Account, Policy, wildcard: false, null, reverse: true);
        Assert.Equal("_ip-validation-persist.7.2.0.192.in-addr.arpa", record.Owner);
        zone.SetTxt(record.Owner, record.Value);
        Assert.Equal(PersistDialect.Draft02, (await ValidateAsync(zone, "192.0.2.7")).Dialect);
        zone.SetTxt("_ip-validation-persist.8.2.0.192.in-addr.arpa", record.Value);
        Assert.False((await ValidateAsync(zone, "192.0.2.8")).IsValid);
    }

    [Fact]
    public async Task Where_only_acme_persist_is_accepted_no_record_proves_an_address()
    {
        await using var zone = Sample.Zone();
        var refused = await ValidateAsync(zone, "192.0.2.7", Policy with { Dialects = new HashSet<PersistDialect> { PersistDialect.AcmePersist } });
        Assert.Contains("prove no address", refused.Problem?.Detail, StringComparison.Ordinal);
        Assert.Empty(zone.Queries);
    }
}

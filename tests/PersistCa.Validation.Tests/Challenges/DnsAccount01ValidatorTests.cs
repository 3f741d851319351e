using PersistCa.Protocol.Acme;
using PersistCa.Server.Demo;
using PersistCa.Validation.Challenges;

namespace PersistCa.Validation.Tests.Challenges;

/// <summary>dns-account-01 (draft-ietf-acme-dns-account-label-02).</summary>
public sealed class DnsAccount01ValidatorTests
{
    private static readonly string Owner = DnsAccount01Validator.OwnerName(Sample.Account.Url, "www.example.com");

    private static Task<ChallengeResult> ValidateAsync(LoopbackZone zone, string name = "www.example.com") =>
        new DnsAccount01Validator(Sample.Resolver(zone), TimeProvider.System).ValidateAsync(Sample.Attempt(name), default);

    private static void AssertRefused(ChallengeResult result, ProblemType type, string detail)
    {
        Assert.False(result.IsValid);
        Assert.Equal(type, result.Problem!.Type);
        Assert.Contains(detail, result.Problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void The_drafts_label_is_reproduced()
    {
        Assert.Equal("_ujmmovf2vn55tgye", DnsAccount01Validator.Label("https://example.com/acme/acct/ExampleAccount"));
        Assert.Equal("_ujmmovf2vn55tgye._acme-challenge.example.org", DnsAccount01Validator.OwnerName("https://example.com/acme/acct/ExampleAccount", "example.org"));
    }

    [Theory]
    [InlineData("www.example.com")]
    [InlineData("*.www.example.com")]
    public async Task A_record_at_the_accounts_label_proves_control(string name)
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(Owner, "another value", Dns01Validator.RecordValue(Sample.KeyAuthorization));

        var result = await ValidateAsync(zone, name);

        Assert.True(result.IsValid, result.Problem?.Detail);
        Assert.True(result.Reusable);
        Assert.Equal("dns-account-01", result.Evidence.ChallengeType);
        Assert.Equal(Owner, Assert.Single(result.Evidence.Lookups!).Name);
    }

    [Fact]
    public async Task A_record_of_dns_01_or_of_another_account_proves_nothing()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt("_acme-challenge.www.example.com", Dns01Validator.RecordValue(Sample.KeyAuthorization));
        zone.SetTxt(DnsAccount01Validator.OwnerName(Sample.Account.Url + "4", "www.example.com"), Dns01Validator.RecordValue(Sample.KeyAuthorization));

        AssertRefused(await ValidateAsync(zone), ProblemCatalog.Unauthorized, Owner);
    }

    [Fact]
    public async Task Another_value_is_unauthorized_and_named()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(Owner, "stale");

        AssertRefused(await ValidateAsync(zone), ProblemCatalog.Unauthorized, "found \"stale\"");
    }

    [Fact]
    public async Task A_failed_look_up_is_a_dns_problem()
    {
        await using var zone = Sample.Zone();
        zone.Fail(Owner, 2);

        AssertRefused(await ValidateAsync(zone), ProblemCatalog.Dns, "SERVFAIL");
    }

    [Fact]
    public async Task An_alias_to_a_zone_of_the_system_that_renews_is_followed()
    {
        await using var zone = Sample.Zone();
        zone.SetCname(Owner, "proofs.elsewhere.example");
        zone.SetTxt("proofs.elsewhere.example", Dns01Validator.RecordValue(Sample.KeyAuthorization));

        var result = await ValidateAsync(zone);

        Assert.True(result.IsValid, result.Problem?.Detail);
    }
}

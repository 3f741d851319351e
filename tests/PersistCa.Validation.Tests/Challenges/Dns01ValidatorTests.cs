using System.Net;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Demo;
using PersistCa.Validation.Challenges;

namespace PersistCa.Validation.Tests.Challenges;

public sealed class Dns01ValidatorTests
{
    private const string Owner = "_acme-challenge.www.example.com";
    private static readonly string Good = Dns01Validator.RecordValue(Sample.KeyAuthorization);

    private static Task<ChallengeResult> ValidateAsync(LoopbackZone zone, ChallengeAttempt? attempt = null) =>
        new Dns01Validator(Sample.Resolver(zone), TimeProvider.System).ValidateAsync(attempt ?? Sample.Attempt(), default);

    private static void AssertRefused(ChallengeResult result, ProblemType type, string detail)
    {
        Assert.False(result.IsValid);
        Assert.Equal(type, result.Problem!.Type);
        Assert.Contains(detail, result.Problem.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", result.Problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void The_value_is_the_digest_of_the_key_authorization()
    {
        // printf %s TOKEN.THUMBPRINT | openssl dgst -sha256 -binary | basenc --base64url, without padding
        Assert.Equal("ZTRx1Ckl1-tM05o5zaizTTA0yUy5AGereMgSNWC6Ll8", Good);
    }

    [Fact]
    public async Task The_digest_of_the_key_authorization_proves_control()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(Owner, Good);

        var result = await ValidateAsync(zone);

        Assert.True(result.IsValid, result.Problem?.Detail);
        Assert.True(result.Reusable);
        Assert.Null(result.Dialect);
        var lookup = Assert.Single(result.Evidence.Lookups!);
        Assert.Equal(Owner, lookup.Name);
        Assert.Equal(Good, Assert.Single(lookup.Records!).Text);
        Assert.Equal(zone.EndPoint.ToString(), lookup.Resolver);
        var reply = Convert.FromBase64String(lookup.Reply!);
        Assert.Contains(Good, System.Text.Encoding.Latin1.GetString(reply), StringComparison.Ordinal);
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(reply)), lookup.ReplySha256);
    }

    [Fact]
    public async Task One_fitting_record_among_others_is_enough()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(Owner, "other", Good, "another");

        Assert.True((await ValidateAsync(zone)).IsValid);
    }

    [Fact]
    public async Task A_wildcard_is_proved_at_its_base_name()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt("_acme-challenge.example.com", Good);

        var result = await ValidateAsync(zone, Sample.Attempt("*.example.com"));

        Assert.True(result.IsValid, result.Problem?.Detail);
        Assert.True(result.Evidence.Wildcard);
        Assert.Equal("example.com", result.Evidence.Name);
    }

    [Fact]
    public async Task An_alias_is_followed()
    {
        await using var zone = Sample.Zone();
        zone.SetCname(Owner, "validation.example.net");
        zone.SetTxt("validation.example.net", Good);

        var result = await ValidateAsync(zone);

        Assert.True(result.IsValid, result.Problem?.Detail);
        Assert.Equal("validation.example.net", Assert.Single(Assert.Single(result.Evidence.Lookups!).Cnames!));
    }

    [Fact]
    public async Task Neither_case_nor_white_space_is_forgiven()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(Owner, Good.ToUpperInvariant(), Good + " ", " " + Good);

        AssertRefused(await ValidateAsync(zone), ProblemCatalog.Unauthorized, "None of the 3 TXT record(s)");
    }

    [Fact]
    public async Task Wrong_values_are_counted_and_the_first_are_shown_short_and_printable()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(Owner, "line\nbreak", new string('a', 300), "b", "c", "d");

        var result = await ValidateAsync(zone);

        AssertRefused(result, ProblemCatalog.Unauthorized, "None of the 5 TXT record(s)");
        Assert.Contains($"expected \"{Good}\"; found \"line?break\", \"{new string('a', 64)}...\", \"b\" and 2 more.", result.Problem!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_name_is_unauthorized()
    {
        await using var zone = Sample.Zone();

        AssertRefused(await ValidateAsync(zone), ProblemCatalog.Unauthorized, "does not exist in DNS (NXDOMAIN)");
    }

    [Fact]
    public async Task A_name_without_text_is_unauthorized()
    {
        await using var zone = Sample.Zone();
        zone.SetA(Owner, IPAddress.Loopback);

        AssertRefused(await ValidateAsync(zone), ProblemCatalog.Unauthorized, "has no TXT record");
    }

    [Theory]
    [InlineData(2, "SERVFAIL")]
    [InlineData(5, "REFUSED")]
    public async Task A_failed_look_up_is_a_dns_problem(int rcode, string named)
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(Owner, Good);
        zone.Fail(Owner, rcode);

        AssertRefused(await ValidateAsync(zone), ProblemCatalog.Dns, named);
    }

    [Fact]
    public async Task The_digest_for_an_older_key_proves_nothing()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(Owner, Good);
        var rolled = Sample.Account with { Thumbprints = ["new-thumbprint", Sample.Thumbprint] };

        AssertRefused(await ValidateAsync(zone, Sample.Attempt() with { Account = rolled }), ProblemCatalog.Unauthorized, "None of the 1");
    }

    [Fact]
    public async Task A_deactivated_account_proves_nothing_and_nothing_is_asked()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(Owner, Good);

        var result = await ValidateAsync(zone, Sample.Attempt() with { Account = Sample.Account with { IsValid = false } });

        AssertRefused(result, ProblemCatalog.Unauthorized, "deactivated or revoked");
        Assert.Empty(zone.Queries);
    }
}

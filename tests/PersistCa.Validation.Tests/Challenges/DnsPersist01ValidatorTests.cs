using Microsoft.Extensions.Time.Testing;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Validation.Challenges;

namespace PersistCa.Validation.Tests.Challenges;

public sealed class DnsPersist01ValidatorTests
{
    private const string Issuer = "ca.example";
    private const string AcmePersistOwner = "_acme-persist.www.example.com";
    private const string ValidationPersistOwner = "_validation-persist.www.example.com";
    private const string Draft01 = Issuer + "; accounturi=https://ca.example/acct/123";
    private const string AcmePersist = "v=acme-persist-01; ca=" + Issuer + "; account=" + Sample.Thumbprint;

    private static readonly DateTimeOffset Now = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);

    private static readonly PersistPolicy Policy = new(
        [IssuerName.Parse(Issuer).Value!], ["https://ca.example/account-hash/"], PersistDialects.All.ToHashSet());

    private static Task<ChallengeResult> ValidateAsync(LoopbackZone zone, PersistPolicy? policy = null, ChallengeAttempt? attempt = null) =>
        new DnsPersist01Validator(Sample.Resolver(zone), policy ?? Policy, new FakeTimeProvider(Now)).ValidateAsync(attempt ?? Sample.Attempt(), default);

    private static void AssertRefused(ChallengeResult result, ProblemType type, string detail)
    {
        Assert.False(result.IsValid);
        Assert.Equal(type, result.Problem!.Type);
        Assert.Contains(detail, result.Problem.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", result.Problem.Detail, StringComparison.Ordinal);
        Assert.Null(result.Dialect);
        Assert.False(result.Evidence.Valid);
    }

    [Theory]
    [InlineData(PersistDialect.AcmePersist, false)]
    [InlineData(PersistDialect.Draft01, false)]
    [InlineData(PersistDialect.Draft02, true)]
    public async Task A_record_in_each_dialect_proves_control_and_the_evidence_names_the_dialect(PersistDialect dialect, bool reusable)
    {
        await using var zone = Sample.Zone();
        var until = Now.AddDays(30);
        var record = RecordText.For(dialect, Sample.Name("www.example.com").Name, Sample.Account, Policy, wildcard: false, until);
        zone.SetTxt(record.Owner, record.Value);

        var result = await ValidateAsync(zone);

        Assert.True(result.IsValid, result.Problem?.Detail);
        Assert.Equal(dialect, result.Dialect);
        Assert.Equal(reusable, result.Reusable);
        Assert.Equal(until, result.RecordExpires);
        Assert.Equal(dialect.Wire(), result.Evidence.Dialect);
        var judged = Assert.Single(result.Evidence.Judged!);
        Assert.Equal(record.Value, judged.Text);
        Assert.Equal("Fits", judged.Verdict);
        Assert.Equal(until, judged.Expires);
    }

    [Fact]
    public async Task Both_labels_are_asked_at_the_name()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(ValidationPersistOwner, Draft01);

        var result = await ValidateAsync(zone);

        Assert.Equal([AcmePersistOwner, ValidationPersistOwner], zone.Queries.Select(q => q.Owner).Order(StringComparer.Ordinal));
        Assert.Equal(2, result.Evidence.Lookups!.Count);
    }

    [Theory]
    [InlineData(new[] { PersistDialect.AcmePersist }, AcmePersistOwner)]
    [InlineData(new[] { PersistDialect.Draft01 }, ValidationPersistOwner)]
    [InlineData(new[] { PersistDialect.Draft02 }, ValidationPersistOwner)]
    public async Task Only_labels_of_enabled_dialects_are_asked(PersistDialect[] dialects, string owner)
    {
        await using var zone = Sample.Zone();

        await ValidateAsync(zone, Policy with { Dialects = dialects.ToHashSet() });

        Assert.Equal(owner, Assert.Single(zone.Queries).Owner);
    }

    [Fact]
    public async Task A_wildcard_is_asked_at_its_base_name_and_needs_the_scope()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt("_validation-persist.example.com", Draft01);

        AssertRefused(await ValidateAsync(zone, attempt: Sample.Attempt("*.example.com")), ProblemCatalog.Unauthorized, "policy=wildcard");

        zone.SetTxt("_validation-persist.example.com", Draft01 + "; policy=wildcard");
        Assert.True((await ValidateAsync(zone, attempt: Sample.Attempt("*.example.com"))).IsValid);
    }

    [Fact]
    public async Task A_failed_look_up_does_not_matter_when_the_other_brings_a_fitting_record()
    {
        await using var zone = Sample.Zone();
        zone.Fail(AcmePersistOwner, 2);
        zone.SetTxt(ValidationPersistOwner, Draft01);

        Assert.True((await ValidateAsync(zone)).IsValid);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("ca.example; accounturi=https://ca.example/acct/999")]
    public async Task A_failed_look_up_is_a_dns_problem_when_nothing_else_fits(string? other)
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(AcmePersistOwner, AcmePersist);
        zone.Fail(AcmePersistOwner, 2);
        if (other is not null)
        {
            zone.SetTxt(ValidationPersistOwner, other);
        }

        AssertRefused(await ValidateAsync(zone), ProblemCatalog.Dns, $"TXT {AcmePersistOwner} failed: the resolver answered SERVFAIL");
    }

    [Fact]
    public async Task No_record_is_unauthorized_and_the_detail_shows_one()
    {
        await using var zone = Sample.Zone();

        var result = await ValidateAsync(zone);

        AssertRefused(result, ProblemCatalog.Unauthorized, $"{ValidationPersistOwner} TXT \"{Issuer}; accounturi=");
        Assert.Null(result.Evidence.Judged);
    }

    [Theory]
    [InlineData(Draft01 + "; persistUntil=x", "Malformed")]
    [InlineData("ca.example; accounturi=https://ca.example/acct/999", "AccountDiffers")]
    [InlineData(Draft01 + "; persistUntil=1000000000", "Expired")]
    public async Task A_record_that_does_not_fit_is_kept_with_its_reason(string text, string reason)
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(ValidationPersistOwner, text);

        var result = await ValidateAsync(zone);

        AssertRefused(result, reason == "Malformed" ? ProblemCatalog.Malformed : ProblemCatalog.Unauthorized, ValidationPersistOwner);
        Assert.Equal(reason, Assert.Single(result.Evidence.Judged!).Verdict);
    }

    [Fact]
    public async Task Records_of_other_authorities_are_neither_judged_nor_shown()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(ValidationPersistOwner, "other-ca.example; accounturi=https://other-ca.example/secret", Draft01 + "9");

        var result = await ValidateAsync(zone);

        AssertRefused(result, ProblemCatalog.Unauthorized, "No record fits");
        Assert.DoesNotContain("other-ca", result.Problem!.Detail, StringComparison.Ordinal);
        Assert.Single(result.Evidence.Judged!);
        Assert.Contains(result.Evidence.Lookups!, l => l.Records?.Count == 2);
    }

    [Fact]
    public async Task More_records_than_are_judged_are_a_refusal_with_the_reason()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(ValidationPersistOwner, [Draft01, .. Enumerable.Range(0, 100).Select(i => $"v{i}")]);

        AssertRefused(await ValidateAsync(zone), ProblemCatalog.Dns, "more than 100 records");
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task The_record_is_judged_at_the_injected_time(int secondsLater, bool valid)
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(ValidationPersistOwner, $"{Draft01}; persistUntil={Now.ToUnixTimeSeconds()}");
        var validator = new DnsPersist01Validator(Sample.Resolver(zone), Policy, new FakeTimeProvider(Now.AddSeconds(secondsLater)));

        Assert.Equal(valid, (await validator.ValidateAsync(Sample.Attempt(), default)).IsValid);
    }

    [Fact]
    public async Task An_alias_is_followed_and_the_record_counts_for_the_name_asked()
    {
        await using var zone = Sample.Zone();
        zone.SetCname(ValidationPersistOwner, "records.example.net");
        var record = RecordText.For(PersistDialect.Draft02, Sample.Name("www.example.com").Name, Sample.Account, Policy, wildcard: false, null);
        zone.SetTxt("records.example.net", record.Value);

        var result = await ValidateAsync(zone);

        Assert.True(result.IsValid, result.Problem?.Detail);
        Assert.Null(result.RecordExpires);
    }

    [Fact]
    public async Task A_deactivated_account_proves_nothing_and_nothing_is_asked()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(ValidationPersistOwner, Draft01);

        var result = await ValidateAsync(zone, attempt: Sample.Attempt() with { Account = Sample.Account with { IsValid = false } });

        AssertRefused(result, ProblemCatalog.Unauthorized, "deactivated or revoked");
        Assert.Empty(zone.Queries);
    }

    [Fact]
    public async Task Cancellation_is_cancellation_and_not_a_verdict()
    {
        await using var zone = Sample.Zone();
        zone.Drop(ValidationPersistOwner);
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        var validator = new DnsPersist01Validator(Sample.Resolver(zone), Policy, TimeProvider.System);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => validator.ValidateAsync(Sample.Attempt(), cancel.Token));
    }
}

using Microsoft.Extensions.Time.Testing;
using PersistCa.Server.Demo;
using PersistCa.Validation.Challenges;

namespace PersistCa.Validation.Tests.Challenges;

/// <summary>A name and its wildcard share one owner name; a client may take both digests away after the first was validated.</summary>
public sealed class SharedOwnerTests
{
    private const string Owner = "_acme-challenge.www.example.com";
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(10);
    private readonly FakeTimeProvider time = new();
    private readonly ChallengeAttempt first = Sample.Attempt();
    private readonly ChallengeAttempt second = Sample.Attempt("*.www.example.com") with { Token = "c2Vjb25kLXRva2VuLW9mLXRoZS13aWxkY2FyZC1uYW1l" };

    private async Task<ChallengeResult> SecondAfterAsync(TimeSpan wait, ChallengeAttempt attempt, bool published = true)
    {
        await using var zone = Sample.Zone();
        var validator = new Dns01Validator(Sample.Resolver(zone), time, new RecentTxt(time, Span));
        zone.SetTxt(Owner, published ? [Dns01Validator.RecordValue(first.KeyAuthorization), Dns01Validator.RecordValue(second.KeyAuthorization)] : [Dns01Validator.RecordValue(first.KeyAuthorization)]);
        Assert.True((await validator.ValidateAsync(first, default)).IsValid);
        zone.ClearTxt(Owner);
        time.Advance(wait);
        return await validator.ValidateAsync(attempt, default);
    }

    [Fact]
    public async Task A_digest_seen_a_moment_ago_still_proves_control()
    {
        var result = await SecondAfterAsync(Span, second);

        Assert.True(result.IsValid, result.Problem?.Detail);
        Assert.Contains("held the digest", result.Evidence.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_digest_seen_longer_ago_proves_nothing() =>
        Assert.Contains("digest of the key authorization was expected", (await SecondAfterAsync(Span + TimeSpan.FromSeconds(1), second)).Problem!.Detail, StringComparison.Ordinal);

    [Fact]
    public async Task A_digest_that_was_never_seen_proves_nothing() =>
        Assert.False((await SecondAfterAsync(TimeSpan.Zero, second, published: false)).IsValid);

    [Fact]
    public async Task What_one_account_showed_proves_nothing_for_another() =>
        Assert.False((await SecondAfterAsync(TimeSpan.Zero, second with { Account = second.Account with { Id = "456" } })).IsValid);

    [Fact]
    public async Task A_failed_look_up_is_a_failure_whatever_was_seen()
    {
        await using var zone = Sample.Zone();
        var validator = new Dns01Validator(Sample.Resolver(zone), time, new RecentTxt(time, Span));
        zone.SetTxt(Owner, Dns01Validator.RecordValue(first.KeyAuthorization), Dns01Validator.RecordValue(second.KeyAuthorization));
        Assert.True((await validator.ValidateAsync(first, default)).IsValid);
        zone.Fail(Owner, 2);

        Assert.Equal("dns", (await validator.ValidateAsync(second, default)).Problem!.Type.Name);
    }
}

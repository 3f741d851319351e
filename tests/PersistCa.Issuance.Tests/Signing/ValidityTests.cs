using CsCheck;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Acme;

namespace PersistCa.Issuance.Tests.Signing;

public sealed class ValidityTests
{
    private static readonly DateTimeOffset Now = TestAuthority.Request().Now;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly ServerProfile Profile = new();

    private static async Task<PersistCa.Protocol.Outcome<IssuanceIntent>> PrepareAsync(DateTimeOffset? from, DateTimeOffset? to, ServerProfile? profile = null, DateTimeOffset? now = null) =>
        (await TestAuthority.CertificateIssuerAsync(profile)).Prepare(TestAuthority.Request() with { NotBefore = from, NotAfter = to, Now = now ?? Now });

    [Fact]
    public async Task Without_a_wish_the_validity_begins_a_minute_ago_and_has_its_full_length()
    {
        var intent = (await PrepareAsync(null, null)).Value;
        Assert.Equal(Now.AddMinutes(-1), intent.NotBefore);
        Assert.Equal(Now.AddMinutes(-1).AddDays(90).AddSeconds(-1), intent.NotAfter);
    }

    [Fact]
    public async Task Fractions_of_a_second_are_dropped()
    {
        var intent = (await PrepareAsync(null, null, now: Now.AddMilliseconds(999))).Value;
        Assert.Equal(Now.AddMinutes(-1), intent.NotBefore);
    }

    [Fact]
    public async Task A_wish_within_the_limits_is_granted_exactly()
    {
        var (from, to) = (Now.AddHours(3), Now.AddDays(7));
        var intent = (await PrepareAsync(from, to)).Value;
        Assert.Equal((from, to), (intent.NotBefore, intent.NotAfter));
    }

    [Theory]
    [InlineData(48, 0, true)]
    [InlineData(48, 1, false)]
    [InlineData(-48, 0, true)]
    [InlineData(-48, -1, false)]
    public async Task A_wished_notBefore_lies_within_48_hours_of_now(int hours, int seconds, bool granted)
    {
        // The issuer of these tests is a day old, which would cut the earlier ones; so it is asked two days later.
        var now = Now.AddDays(2);
        var from = now.AddHours(hours).AddSeconds(seconds);
        var prepared = await PrepareAsync(from, null, now: now);
        if (granted)
        {
            Assert.Equal(from, prepared.Value.NotBefore);
        }
        else
        {
            Assert.Equal(ProblemCatalog.Malformed, prepared.Problem?.Type);
            Assert.Contains("must lie within 48 hours of now", prepared.Problem!.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_wished_notAfter_is_granted_to_the_second_or_refused()
    {
        var from = Now;
        var longest = from + Profile.Validity - Second;
        Assert.Equal(longest, (await PrepareAsync(from, longest)).Value.NotAfter);
        var refused = await PrepareAsync(from, longest + Second);
        Assert.Equal(ProblemCatalog.Malformed, refused.Problem?.Type);
        Assert.Contains("it can be no later than", refused.Problem!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task For_the_longest_life_from_now_the_backdating_gives_way()
    {
        var intent = (await PrepareAsync(null, Now + Profile.Validity)).Value;
        Assert.Equal((Now + Second, Now + Profile.Validity), (intent.NotBefore, intent.NotAfter));
        Assert.Contains("it can be no later than", (await PrepareAsync(null, Now + Profile.Validity + Second)).Problem?.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Times_outside_the_issuers_own_are_refused_and_not_cut()
    {
        var issuing = await TestAuthority.IssuingAsync();
        var late = issuing.NotAfter.AddDays(-10);
        Assert.False((await PrepareAsync(null, issuing.NotAfter, now: late)).IsRefused);
        Assert.Contains("outside the issuer's own", (await PrepareAsync(null, issuing.NotAfter + Second, now: late)).Problem?.Detail, StringComparison.Ordinal);
        Assert.False((await PrepareAsync(issuing.NotBefore, null, now: issuing.NotBefore)).IsRefused);
        Assert.Contains("outside the issuer's own", (await PrepareAsync(issuing.NotBefore - Second, null, now: issuing.NotBefore)).Problem?.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_validity_that_is_over_is_refused()
    {
        Assert.Contains("No validity is left", (await PrepareAsync(null, Now)).Problem?.Detail, StringComparison.Ordinal);
        Assert.Contains("No validity is left", (await PrepareAsync(Now.AddHours(2), Now.AddHours(2))).Problem?.Detail, StringComparison.Ordinal);
        Assert.False((await PrepareAsync(null, Now + Second)).IsRefused);
    }

    [Fact]
    public async Task A_certificate_does_not_outlive_its_issuer()
    {
        var issuing = await TestAuthority.IssuingAsync();
        Assert.Equal(issuing.NotAfter, (await PrepareAsync(null, null, now: issuing.NotAfter.AddDays(-10))).Value.NotAfter);
        Assert.Contains("No validity is left", (await PrepareAsync(null, null, now: issuing.NotAfter)).Problem?.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_does_not_begin_before_its_issuer() =>
        Assert.Equal(TestAuthority.Now, (await PrepareAsync(null, null, now: TestAuthority.Now)).Value.NotBefore);

    [Fact]
    public async Task No_certificate_is_one_second_too_long()
    {
        var issuing = await TestAuthority.IssuingAsync();
        var request = TestAuthority.Request();
        var life = (int)(issuing.NotAfter - issuing.NotBefore).TotalSeconds;
        var offset = Gen.Int[-200_000, 200_000].Nullable();
        var length = Gen.OneOf(Gen.Int[-100, 8_000_000].Nullable(), Gen.Int[-70, 70].Nullable());
        Gen.Select(Gen.Int[0, life], Gen.Int[0, 9_999_999], offset, length, Gen.Int[2, 8_000_000]).Sample(
            (at, ticks, from, to, validity) =>
            {
                var profile = new ServerProfile { Validity = TimeSpan.FromSeconds(validity) };
                var now = issuing.NotBefore.AddSeconds(at).AddTicks(ticks);
                var notBefore = from is { } f ? now.AddSeconds(f) : (DateTimeOffset?)null;
                var notAfter = to is { } t ? (notBefore ?? now).AddSeconds(t < 100 ? validity + t : t) : (DateTimeOffset?)null;
                var prepared = new CertificateIssuer(issuing, profile).Prepare(request with { Now = now, NotBefore = notBefore, NotAfter = notAfter });
                if (prepared.IsRefused)
                {
                    return prepared.Problem.Type == ProblemCatalog.Malformed; // never because the lint caught what the issuer got wrong
                }

                var intent = prepared.Value;
                return intent.NotAfter - intent.NotBefore + Second <= profile.Validity
                    && intent.NotAfter > intent.NotBefore
                    && intent.NotAfter <= issuing.NotAfter
                    && intent.NotBefore >= issuing.NotBefore
                    && (intent.NotBefore - now).Duration() <= TimeSpan.FromHours(48) + Second
                    && (notBefore is null || intent.NotBefore == Whole(notBefore.Value))
                    && (notAfter is null || intent.NotAfter == Whole(notAfter.Value));
            },
            iter: 2000,
            threads: 1);

        static DateTimeOffset Whole(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());
    }
}

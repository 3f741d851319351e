using System.Net;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Identifiers;
using PersistCa.Server.Demo;
using PersistCa.Validation.CaaLookup;

namespace PersistCa.Validation.Tests.CaaLookup;

/// <summary>The same over a real socket: what the resolver reads is what is judged.</summary>
public sealed class CaaOverTheWireTests
{
    private static Task<CaaCheck> CheckAsync(LoopbackZone zone, string name = "www.example.com") =>
        new CaaClimb(
            Sample.Resolver(Sample.Options(zone.EndPoint) with { Timeout = TimeSpan.FromMilliseconds(500), Retries = 1 }),
            new CaaPolicy([IssuerName.Parse("ca.example").Value!]),
            CaaModes.Enforced,
            new CaaLookupOptions(),
            TimeProvider.System).CheckAsync(CaaQuestion.For(Sample.Name(name), Sample.Account, ChallengeType.DnsPersist01), default);

    private static string Rdata(string tag, string value, byte flags = 0) => new CaaRecord(flags, tag, value).ToRdata();

    [Fact]
    public async Task Records_are_read_from_the_wire_and_names_without_any_are_climbed()
    {
        await using var zone = Sample.Zone();
        zone.SetA("www.example.com", IPAddress.Loopback);
        zone.SetCaa("example.com", Rdata("issue", "ca.example; validationmethods=dns-persist-01"), Rdata("iodef", "mailto:a@example.com"));

        var check = await CheckAsync(zone);

        Assert.Equal((CaaReason.Authorized, "example.com"), (check.Result.Verdict.Reason, check.Result.Verdict.RelevantName!.Text));
        Assert.Equal(["NoData", "Answered", "NoData"], check.Evidence.Lookups!.Select(l => l.Status));
        Assert.Equal("0 issue \"ca.example; validationmethods=dns-persist-01\"", check.Evidence.Matched);
    }

    [Fact]
    public async Task A_critical_flag_comes_over_the_wire()
    {
        await using var zone = Sample.Zone();
        zone.SetCaa("example.com", Rdata("issue", "ca.example"), Rdata("tbs", "unknown", CaaRecord.CriticalFlag));

        Assert.Equal(CaaReason.CriticalUnknown, (await CheckAsync(zone)).Result.Verdict.Reason);
    }

    [Fact]
    public async Task Octets_outside_ascii_permit_nobody()
    {
        await using var zone = Sample.Zone();
        zone.SetCaa("example.com", Rdata("issue", "ca.example\u00FF"), Rdata("issue", "b\u00C3\u00BCcher.example"));

        Assert.Equal(CaaReason.ValueMalformed, (await CheckAsync(zone)).Result.Verdict.Reason);
    }

    [Fact]
    public async Task Rdata_that_breaks_its_own_lengths_never_permits()
    {
        await using var zone = Sample.Zone();
        zone.SetCaa("www.example.com", "\0\u00FFissue");
        zone.SetCaa("example.com", Rdata("issue", "ca.example"));

        Assert.False((await CheckAsync(zone)).Result.MayIssue);
    }

    [Fact]
    public async Task An_alias_is_followed_by_the_resolver()
    {
        await using var zone = Sample.Zone();
        zone.SetCname("www.example.com", "host.other.test");
        zone.SetCaa("host.other.test", Rdata("issue", ";"));

        var check = await CheckAsync(zone);

        Assert.Equal((CaaReason.NobodyMayIssue, "www.example.com"), (check.Result.Verdict.Reason, check.Result.Verdict.RelevantName!.Text));
    }

    [Fact]
    public async Task Names_that_do_not_exist_are_climbed()
    {
        await using var zone = Sample.Zone(new LoopbackZoneOptions());
        zone.SetCaa("com", Rdata("issue", "other.example"));

        var check = await CheckAsync(zone);

        Assert.Equal((CaaReason.OtherIssuer, "com"), (check.Result.Verdict.Reason, check.Result.Verdict.RelevantName!.Text));
        Assert.Equal("NxDomain", check.Evidence.Lookups![0].Status);
    }

    [Theory]
    [InlineData(2, "SERVFAIL")]
    [InlineData(5, "REFUSED")]
    public async Task A_response_code_that_says_nothing_is_refused_with_its_name(int code, string word)
    {
        await using var zone = Sample.Zone();
        zone.Fail("example.com", code);

        var check = await CheckAsync(zone);

        Assert.Equal(CaaReason.LookupFailed, check.Result.Verdict.Reason);
        Assert.Contains($"records of example.com failed: the resolver answered {word}", check.Result.Problem!.Detail, StringComparison.Ordinal);
        Assert.Equal(2, check.Evidence.Lookups![1].Attempts);
    }

    [Fact]
    public async Task Silence_is_refused()
    {
        await using var zone = Sample.Zone();
        zone.Drop("www.example.com");

        var check = await CheckAsync(zone);

        Assert.Equal(CaaReason.LookupFailed, check.Result.Verdict.Reason);
        Assert.Contains("no answer came in time", check.Result.Problem!.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", check.Result.Problem.Detail, StringComparison.Ordinal);
    }
}

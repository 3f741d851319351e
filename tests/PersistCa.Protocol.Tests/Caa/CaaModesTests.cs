using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Tests.Caa;

public sealed class CaaModesTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);

    private static CaaModes Modes(params (string Suffix, CaaMode Mode)[] suffixes) => CaaModes.Create(Pairs(suffixes)).Value!;

    private static IEnumerable<KeyValuePair<string, CaaMode>> Pairs((string Suffix, CaaMode Mode)[] suffixes) => suffixes.Select(s => KeyValuePair.Create(s.Suffix, s.Mode));

    private static CaaResult Permitted(int ttl) => new(new CaaVerdict(CaaOutcome.Permitted, CaaReason.Authorized, "") { TtlSeconds = ttl }, CaaMode.Enforce, At);

    [Theory]
    [InlineData("example.com", CaaMode.Enforce)]
    [InlineData("lan", CaaMode.Off)]
    [InlineData("db.lan", CaaMode.Off)]
    [InlineData("notlan", CaaMode.Enforce)]
    [InlineData("lan.example", CaaMode.Enforce)]
    [InlineData("corp.example", CaaMode.Report)]
    [InlineData("a.b.corp.example", CaaMode.Report)]
    [InlineData("pay.corp.example", CaaMode.Enforce)]
    [InlineData("x.pay.corp.example", CaaMode.Enforce)]
    [InlineData("xpay.corp.example", CaaMode.Report)]
    public void The_longest_suffix_wins_and_else_all_is_enforced(string name, CaaMode mode)
    {
        var modes = Modes(("lan", CaaMode.Off), ("Corp.Example", CaaMode.Report), ("pay.corp.example", CaaMode.Enforce));

        Assert.Equal(mode, modes.For(DnsName.Parse(name).Value!));
        Assert.Equal(CaaMode.Enforce, CaaModes.Enforced.For(DnsName.Parse(name).Value!));
    }

    [Fact]
    public void A_suffix_that_is_no_name_or_stands_there_twice_is_refused()
    {
        Assert.Contains("'.lan' is no name", CaaModes.Create(Pairs([(".lan", CaaMode.Off)])).Reason, StringComparison.Ordinal);
        Assert.Contains("'lan' has two modes", CaaModes.Create(Pairs([("lan", CaaMode.Off), ("LAN", CaaMode.Off)])).Reason, StringComparison.Ordinal);
        Assert.Contains("has the mode 9", CaaModes.Create(Pairs([("lan", (CaaMode)9)])).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 28_800)]
    [InlineData(-1, 28_800)]
    [InlineData(int.MinValue, 28_800)]
    [InlineData(28_800, 28_800)]
    [InlineData(28_801, 28_801)]
    [InlineData(86_400, 86_400)]
    [InlineData(int.MaxValue, 604_800)]
    public void A_permission_holds_for_its_ttl_or_eight_hours_and_never_above_a_week(int ttl, int seconds)
    {
        var result = Permitted(ttl);

        Assert.Equal(At.AddSeconds(seconds), result.FreshUntil);
        Assert.True(result.IsFresh(At.AddSeconds(seconds)));
        Assert.False(result.IsFresh(At.AddSeconds(seconds).AddTicks(1)));
    }

    [Fact]
    public void A_permission_of_the_future_is_not_fresh()
    {
        Assert.True(Permitted(0).IsFresh(At));
        Assert.False(Permitted(0).IsFresh(At.AddTicks(-1)));
    }

    [Fact]
    public void A_refusal_is_never_fresh()
    {
        var result = new CaaResult(new CaaVerdict(CaaOutcome.Forbidden, CaaReason.OtherIssuer, "no"), CaaMode.Enforce, At);

        Assert.Null(result.FreshUntil);
        Assert.False(result.IsFresh(At));
    }

    [Fact]
    public void What_is_switched_off_is_permitted_for_eight_hours_and_says_so()
    {
        var result = CaaResult.SwitchedOff(At);

        Assert.Equal((CaaReason.SwitchedOff, CaaMode.Off, true, At.AddHours(8)), (result.Verdict.Reason, result.Mode, result.MayIssue, result.FreshUntil));
        Assert.False(result.WouldRefuse);
    }
}

using CsCheck;
using PersistCa.Protocol.Limits;

namespace PersistCa.Protocol.Tests.Limits;

public sealed class RateLimitTests
{
    private static readonly RateLimit Three = new(3, TimeSpan.FromSeconds(30));

    [Theory]
    [InlineData("300/01:00:00", 300, 3600)]
    [InlineData("1/1.00:00:00", 1, 86400)]
    public void A_limit_is_read_as_it_is_written(string text, int count, int seconds)
    {
        var read = RateLimit.Parse(text);
        Assert.Equal(new RateLimit(count, TimeSpan.FromSeconds(seconds)), read.Value);
        Assert.Equal(text, read.Value!.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("300")]
    [InlineData("/01:00:00")]
    [InlineData("0/01:00:00")]
    [InlineData("-1/01:00:00")]
    [InlineData("10000001/01:00:00")]
    [InlineData("3/00:00:00.5")]
    [InlineData("3/367.00:00:00")]
    [InlineData("3/hour")]
    [InlineData("OFF")]
    public void What_is_no_limit_is_refused_with_the_form(string text) => Assert.Contains("COUNT/PERIOD", RateLimit.Parse(text).Reason, StringComparison.Ordinal);

    [Fact]
    public void Off_is_no_limit_at_all()
    {
        var off = RateLimit.Parse("off").Value!;
        Assert.True(off.IsOff);
        Assert.NotNull(off.Take(long.MaxValue / 2, 0).Full);
    }

    [Fact]
    public void A_bucket_gives_its_count_at_once_and_then_one_per_interval()
    {
        long full = 0;
        long now = 1_000_000_000;
        for (var i = 0; i < 3; i++)
        {
            full = Three.Take(full, now).Full!.Value;
        }

        Assert.Equal((null, TimeSpan.FromSeconds(10)), Three.Take(full, now));
        Assert.Equal((null, TimeSpan.FromMicroseconds(1)), Three.Take(full, now + 9_999_999));
        Assert.NotNull(Three.Take(full, now + 10_000_000).Full);
    }

    [Fact]
    public void In_no_period_are_more_than_twice_the_count_taken_and_never_more_than_the_count_at_once() =>
        Gen.Select(Gen.Int[1, 20], Gen.Int[1, 100], Gen.Int[0, 2_000_000].Array[1, 200]).Sample((count, seconds, gaps) =>
        {
            var limit = new RateLimit(count, TimeSpan.FromSeconds(seconds));
            long full = 0;
            long now = 1_000_000_000_000;
            var taken = new List<long>();
            foreach (var gap in gaps)
            {
                now += gap;
                if (limit.Take(full, now).Full is { } next)
                {
                    full = next;
                    taken.Add(now);
                }
            }

            return taken.All(start => taken.Count(t => t >= start && t < start + (seconds * 1_000_000L)) <= 2 * count)
                && taken.GroupBy(t => t).All(g => g.Count() <= count);
        });
}

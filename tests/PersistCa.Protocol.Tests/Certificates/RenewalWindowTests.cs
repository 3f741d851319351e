using CsCheck;
using PersistCa.Protocol.Certificates;

namespace PersistCa.Protocol.Tests.Certificates;

/// <summary>RFC 9773 section 4.2.</summary>
public sealed class RenewalWindowTests
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly RenewalFractions Usual = new(65, 5, 5);

    private static readonly Gen<string> Serials = Gen.Byte.Array[1, 20].Select(Convert.ToHexStringLower);

    [Fact]
    public void A_window_lies_where_the_fractions_say_ends_after_it_starts_and_within_the_certificates_life() => Gen.Select(
        Serials, Gen.Long[600, 825L * 86_400], Gen.Int[1, 99], Gen.Int[0, 90], Gen.Int[1, 90]).Sample((serial, life, start, spread, length) =>
    {
        if (start + spread + length > 100)
        {
            return;
        }

        var end = Start.AddSeconds(life);
        var window = RenewalWindow.Of(serial, Start, end, new RenewalFractions(start, spread, length));
        Assert.True(window.Start < window.End);
        Assert.InRange(window.Start, Start.AddSeconds(Math.Floor(life * start / 100.0)), Start.AddSeconds(Math.Ceiling(life * (start + spread) / 100.0)));
        Assert.True(window.End <= end.AddSeconds(1));
        Assert.Equal(0, window.Start.Ticks % TimeSpan.TicksPerSecond);
        Assert.Equal(window, RenewalWindow.Of(serial, Start, end, new RenewalFractions(start, spread, length)));
    });

    [Fact]
    public void Windows_of_certificates_that_were_issued_together_are_spread()
    {
        var end = Start.AddDays(90);
        var starts = Enumerable.Range(0, 4000).Select(i => RenewalWindow.Of($"{i + 4096:x8}", Start, end, Usual).Start).Order().ToList();
        var (first, last) = (Start.AddDays(90 * 0.65), Start.AddDays(90 * 0.70));

        // A tenth of the spread holds about a tenth of them.
        for (var tenth = 0; tenth < 10; tenth++)
        {
            var (from, to) = (first + ((last - first) * (tenth / 10.0)), first + ((last - first) * ((tenth + 1) / 10.0)));
            Assert.InRange(starts.Count(s => s >= from && s < to), 300, 500);
        }
    }

    [Theory]
    [InlineData(90, 58.5, 63)]
    [InlineData(6, 3.9, 4.2)]
    public void The_usual_fractions_leave_a_third_of_the_life(int days, double earliest, double latest) =>
        Assert.InRange(RenewalWindow.Of("0a", Start, Start.AddDays(days), Usual).Start, Start.AddDays(earliest), Start.AddDays(latest));

    [Fact]
    public void A_window_of_what_is_to_be_renewed_at_once_is_over()
    {
        var past = RenewalWindow.Past(Start.AddMilliseconds(7));
        Assert.Equal((Start.AddHours(-2), Start.AddHours(-1)), (past.Start, past.End));
    }
}

using System.Text.Json;
using CsCheck;
using PersistCa.Protocol.Mpic;

namespace PersistCa.Protocol.Tests.Mpic;

/// <summary>The quorum of BR section 3.2.2.9, by a file of combinations and by properties.</summary>
public sealed class MpicQuorumTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    private static readonly string[] Words = ["arin", "ripe ncc", "apnic", "", "site-b"];

    private static readonly Gen<PerspectiveFinding> Findings = Gen.Int[1, 3].Select(f => (PerspectiveFinding)f);

    private static readonly Gen<PerspectiveVerdict[]> Panels = Gen.Select(Findings, Gen.Int[0, 4].Select(r => Words[r])).Array[0, 9]
        .Select(rows => rows.Select((r, i) => new PerspectiveVerdict($"p{i}", r.Item2, r.Item1, "as it is")).ToArray());

    private static readonly Gen<DateTimeOffset> Dates = Gen.Long[0, 5 * 365].Select(d => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddDays(d));

    [Fact]
    public void Every_combination_of_the_file_is_decided_as_it_says()
    {
        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "mpic.json")));
        var cases = file.RootElement.GetProperty("cases").EnumerateArray().ToList();
        Assert.True(cases.Count > 150, "the file has fewer combinations than it should");
        Assert.All(cases, vector =>
        {
            var regions = vector.GetProperty("regions").EnumerateArray().Select(r => r.GetString()!).ToList();
            var misses = vector.GetProperty("misses").GetInt32();
            foreach (var miss in new[] { PerspectiveFinding.Differs, PerspectiveFinding.Failed })
            {
                var verdicts = regions.Select((r, i) => new PerspectiveVerdict($"p{i}", r, i < regions.Count - misses ? PerspectiveFinding.Corroborates : miss, "as it is")).ToList();

                var decision = Quorum(vector.GetProperty("regime").GetString()!).Decide(verdicts, vector.GetProperty("at").GetDateTimeOffset());

                Assert.Equal(vector.GetProperty("reason").GetString(), decision.Reason.ToString());
                Assert.Equal(vector.GetProperty("text").GetString(), decision.Text);
                Assert.Equal(decision.Reason == MpicReason.Enough, decision.IsSatisfied);
            }
        });
    }

    [Fact]
    public void A_number_that_is_needed_only_adds_to_what_the_table_says() => Gen.Select(Panels, Dates, Gen.Int[0, 9]).Sample((panel, now, needed) =>
    {
        var (plain, narrowed) = (MpicQuorum.Private.Decide(panel, now), MpicQuorum.Private.Needing(needed).Decide(panel, now));
        Assert.Equal(plain.IsSatisfied && plain.Corroborating >= needed, narrowed.IsSatisfied);
        Assert.Equal(MpicQuorum.CabfBr.Decide(panel, now).IsSatisfied && plain.Corroborating >= needed, MpicQuorum.CabfBr.Needing(needed).Decide(panel, now).IsSatisfied);
    });

    [Fact]
    public void The_order_of_the_verdicts_changes_nothing() => Gen.Select(Panels, Dates).SelectMany(p => Gen.Shuffle(p.Item1.ToArray()).Select(s => (p.Item1, s, p.Item2))).Sample(t =>
    {
        var (one, other) = (MpicQuorum.CabfBr.Decide(t.Item1, t.Item3), MpicQuorum.CabfBr.Decide(t.s, t.Item3));
        Assert.Equal((one.Reason, one.Text, one.Detail), (other.Reason, other.Text, other.Detail));
        Assert.Equal(one.Regions.AsEnumerable(), other.Regions);
    });

    [Fact]
    public void Turning_a_miss_into_a_corroboration_never_turns_enough_into_too_few() => Gen.Select(Panels, Dates, Gen.Int[0, 8]).Sample((panel, now, at) =>
    {
        if (at < panel.Length && MpicQuorum.CabfBr.Decide(panel, now).IsSatisfied)
        {
            panel[at] = panel[at] with { Finding = PerspectiveFinding.Corroborates };
            Assert.True(MpicQuorum.CabfBr.Decide(panel, now).IsSatisfied);
        }
    });

    [Fact]
    public void What_satisfies_the_baseline_requirements_satisfies_a_private_network_and_an_earlier_date() => Gen.Select(Panels, Dates, Gen.Int[0, 2000]).Sample((panel, now, days) =>
    {
        if (MpicQuorum.CabfBr.Decide(panel, now).IsSatisfied)
        {
            Assert.True(MpicQuorum.Private.Decide(panel, now).IsSatisfied);
            Assert.True(MpicQuorum.CabfBr.Decide(panel, now.AddDays(-days)).IsSatisfied);
        }
    });

    [Fact]
    public void Never_enough_with_more_misses_than_two_nor_with_none_that_corroborates() => Gen.Select(Panels, Dates).Sample((panel, now) =>
    {
        foreach (var decision in new[] { MpicQuorum.CabfBr.Decide(panel, now), MpicQuorum.Private.Decide(panel, now) })
        {
            var seen = panel.Count(v => v.Finding == PerspectiveFinding.Corroborates);
            Assert.True(!decision.IsSatisfied || (seen > 0 && panel.Length - seen <= 2));
            Assert.Equal($"{seen}/{panel.Length}", decision.Text);
            Assert.All(decision.Detail, c => Assert.InRange(c, ' ', '~'));
        }
    });

    [Fact]
    public void A_perspective_that_is_counted_twice_is_a_mistake() => Assert.Throws<ArgumentException>(() => MpicQuorum.Private.Decide(
        [new("a", "", PerspectiveFinding.Corroborates, ""), new("a", "", PerspectiveFinding.Failed, "")], Now));

    [Fact]
    public void Nobody_asked_is_never_enough() => Assert.All([MpicQuorum.CabfBr, MpicQuorum.Private], q => Assert.Equal(MpicReason.TooFewAsked, q.Decide([], Now).Reason));

    [Theory]
    [InlineData("ARIN", "arin")]
    [InlineData("RIPE", "ripe ncc")]
    [InlineData(" ripe ncc ", "ripe ncc")]
    [InlineData("eu-west-1", null)]
    [InlineData("", null)]
    public void Regions_are_those_of_the_registries_without_regard_to_case(string word, string? registry) => Assert.Equal(registry, InternetRegistries.Read(word));

    [Fact]
    public void Regions_that_are_no_registrys_do_not_count()
    {
        PerspectiveVerdict[] panel = [.. new[] { "arin", "arin", "site-b", "site-c", "RIPE" }.Select((r, i) => new PerspectiveVerdict($"p{i}", r, i < 4 ? PerspectiveFinding.Corroborates : PerspectiveFinding.Failed, ""))];

        Assert.Equal(MpicReason.TooFewRegions, MpicQuorum.CabfBr.Decide(panel, Now).Reason);
    }

    private static MpicQuorum Quorum(string regime) => regime == "cabf-br" ? MpicQuorum.CabfBr : MpicQuorum.Private;
}

using System.Collections.Immutable;
using System.Globalization;

namespace PersistCa.Protocol.Mpic;

/// <summary>What is demanded of remote perspectives from a moment on: one row of a table.</summary>
/// <param name="From">The moment; a row holds until the next one begins.</param>
/// <param name="LeastRemotes">Remote perspectives that must be asked.</param>
/// <param name="LeastRegions">Distinct registries' regions among those that corroborate; 0 where regions do not count.</param>
public sealed record MpicRequirement(DateTimeOffset From, int LeastRemotes, int LeastRegions);

/// <summary>Why a quorum decision is as it is.</summary>
public enum MpicReason
{
    /// <summary>Enough corroborate.</summary>
    Enough = 1,

    /// <summary>Fewer perspectives were asked than the date demands.</summary>
    TooFewAsked = 2,

    /// <summary>More than the allowed number do not corroborate.</summary>
    TooFewCorroborate = 3,

    /// <summary>Those that corroborate are in too few regions.</summary>
    TooFewRegions = 4,
}

/// <summary>What the verdicts of all remote perspectives come to.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Corroborating">Perspectives that corroborate.</param>
/// <param name="Asked">Perspectives that were asked.</param>
/// <param name="Detail">The same in a sentence, fit for the account's owner.</param>
public sealed record MpicDecision(MpicReason Reason, int Corroborating, int Asked, string Detail)
{
    /// <summary>True when a certificate may rest on it.</summary>
    public bool IsSatisfied => Reason == MpicReason.Enough;

    /// <summary>The quorum as it is logged (BR section 5.4.1): corroborating out of asked, as "3/4".</summary>
    public string Text => string.Create(CultureInfo.InvariantCulture, $"{Corroborating}/{Asked}");

    /// <summary>Registries' regions of those that corroborate, in the order of the alphabet.</summary>
    public ImmutableArray<string> Regions { get; init; } = [];
}

/// <summary>
/// How many remote perspectives must see what the primary saw (BR section 3.2.2.9). Pure: verdicts and the time go in, a decision comes out. The
/// primary is not among the verdicts: without its own success nobody else is asked.
/// </summary>
public sealed class MpicQuorum
{
    private readonly ImmutableArray<MpicRequirement> rows;

    private readonly int needed;

    private MpicQuorum(IEnumerable<MpicRequirement> rows, int needed = 0) => (this.rows, this.needed) = ([.. rows.OrderBy(r => r.From)], needed);

    /// <summary>
    /// The Baseline Requirements: 3 remote perspectives from 2026-03-15, 4 from 2026-06-15, 5 from 2026-12-15, and the corroborating ones in the regions
    /// of two registries. Before the first row it holds too: an earlier date on this program's clock is a wrong clock.
    /// </summary>
    public static MpicQuorum CabfBr { get; } = new([Row(2026, 3, 15, 3), Row(2026, 6, 15, 4), Row(2026, 12, 15, 5)]);

    /// <summary>A private network: one perspective at least, regions do not count. The misses that are allowed are the same.</summary>
    public static MpicQuorum Private { get; } = new([new MpicRequirement(DateTimeOffset.MinValue, 1, 0)]);

    /// <summary>The same, and so many must corroborate at least: more than the table says of those that are asked, or the table's number if that is higher.</summary>
    public MpicQuorum Needing(int corroborating) => new(rows, corroborating);

    /// <summary>The row that holds at a time.</summary>
    public MpicRequirement At(DateTimeOffset now) => rows.LastOrDefault(r => r.From <= now) ?? rows[0];

    /// <summary>
    /// How many of so many remote perspectives may fail to corroborate: none of one, 1 of 2 to 5, 2 of 6 and more (BR section 3.2.2.9, table of the
    /// quorum). It does not change with the date.
    /// </summary>
    public static int AllowedMisses(int remotes) => remotes switch
    {
        < 2 => 0,
        < 6 => 1,
        _ => 2,
    };

    /// <summary>Decides. The order of the verdicts does not matter.</summary>
    /// <param name="verdicts">One for each remote perspective that was asked, silence included.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="ArgumentException">Two verdicts are of one perspective.</exception>
    public MpicDecision Decide(IReadOnlyCollection<PerspectiveVerdict> verdicts, DateTimeOffset now)
    {
        if (verdicts.Select(v => v.Id).Distinct(StringComparer.Ordinal).Count() != verdicts.Count)
        {
            throw new ArgumentException("a perspective has two verdicts, and would count twice", nameof(verdicts));
        }

        var row = At(now);
        var corroborating = verdicts.Where(v => v.Finding == PerspectiveFinding.Corroborates).ToList();
        var regions = corroborating.Select(v => InternetRegistries.Read(v.Region)).OfType<string>().Distinct().Order(StringComparer.Ordinal).ToImmutableArray();
        var (asked, seen) = (verdicts.Count, corroborating.Count);
        var least = Math.Max(needed, asked - AllowedMisses(asked));
        var (reason, detail) = asked < row.LeastRemotes
            ? (MpicReason.TooFewAsked, $"{asked} remote perspectives were asked where {row.LeastRemotes} must be")
            : seen < least
                ? (MpicReason.TooFewCorroborate, $"{seen} of {asked} remote perspectives see what was seen from here, and {least} must")
                : regions.Length < row.LeastRegions
                    ? (MpicReason.TooFewRegions, $"the {seen} of {asked} remote perspectives that see what was seen from here are in {regions.Length} region(s), and {row.LeastRegions} are needed")
                    : (MpicReason.Enough, $"{seen} of {asked} remote perspectives see what was seen from here");
        return new MpicDecision(reason, seen, asked, detail) { Regions = regions };
    }

    private static MpicRequirement Row(int year, int month, int day, int leastRemotes) =>
        new(new DateTimeOffset(year, month, day, 0, 0, 0, TimeSpan.Zero), leastRemotes, LeastRegions: 2);
}

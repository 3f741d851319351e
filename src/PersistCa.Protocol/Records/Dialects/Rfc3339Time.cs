using System.Globalization;

namespace PersistCa.Protocol.Records.Dialects;

/// <summary>
/// A date-time of RFC 3339 section 5.6, all of it: any number of decimals, any offset, leap seconds, "t" and "z" in either case. The library's
/// own reading has bounds on decimals and offsets that the grammar does not have.
/// </summary>
internal static class Rfc3339Time
{
    private const int DateAndTime = 19; // yyyy-MM-ddTHH:mm:ss

    /// <summary>Reads a time.</summary>
    /// <returns>The time in UTC (an offset is the writer's; PostgreSQL keeps UTC only), null when the text is none. What lies outside the calendar's years becomes its first or last instant.</returns>
    public static DateTimeOffset? Read(string text)
    {
        if (text.Length <= DateAndTime
            || !Number(text, 0, 4, 0, 9999, out var year) || text[4] != '-'
            || !Number(text, 5, 2, 1, 12, out var month) || text[7] != '-'
            || !Number(text, 8, 2, 1, DateTime.DaysInMonth(year == 0 ? 4 : year, month), out var day) || text[10] is not ('T' or 't')
            || !Number(text, 11, 2, 0, 23, out var hour) || text[13] != ':'
            || !Number(text, 14, 2, 0, 59, out var minute) || text[16] != ':'
            || !Number(text, 17, 2, 0, 60, out var second)
            || Decimals(text) is not { } decimals
            || Offset(text[(DateAndTime + decimals)..]) is not { } offset)
        {
            return null;
        }

        if (year == 0)
        {
            return DateTimeOffset.MinValue;
        }

        // A leap second counts as the one before it, so that no record lives longer than it says. Decimals below a tick are cut for the same reason.
        var ticks = new DateTime(year, month, day, hour, minute, Math.Min(second, 59), DateTimeKind.Unspecified).Ticks - offset.Ticks + Fraction(text, decimals);
        return new DateTimeOffset(Math.Clamp(ticks, DateTime.MinValue.Ticks, DateTime.MaxValue.Ticks), TimeSpan.Zero);
    }

    private static bool Number(string text, int at, int digits, int least, int most, out int number) =>
        int.TryParse(text.AsSpan(at, digits), NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= least && number <= most;

    /// <summary>Length of the decimals with their point, null when there is a point and nothing behind it.</summary>
    private static int? Decimals(string text)
    {
        if (text[DateAndTime] != '.')
        {
            return 0;
        }

        var end = DateAndTime + 1;
        while (end < text.Length && char.IsAsciiDigit(text[end]))
        {
            end++;
        }

        return end > DateAndTime + 1 ? end - DateAndTime : null;
    }

    private static long Fraction(string text, int decimals) => decimals == 0
        ? 0
        : long.Parse(text.AsSpan(DateAndTime + 1, decimals - 1).ToString().PadRight(7, '0')[..7], NumberStyles.None, CultureInfo.InvariantCulture);

    private static TimeSpan? Offset(string zone)
    {
        if (zone is "Z" or "z")
        {
            return TimeSpan.Zero;
        }

        if (zone.Length != 6 || zone[0] is not ('+' or '-') || zone[3] != ':' || !Number(zone, 1, 2, 0, 23, out var hours) || !Number(zone, 4, 2, 0, 59, out var minutes))
        {
            return null;
        }

        var offset = new TimeSpan(hours, minutes, 0);
        return zone[0] == '-' ? -offset : offset;
    }
}

using System.Globalization;

namespace PersistCa.Protocol.Limits;

/// <summary>
/// So many in a period, refilled evenly: a token bucket in the form of one time, that at which the bucket would be full again (the generic cell rate
/// algorithm, ITU-T I.371). One number per subject is all that must be kept.
/// </summary>
/// <param name="Count">Size of the bucket; 0 for no limit.</param>
/// <param name="Period">Time in which an empty bucket fills.</param>
public sealed record RateLimit(int Count, TimeSpan Period)
{
    /// <summary>Most that a limit may count.</summary>
    public const int MaxCount = 10_000_000;

    /// <summary>The word for no limit.</summary>
    public const string Off = "off";

    /// <summary>No limit.</summary>
    public static readonly RateLimit None = new(0, TimeSpan.Zero);

    /// <summary>True for no limit.</summary>
    public bool IsOff => Count == 0;

    /// <summary>What one token takes to come back, in microseconds.</summary>
    public long IntervalMicroseconds => Math.Max(1, Period.Ticks / TimeSpan.TicksPerMicrosecond / Math.Max(1, Count));

    /// <summary>How far ahead of now the time of the full bucket may lie for a token to be there, in microseconds.</summary>
    public long ToleranceMicroseconds => IntervalMicroseconds * (Count - 1);

    /// <summary>Reads "COUNT/PERIOD", such as 300/01:00:00, or "off".</summary>
    /// <returns>The limit; or the reason why the text is none.</returns>
    public static Parsed<RateLimit> Parse(string text)
    {
        if (text == Off)
        {
            return Parsed<RateLimit>.Ok(None);
        }

        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0
            && int.TryParse(text[..slash], NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 1 and <= MaxCount
            && TimeSpan.TryParseExact(text[(slash + 1)..], "c", CultureInfo.InvariantCulture, out var period)
            && period >= TimeSpan.FromSeconds(1) && period <= TimeSpan.FromDays(366)
            ? Parsed<RateLimit>.Ok(new RateLimit(count, period))
            : Parsed<RateLimit>.Refused($"'{text}' is no limit; write COUNT/PERIOD such as 300/01:00:00 (1 to {MaxCount}, a second to 366 days) or {Off}");
    }

    /// <summary>Takes a token.</summary>
    /// <param name="full">When the bucket would be full again, in microseconds since 1970; any time in the past for a new one.</param>
    /// <param name="now">The time, in the same form.</param>
    /// <returns>The new time of the full bucket; or how long to wait, when there is no token.</returns>
    public (long? Full, TimeSpan Wait) Take(long full, long now) => IsOff || full <= now + ToleranceMicroseconds
        ? (Math.Max(full, now) + IntervalMicroseconds, TimeSpan.Zero)
        : (null, TimeSpan.FromMicroseconds(full - ToleranceMicroseconds - now));

    /// <inheritdoc/>
    public override string ToString() => IsOff ? Off : $"{Count.ToString(CultureInfo.InvariantCulture)}/{Period:c}";
}

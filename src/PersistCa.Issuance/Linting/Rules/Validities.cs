namespace PersistCa.Issuance.Linting.Rules;

/// <summary>What the rules about times have together.</summary>
internal static class Validities
{
    // Baseline Requirements section 6.3.2: the later the signing, the shorter.
    private static readonly (DateTimeOffset From, int Days)[] BaselineDays =
    [
        (new(2029, 3, 15, 0, 0, 0, TimeSpan.Zero), 47),
        (new(2027, 3, 15, 0, 0, 0, TimeSpan.Zero), 100),
        (new(2026, 3, 15, 0, 0, 0, TimeSpan.Zero), 200),
        (DateTimeOffset.MinValue, 398),
    ];

    /// <summary>The length, both ends counted.</summary>
    public static TimeSpan Inclusive(CertificateFacts facts) => facts.Fields.NotAfter.At - facts.Fields.NotBefore.At + TimeSpan.FromSeconds(1);

    /// <summary>The limit of the Baseline Requirements for subscribers' certificates signed at a time.</summary>
    public static TimeSpan BaselineLimit(DateTimeOffset signed) => TimeSpan.FromDays(BaselineDays.First(b => signed >= b.From).Days);

    /// <summary>The shorter of the limits of profile and regime, null when there is none.</summary>
    public static TimeSpan? Limit(CertificateFacts facts, LintContext context)
    {
        var limit = context.MaxValidity;
        if (context.Regime == Regime.CabfBr && context.Kind == CertificateKind.Subscriber)
        {
            var baseline = BaselineLimit(context.SignedAt ?? facts.Fields.NotBefore.At);
            limit = limit < baseline ? limit : baseline;
        }

        return limit;
    }

    /// <summary>Says what is wrong with how a time is written; null when nothing is (RFC 5280 section 4.1.2.5).</summary>
    public static string? JudgeSpelling(string which, TbsTime time)
    {
        if (time.IsGeneralized != time.At.Year >= 2050)
        {
            return $"{which} {time.At:u} is a {(time.IsGeneralized ? "GeneralizedTime" : "UTCTime")}; UTCTime is expected through 2049 and GeneralizedTime from 2050";
        }

        // Digits and Z are what DER has, which the reader sees to; fractions of a second are in DER too, and not in certificates.
        var digits = time.IsGeneralized ? 14 : 12;
        return time.Text.Length == digits + 1
            ? null
            : $"{which} is written '{time.Text}'; {digits} digits and Z are expected";
    }
}

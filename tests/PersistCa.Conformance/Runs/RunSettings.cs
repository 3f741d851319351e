using System.Globalization;

namespace PersistCa.Conformance.Runs;

/// <summary>How long a run is, and how it is judged. A test is a short run; the scripts under tests/runs make long ones.</summary>
internal static class RunSettings
{
    /// <summary>Length of the load; PERSISTCA_RUN_SECONDS.</summary>
    public static TimeSpan Length(int smokeSeconds) =>
        TimeSpan.FromSeconds(int.TryParse(Environment.GetEnvironmentVariable("PERSISTCA_RUN_SECONDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : smokeSeconds);

    /// <summary>Whether a script of tests/runs asks for a length: then every way is run, where the short runs of the tests try one.</summary>
    public static bool IsLong { get; } = Environment.GetEnvironmentVariable("PERSISTCA_RUN_SECONDS") is { Length: > 0 };

    /// <summary>Clients at a time; PERSISTCA_RUN_CLIENTS.</summary>
    public static int Clients { get; } = int.TryParse(Environment.GetEnvironmentVariable("PERSISTCA_RUN_CLIENTS"), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 4;

    /// <summary>Whether times are held to what they have to be on a machine that has nothing else to do; PERSISTCA_RUN_STRICT=1.</summary>
    public static bool IsStrict { get; } = Environment.GetEnvironmentVariable("PERSISTCA_RUN_STRICT") == "1";
}

using System.Diagnostics;

namespace PersistCa.Server.Hosting;

/// <summary>
/// Named places between the durable steps at which the crash tests end the process as a power cut would: at once, with nothing flushed or
/// caught. Armed by the environment variable PERSISTCA_CRASH_AT only; otherwise a comparison with null.
/// </summary>
internal static class CrashPoint
{
    private static readonly string? Armed = Environment.GetEnvironmentVariable("PERSISTCA_CRASH_AT");

    /// <summary>Every place, in the order of the steps; the crash tests try each.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        "1.verified", "2.opened", "3.accepted", "4.leased", "5.validated", "7.concluding", "7.concluded",
        "8.finalized", "9.leased", "9.prepared", "9.intended", "9.signed", "10.recording", "10.recorded",
    ];

    /// <summary>Ends the process here if this place is armed.</summary>
    public static void Reached(string place)
    {
        if (Armed is not null && Armed == place)
        {
            Process.GetCurrentProcess().Kill();
            Environment.FailFast("killed at " + place);
        }
    }
}

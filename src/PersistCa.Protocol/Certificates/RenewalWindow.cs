using System.Buffers.Binary;
using System.Security.Cryptography;

namespace PersistCa.Protocol.Certificates;

/// <summary>Where in the life of certificates the windows for their renewal lie, in hundredths of it.</summary>
/// <param name="StartPercent">Where the earliest window begins.</param>
/// <param name="SpreadPercent">Over which part the beginnings of windows are spread, so that what was issued together is not renewed together.</param>
/// <param name="LengthPercent">How long a window is; at least one.</param>
public sealed record RenewalFractions(int StartPercent, int SpreadPercent, int LengthPercent);

/// <summary>When a certificate is best renewed (RFC 9773 section 4.2), whole seconds. The end is later than the start.</summary>
/// <param name="Start">First moment.</param>
/// <param name="End">Last moment.</param>
public sealed record RenewalWindow(DateTimeOffset Start, DateTimeOffset End)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <summary>The window of a certificate: always the same for the same one.</summary>
    /// <param name="serial">Its serial number, lower-case hex.</param>
    /// <param name="notBefore">Start of its validity.</param>
    /// <param name="notAfter">End of its validity.</param>
    /// <param name="fractions">Where windows lie.</param>
    public static RenewalWindow Of(string serial, DateTimeOffset notBefore, DateTimeOffset notAfter, RenewalFractions fractions)
    {
        // Serial numbers are random, but not all of their bits: a hash of them is even.
        var share = BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData(Convert.FromHexString(serial))) / (1.0 + uint.MaxValue);
        var life = (notAfter - notBefore).TotalSeconds;
        var start = Math.Floor(life * (fractions.StartPercent + (fractions.SpreadPercent * share)) / 100);
        var length = Math.Max(1, Math.Floor(life * fractions.LengthPercent / 100));
        var from = DateTimeOffset.FromUnixTimeSeconds(notBefore.ToUnixTimeSeconds()).AddSeconds(start);
        return new RenewalWindow(from, from.AddSeconds(length));
    }

    /// <summary>A window that lies in the past: the certificate is to be renewed at once.</summary>
    /// <param name="since">When it became so.</param>
    public static RenewalWindow Past(DateTimeOffset since)
    {
        var end = DateTimeOffset.FromUnixTimeSeconds(since.ToUnixTimeSeconds()) - Hour;
        return new RenewalWindow(end - Hour, end);
    }
}

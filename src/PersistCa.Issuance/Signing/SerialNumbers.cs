using System.Security.Cryptography;

namespace PersistCa.Issuance.Signing;

/// <summary>Serial numbers: positive, unguessable, all of one length.</summary>
public static class SerialNumbers
{
    /// <summary>Octets of a serial number made here; RFC 5280 section 4.1.2.2 allows 20.</summary>
    public const int Octets = 16;

    /// <summary>
    /// Makes a serial number: 16 octets of which 126 bits are random, where Baseline Requirements section 7.1.2.7 asks for 64. The top two bits
    /// are 0 and 1: the first keeps the INTEGER positive without a leading octet, the second keeps every serial number 127 bits long.
    /// </summary>
    /// <returns>Lower-case hex of its content octets.</returns>
    public static string Next()
    {
        Span<byte> octets = stackalloc byte[Octets];
        RandomNumberGenerator.Fill(octets);
        octets[0] = (byte)((octets[0] & 0x3f) | 0x40);
        return Convert.ToHexStringLower(octets);
    }
}

using System.Buffers.Text;
using System.Security.Cryptography;

namespace PersistCa.Protocol;

/// <summary>Ids that strangers see: random, so that none can be guessed from another, and short enough for a URL and a log line.</summary>
public static class PublicId
{
    /// <summary>Octets of randomness: 96 bits, above the 80 that make guessing hopeless.</summary>
    public const int Octets = 12;

    /// <summary>Characters of an id in base64url without padding.</summary>
    public const int Length = 16;

    /// <summary>Makes a new id.</summary>
    public static string Next()
    {
        Span<byte> random = stackalloc byte[Octets];
        do
        {
            RandomNumberGenerator.Fill(random);
        }
        while (random[0] >> 2 == 62); // would begin with '-', which shells take for an option

        return Base64Url.EncodeToString(random);
    }

    /// <summary>True when the text can be an id: anything else need not be looked up.</summary>
    public static bool LooksRight(string text) => text.Length == Length && Base64Url.IsValid(text);
}

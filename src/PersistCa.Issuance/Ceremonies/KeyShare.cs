using System.Security.Cryptography;
using System.Text;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Ceremonies;

/// <summary>
/// One holder's share of a passphrase, a line of text to be kept on paper and read over the telephone:
/// PSH1-SET-INDEX-THRESHOLD-GROUPS-CHECK in the letters of Crockford's base 32, in which O is read as 0, I and L as 1.
/// </summary>
public sealed record KeyShare
{
    /// <summary>Octets of a share, as many as the secret has.</summary>
    public const int Octets = 32;

    /// <summary>Longest line, characters.</summary>
    public const int MaxLength = 256;

    private const string Letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const string Version = "PSH1";
    private const int SetLength = 8;
    private const int CheckLength = 6;
    private const int GroupLength = 4;
    private const int PayloadLength = ((Octets * 8) + 4) / 5;

    private KeyShare(string set, int index, int threshold, byte[] payload)
    {
        Set = set;
        Index = index;
        Threshold = threshold;
        Payload = payload;
    }

    /// <summary>Id of the set it belongs to: eight letters, not secret.</summary>
    public string Set { get; }

    /// <summary>Which share of the set, 1 and above.</summary>
    public int Index { get; }

    /// <summary>How many restore.</summary>
    public int Threshold { get; }

    /// <summary>The share itself: secret.</summary>
    internal byte[] Payload { get; }

    /// <summary>An id for a new set, 40 random bits.</summary>
    public static string NewSet() => Encode(RandomNumberGenerator.GetBytes(5));

    /// <summary>Makes one.</summary>
    internal static KeyShare Of(string set, int index, int threshold, byte[] payload) => new(set, index, threshold, payload);

    /// <summary>Reads one; blanks, hyphens and the case of letters do not matter but between the first four parts.</summary>
    /// <returns>The share; or what is wrong with the line, which is never repeated.</returns>
    public static Parsed<KeyShare> Read(string line)
    {
        if (line.Length > MaxLength)
        {
            return Refuse($"it has {line.Length} characters; at most {MaxLength} are read");
        }

        var parts = line.ToUpperInvariant().Split(['-', ' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length < 6 || parts[0] != Version)
        {
            return Refuse($"it is no share: one begins with {Version}-, its set, its number and the number that restore");
        }

        var set = Plain(parts[1]);
        var rest = Plain(string.Concat(parts[4..]));
        if (set.Length != SetLength || !Number(parts[2], out var index) || !Number(parts[3], out var threshold) || rest.Length != PayloadLength + CheckLength)
        {
            return Refuse($"it is mistyped: a share has a set of {SetLength} letters, two numbers up to {SecretSharing.MaxShares}, and {PayloadLength + CheckLength} letters; this one has {rest.Length}");
        }

        if ((set + rest).FirstOrDefault(c => !Letters.Contains(c, StringComparison.Ordinal)) is not '\0' and var letter)
        {
            return Refuse($"it is mistyped: '{(char.IsControl(letter) ? '?' : letter)}' is no letter of a share");
        }

        var (payload, check) = (rest[..PayloadLength], rest[PayloadLength..]);
        if (check != Check(set, index, threshold, payload))
        {
            return Refuse("it is mistyped: its last six letters do not go with the others");
        }

        var octets = Decode(payload);
        return octets is null ? Refuse("it is mistyped: its letters say more than a share has") : Parsed<KeyShare>.Ok(new KeyShare(set, index, threshold, octets));
    }

    /// <summary>The line: secret, and therefore not what <see cref="ToString"/> gives.</summary>
    public string Line()
    {
        var payload = Encode(Payload);
        var groups = string.Join('-', (payload + Check(Set, Index, Threshold, payload)).Chunk(GroupLength).Select(g => new string(g)));
        return $"{Version}-{Set}-{Index}-{Threshold}-{groups}";
    }

    /// <summary>Which share it is, without its secret.</summary>
    public override string ToString() => $"share {Index} of set {Set}";

    private static Parsed<KeyShare> Refuse(string reason) => Parsed<KeyShare>.Refused(reason);

    private static string Plain(string text) => text.Replace('O', '0').Replace('I', '1').Replace('L', '1');

    private static bool Number(string text, out int number) =>
        int.TryParse(Plain(text), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out number) && number is >= 1 and <= SecretSharing.MaxShares;

    /// <summary>Thirty bits: of a billion mistyped lines one is taken for another share, which its commitment then refuses.</summary>
    private static string Check(string set, int index, int threshold, string payload) =>
        Encode(SHA256.HashData(Encoding.ASCII.GetBytes($"{Version}-{set}-{index}-{threshold}-{payload}")))[..CheckLength];

    private static string Encode(byte[] octets)
    {
        var text = new StringBuilder();
        int bits = 0, held = 0;
        foreach (var octet in octets)
        {
            held = (held << 8) | octet;
            for (bits += 8; bits >= 5; bits -= 5)
            {
                text.Append(Letters[(held >> (bits - 5)) & 31]);
            }

            held &= (1 << bits) - 1;
        }

        return bits == 0 ? text.ToString() : text.Append(Letters[(held << (5 - bits)) & 31]).ToString();
    }

    private static byte[]? Decode(string text)
    {
        var octets = new List<byte>(Octets);
        int bits = 0, held = 0;
        foreach (var letter in text)
        {
            held = (held << 5) | Letters.IndexOf(letter, StringComparison.Ordinal);
            bits += 5;
            if (bits >= 8)
            {
                octets.Add((byte)(held >> (bits - 8)));
                bits -= 8;
                held &= (1 << bits) - 1;
            }
        }

        return held == 0 && octets.Count == Octets ? [.. octets] : null; // the bits left over are none
    }
}

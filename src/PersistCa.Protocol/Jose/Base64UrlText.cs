using System.Buffers.Text;

namespace PersistCa.Protocol.Jose;

/// <summary>base64url as JOSE has it (RFC 7515 section 2): no padding, no white space, no stray bits, so that each value has one spelling.</summary>
public static class Base64UrlText
{
    /// <summary>Decodes, or says why not.</summary>
    public static Parsed<byte[]> Decode(string text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
            {
                return Parsed<byte[]>.Refused(c switch
                {
                    '=' => "it is padded with '=', which base64url here is not",
                    '+' or '/' => $"it has the character '{c}' of plain base64; base64url has '-' and '_' instead",
                    _ => "it has a character outside A-Z, a-z, 0-9, '-' and '_'",
                });
            }
        }

        if (text.Length % 4 == 1)
        {
            return Parsed<byte[]>.Refused($"it has {text.Length} characters, a length that base64url never has");
        }

        // Asked before decoding: the library throws for it.
        var stray = (text.Length % 4) switch { 2 => 0b1111, 3 => 0b11, _ => 0 };
        return stray != 0 && (SextetOf(text[^1]) & stray) != 0
            ? Parsed<byte[]>.Refused("its last character has bits that stand for nothing")
            : Parsed<byte[]>.Ok(Base64Url.DecodeFromChars(text));
    }

    private static int SextetOf(char c) => c switch
    {
        >= 'A' and <= 'Z' => c - 'A',
        >= 'a' and <= 'z' => c - 'a' + 26,
        >= '0' and <= '9' => c - '0' + 52,
        '-' => 62,
        _ => 63,
    };

    /// <summary>Encodes.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);
}

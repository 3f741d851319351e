using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace PersistCa.Protocol.Tlog;

/// <summary>A signature line of a note.</summary>
/// <param name="Name">Whose.</param>
/// <param name="KeyId">Of which key.</param>
/// <param name="Signature">What follows the id; of a cosignature, its time and then the signature.</param>
public sealed record NoteSignature(string Name, uint KeyId, ReadOnlyMemory<byte> Signature);

/// <summary>A text with signatures below it (C2SP signed-note). Reading one verifies nothing.</summary>
/// <param name="Text">What is signed: lines, the last of them ended as the others.</param>
/// <param name="Signatures">The signatures, those of unknown keys too.</param>
public sealed record SignedNote(string Text, ImmutableArray<NoteSignature> Signatures)
{
    /// <summary>Longest note that is read, octets.</summary>
    public const int MaxOctets = 64 * 1024;

    /// <summary>Most signatures that are read.</summary>
    public const int MaxSignatures = 100;

    private const string Mark = "— ";
    private const int IdLength = 4;
    private const int TimeLength = 8;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a note.</summary>
    public static Parsed<SignedNote> Parse(ReadOnlySpan<byte> octets)
    {
        if (octets.Length > MaxOctets)
        {
            return Refused($"it has {octets.Length} octets; at most {MaxOctets} are read");
        }

        string whole;
        try
        {
            whole = Utf8.GetString(octets);
        }
        catch (DecoderFallbackException)
        {
            return Refused("it is no UTF-8");
        }

        if (whole.Any(c => c != '\n' && char.IsControl(c)))
        {
            return Refused("it has control characters besides line feeds");
        }

        // The last empty line parts the text from its signatures: a text may have empty lines.
        var end = whole.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (end < 0 || whole.Length == end + 2 || whole[^1] != '\n')
        {
            return Refused("an empty line and then signature lines, each ended by a line feed, were expected at its end");
        }

        var lines = whole[(end + 2)..^1].Split('\n');
        if (lines.Length > MaxSignatures)
        {
            return Refused($"it has {lines.Length} signatures; at most {MaxSignatures} are read");
        }

        var signatures = ImmutableArray.CreateBuilder<NoteSignature>(lines.Length);
        foreach (var line in lines)
        {
            if (Signature(line) is not { } signature)
            {
                return Refused($"'{Excerpt.Of(line, 100, "")}' is no signature line; '— NAME BASE64' was expected");
            }

            signatures.Add(signature);
        }

        return Parsed<SignedNote>.Ok(new SignedNote(whole[..(end + 1)], signatures.ToImmutable()));
    }

    /// <summary>What a key of a log signs.</summary>
    public static byte[] Signed(string text) => Utf8.GetBytes(text);

    /// <summary>What a witness signs (C2SP tlog-cosignature): that it saw the text at a time, and nothing before that contradicts it.</summary>
    public static byte[] Cosigned(string text, DateTimeOffset at) => Utf8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"cosignature/v1\ntime {at.ToUnixTimeSeconds()}\n{text}"));

    /// <summary>A signature line's content of a witness: the time in eight octets, then the signature.</summary>
    public static byte[] WithTime(DateTimeOffset at, ReadOnlySpan<byte> signature)
    {
        var octets = new byte[TimeLength + signature.Length];
        BinaryPrimitives.WriteInt64BigEndian(octets, at.ToUnixTimeSeconds());
        signature.CopyTo(octets.AsSpan(TimeLength));
        return octets;
    }

    /// <summary>The note with one signature more, below the others.</summary>
    public SignedNote With(NoteKey key, ReadOnlyMemory<byte> signature) => this with { Signatures = Signatures.Add(new NoteSignature(key.Name, key.Id, signature)) };

    /// <summary>Whether a key signed the note. A second signature that claims the same key makes neither better (C2SP signed-note).</summary>
    /// <param name="key">The key.</param>
    /// <param name="verify">Verifies: public key, message, signature.</param>
    /// <returns>When it was signed by a witness's key, and the first day of 1970 by a log's; null when it was not.</returns>
    public DateTimeOffset? SignedAt(NoteKey key, Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>, ReadOnlyMemory<byte>, bool> verify)
    {
        NoteSignature[] mine = [.. Signatures.Where(s => s.Name == key.Name && s.KeyId == key.Id)];
        if (mine is not [{ } only])
        {
            return null;
        }

        if (key.Type == NoteKeyType.Ed25519)
        {
            return verify(key.PublicKey, Signed(Text), only.Signature) ? DateTimeOffset.UnixEpoch : null;
        }

        if (only.Signature.Length <= TimeLength || BinaryPrimitives.ReadInt64BigEndian(only.Signature.Span) is not (> 0 and <= 253_402_300_799 and var seconds))
        {
            return null;
        }

        var at = DateTimeOffset.FromUnixTimeSeconds(seconds);
        return verify(key.PublicKey, Cosigned(Text, at), only.Signature[TimeLength..]) ? at : null;
    }

    /// <summary>The whole note.</summary>
    public override string ToString() => Text + "\n" + string.Concat(Signatures.Select(Line));

    /// <summary>A signature line, with its line feed.</summary>
    public static string Line(NoteSignature signature)
    {
        var octets = new byte[IdLength + signature.Signature.Length];
        BinaryPrimitives.WriteUInt32BigEndian(octets, signature.KeyId);
        signature.Signature.Span.CopyTo(octets.AsSpan(IdLength));
        return $"{Mark}{signature.Name} {Convert.ToBase64String(octets)}\n";
    }

    /// <summary>Reads a signature line without its line feed; null when it is none.</summary>
    public static NoteSignature? Signature(string line)
    {
        var parts = line.StartsWith(Mark, StringComparison.Ordinal) ? line[Mark.Length..].Split(' ') : [];
        if (parts.Length != 2 || !NoteKey.IsName(parts[0]))
        {
            return null;
        }

        var octets = new byte[parts[1].Length];
        return Convert.TryFromBase64String(parts[1], octets, out var length) && length > IdLength && Convert.ToBase64String(octets.AsSpan(0, length)) == parts[1]
            ? new NoteSignature(parts[0], BinaryPrimitives.ReadUInt32BigEndian(octets), octets.AsMemory(IdLength, length - IdLength))
            : null;
    }

    private static Parsed<SignedNote> Refused(string reason) => Parsed<SignedNote>.Refused(reason);
}

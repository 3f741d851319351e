using System.Security.Cryptography;
using System.Text;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Age;

/// <summary>The head of a file (C2SP age, section "Textual header").</summary>
internal static class AgeHeader
{
    /// <summary>First line of every file.</summary>
    public const string Version = "age-encryption.org/v1";

    private const int MaxOctets = 16 * 1024;
    private const int MaxStanzas = 20;
    private const int BodyColumns = 64;

    /// <summary>Writes a head.</summary>
    public static byte[] Write(IEnumerable<AgeStanza> stanzas, ReadOnlySpan<byte> fileKey)
    {
        var text = new StringBuilder(Version).Append('\n');
        foreach (var stanza in stanzas)
        {
            text.Append("-> ").Append(stanza.Type).Append(' ').AppendJoin(' ', stanza.Arguments).Append('\n');
            var body = AgeStanza.Encode(stanza.Body);
            for (var at = 0; ; at += BodyColumns)
            {
                var line = body[at..Math.Min(at + BodyColumns, body.Length)];
                text.Append(line).Append('\n');
                if (line.Length < BodyColumns)
                {
                    break;
                }
            }
        }

        text.Append("---");
        var mac = Mac(fileKey, Encoding.ASCII.GetBytes(text.ToString()));
        return Encoding.ASCII.GetBytes(text.Append(' ').Append(AgeStanza.Encode(mac)).Append('\n').ToString());
    }

    /// <summary>Reads a head from a stream, which then stands behind it, and opens it.</summary>
    /// <returns>The key of the file; or why it is none that can be opened.</returns>
    public static Parsed<byte[]> Read(Stream stream, IReadOnlyList<AgeOpener> openers)
    {
        var read = new MemoryStream();
        if (Line(stream, read) != Version)
        {
            return Parsed<byte[]>.Refused($"it does not begin with {Version}: it is no encrypted backup, or a damaged one");
        }

        var stanzas = new List<AgeStanza>();
        while (true)
        {
            var before = (int)read.Length;
            var line = Line(stream, read);
            if (line is null)
            {
                return Parsed<byte[]>.Refused("its head is cut, too long, or no text");
            }

            if (line.StartsWith("--- ", StringComparison.Ordinal))
            {
                return Open(stanzas, openers, read.GetBuffer().AsSpan(0, before + 3), line[4..]);
            }

            var words = line.Split(' ');
            if (words is not ["->", _, ..] || words.Skip(1).Any(w => w.Length == 0) || stanzas.Count == MaxStanzas || Body(stream, read) is not { } body)
            {
                return Parsed<byte[]>.Refused("its head is damaged");
            }

            stanzas.Add(new AgeStanza(words[1], words[2..], body));
        }
    }

    private static Parsed<byte[]> Open(List<AgeStanza> stanzas, IReadOnlyList<AgeOpener> openers, ReadOnlySpan<byte> head, string mac)
    {
        // A passphrase stands alone, so that whoever knows it made the whole file.
        if (stanzas.Count == 0 || (stanzas.Count > 1 && stanzas.Exists(s => s.Type == AgeStanza.Scrypt)))
        {
            return Parsed<byte[]>.Refused("its head is damaged");
        }

        foreach (var opener in openers)
        {
            foreach (var stanza in stanzas)
            {
                if (opener.Open(stanza) is { } fileKey)
                {
                    return AgeStanza.Decode(mac) is { } given && CryptographicOperations.FixedTimeEquals(given, Mac(fileKey, head))
                        ? Parsed<byte[]>.Ok(fileKey)
                        : Parsed<byte[]>.Refused("its head was changed");
                }
            }
        }

        return Parsed<byte[]>.Refused("it cannot be opened: " + string.Join("; ", openers.Select(o => o.Remedy).Distinct().DefaultIfEmpty("nothing was given to open it with")));
    }

    private static byte[] Mac(ReadOnlySpan<byte> fileKey, ReadOnlySpan<byte> head)
    {
        Span<byte> key = stackalloc byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, fileKey, key, [], "header"u8);
        return HMACSHA256.HashData(key, head);
    }

    private static byte[]? Body(Stream stream, MemoryStream read)
    {
        var text = new StringBuilder();
        while (Line(stream, read) is { Length: <= BodyColumns } line)
        {
            text.Append(line);
            if (line.Length < BodyColumns)
            {
                return AgeStanza.Decode(text.ToString());
            }
        }

        return null;
    }

    private static string? Line(Stream stream, MemoryStream read)
    {
        for (var start = (int)read.Length; read.Length < MaxOctets;)
        {
            var octet = stream.ReadByte();
            if (octet == '\n')
            {
                read.WriteByte((byte)octet);
                return Encoding.ASCII.GetString(read.GetBuffer(), start, (int)read.Length - start - 1);
            }

            if (octet is < ' ' or > '~')
            {
                return null;
            }

            read.WriteByte((byte)octet);
        }

        return null;
    }
}

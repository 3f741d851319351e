using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace PersistCa.Protocol.Tlog;

/// <summary>What a note is signed with (C2SP signed-note, tlog-cosignature).</summary>
public enum NoteKeyType
{
    /// <summary>Ed25519 over the text of the note.</summary>
    Ed25519 = 1,

    /// <summary>Ed25519 of a witness, over the text and the time at which it was seen.</summary>
    Ed25519Cosignature = 4,
}

/// <summary>A key by which notes are verified: "NAME+ID+KEY" (C2SP signed-note, section "Verifier keys").</summary>
public sealed record NoteKey
{
    private const int Ed25519Length = 32;

    private NoteKey(string name, NoteKeyType type, byte[] publicKey) => (Name, Type, PublicKey, Id) = (name, type, publicKey, IdOf(name, type, publicKey));

    /// <summary>Whose it is; of a log, its origin.</summary>
    public string Name { get; }

    /// <summary>What is signed, and how.</summary>
    public NoteKeyType Type { get; }

    /// <summary>The public key as the algorithm has it.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>First four octets of SHA-256 over name, line feed, type and key.</summary>
    public uint Id { get; }

    /// <summary>A key.</summary>
    /// <returns>The key; a reason when the name has spaces or a plus, or the key another length.</returns>
    public static Parsed<NoteKey> Of(string name, NoteKeyType type, ReadOnlySpan<byte> publicKey) =>
        !IsName(name) ? Parsed<NoteKey>.Refused($"'{Excerpt.Of(name, 100, "")}' is no name of a key: 1 to 255 octets without spaces and '+' were expected")
        : publicKey.Length != Ed25519Length ? Parsed<NoteKey>.Refused($"the key has {publicKey.Length} octets; {Ed25519Length} were expected")
        : Parsed<NoteKey>.Ok(new NoteKey(name, type, publicKey.ToArray()));

    /// <summary>Reads "NAME+ID+KEY".</summary>
    public static Parsed<NoteKey> Parse(string text)
    {
        var parts = text.Split('+', 3);
        var octets = new byte[1 + Ed25519Length];
        if (parts.Length != 3 || !Convert.TryFromBase64String(parts[2], octets, out var length) || length != octets.Length || Convert.ToBase64String(octets) != parts[2])
        {
            return Parsed<NoteKey>.Refused("it is no verifier key; NAME+ID+KEY was expected, with the base64 of a type and 32 octets at the end");
        }

        var type = (NoteKeyType)octets[0];
        if (!Enum.IsDefined(type))
        {
            return Parsed<NoteKey>.Refused($"its type is {octets[0]}; known are {string.Join(", ", Enum.GetValues<NoteKeyType>().Select(t => (int)t))}");
        }

        var key = Of(parts[0], type, octets.AsSpan(1));
        return key.IsValid && parts[1] != IdText(key.Value.Id) ? Parsed<NoteKey>.Refused($"its id is {Excerpt.Of(parts[1], 20, "")}, and that of its name and key is {IdText(key.Value.Id)}") : key;
    }

    /// <summary>Whether a text can name a key: no spaces of any kind, no plus (C2SP signed-note).</summary>
    public static bool IsName(string text) => text.Length > 0 && Encoding.UTF8.GetByteCount(text) <= 255 && !text.Any(c => c == '+' || char.IsWhiteSpace(c) || char.IsControl(c) || char.IsSurrogate(c) || c == '\uFFFD');

    /// <summary>NAME+ID+KEY.</summary>
    public override string ToString() => $"{Name}+{IdText(Id)}+{Convert.ToBase64String([(byte)Type, .. PublicKey.Span])}";

    /// <inheritdoc/>
    public bool Equals(NoteKey? other) => other is not null && ToString() == other.ToString();

    /// <inheritdoc/>
    public override int GetHashCode() => (int)Id;

    private static string IdText(uint id) => id.ToString("x8", CultureInfo.InvariantCulture);

    private static uint IdOf(string name, NoteKeyType type, byte[] publicKey) =>
        BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData([.. Encoding.UTF8.GetBytes(name), (byte)'\n', (byte)type, .. publicKey]));
}

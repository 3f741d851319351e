using System.Buffers.Binary;
using System.Security.Cryptography;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Age;

/// <summary>
/// Files encrypted in the form of age (https://c2sp.org/age, version 1): read and written by the program of that name too. Each 64 KiB is authenticated
/// (ChaCha20-Poly1305, RFC 8439) together with its place and whether it is the last, so that nothing that was changed, moved or cut is ever seen.
/// </summary>
public static class AgeFile
{
    internal const int ChunkOctets = 64 * 1024;
    internal const int TagOctets = 16;
    private const int NonceOctets = 16;

    /// <summary>Encrypts to public keys what is written to the stream that comes back; disposing of that ends the file and leaves the inner stream open.</summary>
    /// <param name="inner">Where the file goes.</param>
    /// <param name="recipients">Whose private keys open it; one at least.</param>
    public static Stream Encrypt(Stream inner, IReadOnlyCollection<AgeRecipient> recipients) =>
        Encrypt(inner, recipients.Count > 0 ? key => recipients.Select(r => AgeStanza.For(r, key)) : throw new ArgumentException("there is nobody to encrypt to", nameof(recipients)));

    /// <summary>Encrypts by a passphrase.</summary>
    public static Stream Encrypt(Stream inner, AgePassphrase passphrase) => Encrypt(inner, key => [passphrase.Wrap(key)]);

    /// <summary>Opens a file.</summary>
    /// <param name="inner">The file.</param>
    /// <param name="openers">What may open it.</param>
    /// <returns>
    /// What was encrypted: reading throws <see cref="InvalidDataException"/> at the first place that was changed, and where the end is missing. Or why the file
    /// cannot be opened.
    /// </returns>
    public static Parsed<Stream> Decrypt(Stream inner, IReadOnlyList<AgeOpener> openers)
    {
        var head = AgeHeader.Read(inner, openers);
        if (!head.IsValid)
        {
            return Parsed<Stream>.Refused(head.Reason);
        }

        var nonce = new byte[NonceOctets];
        return inner.ReadAtLeast(nonce, NonceOctets, throwOnEndOfStream: false) == NonceOctets
            ? Parsed<Stream>.Ok(new AgeReadStream(inner, PayloadKey(head.Value, nonce)))
            : Parsed<Stream>.Refused("it is cut behind its head");
    }

    /// <summary>The nonce of a chunk: its number, and whether it is the last.</summary>
    internal static void WriteNonce(Span<byte> nonce, ulong chunk, bool last)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce.Slice(3, 8), chunk);
        nonce[11] = last ? (byte)1 : (byte)0;
    }

    private static AgeWriteStream Encrypt(Stream inner, Func<byte[], IEnumerable<AgeStanza>> wrap)
    {
        var (key, nonce) = (RandomNumberGenerator.GetBytes(AgeStanza.FileKeyOctets), RandomNumberGenerator.GetBytes(NonceOctets));
        inner.Write(AgeHeader.Write(wrap(key), key));
        inner.Write(nonce);
        return new AgeWriteStream(inner, PayloadKey(key, nonce));
    }

    private static byte[] PayloadKey(ReadOnlySpan<byte> fileKey, ReadOnlySpan<byte> nonce)
    {
        var key = new byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, fileKey, key, nonce, "payload"u8);
        return key;
    }
}

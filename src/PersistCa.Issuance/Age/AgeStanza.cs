using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Crypto.Generators;
using Curve = Org.BouncyCastle.Math.EC.Rfc7748.X25519;

namespace PersistCa.Issuance.Age;

/// <summary>The key of a file, wrapped for one recipient.</summary>
/// <param name="Type">Kind of recipient.</param>
/// <param name="Arguments">What the kind needs.</param>
/// <param name="Body">The wrapped key.</param>
internal sealed record AgeStanza(string Type, IReadOnlyList<string> Arguments, byte[] Body)
{
    public const string X25519 = "X25519";
    public const string Scrypt = "scrypt";
    public const int SaltOctets = 16;
    public const int FileKeyOctets = 16;
    private const int TagOctets = 16;
    private const int KeyOctets = 32;

    /// <summary>Base64 as in headers: without padding.</summary>
    public static string Encode(ReadOnlySpan<byte> octets) => Convert.ToBase64String(octets).TrimEnd('=');

    /// <summary>Reads base64 that has one spelling only; null for anything else.</summary>
    public static byte[]? Decode(string text)
    {
        var octets = new byte[text.Length];
        return text.Length % 4 != 1 && !text.Contains('=', StringComparison.Ordinal)
            && Convert.TryFromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='), octets, out var count) && Encode(octets.AsSpan(0, count)) == text
            ? octets[..count]
            : null;
    }

    /// <summary>Wraps the key of a file for a recipient.</summary>
    public static AgeStanza For(AgeRecipient recipient, ReadOnlySpan<byte> fileKey)
    {
        var (ephemeral, share, shared) = (RandomNumberGenerator.GetBytes(KeyOctets), new byte[KeyOctets], new byte[KeyOctets]);
        Curve.ScalarMultBase(ephemeral, 0, share, 0);
        return Curve.CalculateAgreement(ephemeral, 0, recipient.Point.ToArray(), 0, shared, 0)
            ? new AgeStanza(X25519, [Encode(share)], Wrap(KeyFor(shared, share, recipient), fileKey))
            : throw new CryptographicException("the recipient's key is a point of low order, to which nothing can be kept secret");
    }

    public static byte[] KeyFor(ReadOnlySpan<byte> shared, ReadOnlySpan<byte> share, AgeRecipient recipient)
    {
        var key = new byte[KeyOctets];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, key, [.. share, .. recipient.Point], "age-encryption.org/v1/X25519"u8);
        return key;
    }

    public static byte[] KeyFor(string passphrase, ReadOnlySpan<byte> salt, int work) =>
        SCrypt.Generate(Encoding.UTF8.GetBytes(passphrase), [.. "age-encryption.org/v1/scrypt"u8, .. salt], 1 << work, 8, 1, KeyOctets);

    public static byte[] Wrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> fileKey)
    {
        var body = new byte[fileKey.Length + TagOctets];
        using var cipher = new ChaCha20Poly1305(key);
        cipher.Encrypt(stackalloc byte[12], fileKey, body.AsSpan(0, fileKey.Length), body.AsSpan(fileKey.Length));
        return body;
    }

    /// <summary>Opens a wrapped key; null when it is for somebody else.</summary>
    public static byte[]? Unwrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> body)
    {
        if (body.Length != FileKeyOctets + TagOctets)
        {
            return null; // another length could be opened by several keys at once
        }

        var fileKey = new byte[FileKeyOctets];
        using var cipher = new ChaCha20Poly1305(key);
        try
        {
            cipher.Decrypt(stackalloc byte[12], body[..FileKeyOctets], body[FileKeyOctets..], fileKey);
            return fileKey;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }
}

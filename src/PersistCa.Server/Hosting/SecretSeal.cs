using System.Security.Cryptography;
using System.Text;

namespace PersistCa.Server.Hosting;

/// <summary>Seals secrets for the store by a key that all nodes have: AES-256-GCM, bound to the row that they stand in.</summary>
internal static class SecretSeal
{
    private const int IvOctets = 12;
    private const int TagOctets = 16;

    /// <summary>Seals octets.</summary>
    /// <param name="key">32 octets.</param>
    /// <param name="secret">What is to be kept.</param>
    /// <param name="row">What the row is: what is moved to another does not open.</param>
    /// <returns>Initialisation vector, ciphertext, tag.</returns>
    public static byte[] Seal(ReadOnlySpan<byte> key, ReadOnlySpan<byte> secret, string row)
    {
        var made = new byte[IvOctets + secret.Length + TagOctets];
        RandomNumberGenerator.Fill(made.AsSpan(0, IvOctets));
        using var aes = new AesGcm(key, TagOctets);
        aes.Encrypt(made.AsSpan(0, IvOctets), secret, made.AsSpan(IvOctets, secret.Length), made.AsSpan(IvOctets + secret.Length), Encoding.UTF8.GetBytes(row));
        return made;
    }

    /// <summary>Opens what was sealed.</summary>
    /// <exception cref="CryptographicException">It was sealed by another key, for another row, or was changed.</exception>
    public static byte[] Open(ReadOnlySpan<byte> key, ReadOnlySpan<byte> octets, string row)
    {
        if (octets.Length < IvOctets + TagOctets)
        {
            throw new CryptographicException("sealed octets are cut");
        }

        var secret = new byte[octets.Length - IvOctets - TagOctets];
        using var aes = new AesGcm(key, TagOctets);
        aes.Decrypt(octets[..IvOctets], octets.Slice(IvOctets, secret.Length), octets[^TagOctets..], secret, Encoding.UTF8.GetBytes(row));
        return secret;
    }
}

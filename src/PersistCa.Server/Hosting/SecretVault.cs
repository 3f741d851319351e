using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;

namespace PersistCa.Server.Hosting;

/// <summary>Secrets that all nodes share, kept in the database sealed with a key derived from the passphrase.</summary>
internal static class SecretVault
{
    /// <summary>Least PBKDF2 rounds (KeyStores:File:Iterations).</summary>
    public const int Iterations = 600_000;

    private const int TagOctets = 16;

    /// <summary>Opens a secret of 32 octets, making it the first time.</summary>
    /// <param name="store">Where it is kept.</param>
    /// <param name="name">Its name.</param>
    /// <param name="passphrase">The passphrase.</param>
    /// <param name="iterations">PBKDF2 rounds of a new one.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="StartRefusedException">The passphrase does not open it.</exception>
    public static async Task<byte[]> OpenAsync(CaStore store, string name, string passphrase, int iterations, CancellationToken cancel)
    {
        var row = await store.ReadAsync(db => db.SealedSecrets.FirstOrDefaultAsync(s => s.Name == name, cancel), cancel);
        if (row is null)
        {
            var made = Seal(name, RandomNumberGenerator.GetBytes(32), passphrase, iterations);
            var outcome = await store.WriteAsync<SealedSecret>(
                Actor.Server,
                async t =>
                {
                    // Another node may have been first.
                    if (await t.Db.SealedSecrets.FirstOrDefaultAsync(s => s.Name == name, cancel) is { } other)
                    {
                        return other;
                    }

                    t.Db.SealedSecrets.Add(made);
                    t.Audit(AuditKinds.SecretCreated, "secret:" + name);
                    return made;
                },
                cancel);
            row = outcome.Value;
        }

        return Unseal(row, passphrase);
    }

    private static SealedSecret Seal(string name, byte[] secret, string passphrase, int iterations)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        var iv = RandomNumberGenerator.GetBytes(12);
        var sealedOctets = new byte[secret.Length + TagOctets];
        using var aes = new AesGcm(Key(passphrase, salt, iterations), TagOctets);
        aes.Encrypt(iv, secret, sealedOctets.AsSpan(0, secret.Length), sealedOctets.AsSpan(secret.Length), Encoding.UTF8.GetBytes(name));
        return new SealedSecret { Name = name, Salt = salt, Iterations = iterations, Iv = iv, Ciphertext = sealedOctets };
    }

    private static byte[] Unseal(SealedSecret row, string passphrase)
    {
        var secret = new byte[row.Ciphertext.Length - TagOctets];
        using var aes = new AesGcm(Key(passphrase, row.Salt, row.Iterations), TagOctets);
        try
        {
            aes.Decrypt(row.Iv, row.Ciphertext.AsSpan(0, secret.Length), row.Ciphertext.AsSpan(secret.Length), secret, Encoding.UTF8.GetBytes(row.Name));
            return secret;
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new StartRefusedException("Authority:PassphraseFile", $"the passphrase does not open the secret '{row.Name}' in the database; use the one this database was started with first");
        }
    }

    private static byte[] Key(string passphrase, byte[] salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(passphrase, salt, iterations, HashAlgorithmName.SHA256, 32);
}

using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Crypto.Generators;
using PersistCa.Protocol;

namespace PersistCa.Issuance.KeyStores;

/// <summary>How the key that encrypts a file is made from its passphrase.</summary>
public enum KeyDerivation
{
    /// <summary>PBKDF2 with HMAC-SHA-256 (RFC 8018 section 5.2): read by everything.</summary>
    Pbkdf2 = 1,

    /// <summary>scrypt (RFC 7914): guesses cost memory too. Read by OpenSSL 1.1 and later.</summary>
    Scrypt = 2,
}

/// <summary>PKCS #8 keys encrypted by PBES2 (RFC 5958 section 3, RFC 8018 section 6.2) with AES in CBC mode.</summary>
internal static class EncryptedKey
{
    private const string Pbes2 = "1.2.840.113549.1.5.13";
    private const string Pbkdf2 = "1.2.840.113549.1.5.12";
    private const string ScryptOid = "1.3.6.1.4.1.11591.4.11";
    private const string Aes256 = "2.16.840.1.101.3.4.1.42";
    private const string HmacSha256 = "1.2.840.113549.2.9";
    private const int SaltOctets = 16;

    /// <summary>Encrypts a PrivateKeyInfo.</summary>
    public static byte[] Seal(ReadOnlySpan<byte> pkcs8, ReadOnlySpan<char> passphrase, FileKeyStoreOptions options)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltOctets);
        var iv = RandomNumberGenerator.GetBytes(16);
        var derived = options.Kdf == KeyDerivation.Scrypt
            ? Scrypt(passphrase, salt, options.ScryptCost, options.ScryptBlock, options.ScryptParallel, 32)
            : Rfc2898DeriveBytes.Pbkdf2(passphrase, salt, options.Pbkdf2Iterations, HashAlgorithmName.SHA256, 32);
        using var aes = Aes.Create();
        aes.Key = derived;
        CryptographicOperations.ZeroMemory(derived);

        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(Pbes2);
                using (writer.PushSequence())
                {
                    WriteDerivation(writer, salt, options);
                    using (writer.PushSequence())
                    {
                        writer.WriteObjectIdentifier(Aes256);
                        writer.WriteOctetString(iv);
                    }
                }
            }

            writer.WriteOctetString(aes.EncryptCbc(pkcs8, iv));
        }

        return writer.Encode();
    }

    /// <summary>Decrypts an EncryptedPrivateKeyInfo.</summary>
    /// <returns>The PrivateKeyInfo, to be wiped by the caller; null when the passphrase does not open it; a reason when it is encrypted in a way that is not read.</returns>
    /// <exception cref="AsnContentException">The parameters cannot be read.</exception>
    public static Parsed<byte[]> Open(byte[] block, ReadOnlySpan<char> passphrase, FileKeyStoreOptions options)
    {
        var info = new AsnReader(block, AsnEncodingRules.BER).ReadSequence();
        var scheme = info.ReadSequence();
        var content = info.ReadOctetString();
        var oid = scheme.ReadObjectIdentifier();
        if (oid != Pbes2)
        {
            return Refuse($"it is encrypted by {oid}; PBES2 is read (RFC 8018 section 6.2)");
        }

        var parameters = scheme.ReadSequence();
        var derivation = parameters.ReadSequence();
        var cipher = parameters.ReadSequence();
        var cipherOid = cipher.ReadObjectIdentifier();
        var keyOctets = cipherOid switch { "2.16.840.1.101.3.4.1.2" => 16, "2.16.840.1.101.3.4.1.22" => 24, Aes256 => 32, _ => 0 };
        if (keyOctets == 0)
        {
            return Refuse($"its cipher is {cipherOid}; AES-128, AES-192 and AES-256 in CBC mode are read");
        }

        var iv = cipher.ReadOctetString();
        var derived = Derive(derivation, passphrase, keyOctets, options);
        if (!derived.IsValid)
        {
            return Refuse(derived.Reason);
        }

        using var aes = Aes.Create();
        aes.Key = derived.Value;
        CryptographicOperations.ZeroMemory(derived.Value);
        try
        {
            return Parsed<byte[]>.Ok(aes.DecryptCbc(content, iv));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return Refuse(WrongPassphrase);
        }
    }

    /// <summary>What a refusal says where the passphrase may be the wrong one.</summary>
    public const string WrongPassphrase = "the passphrase does not open it";

    private static Parsed<byte[]> Derive(AsnReader derivation, ReadOnlySpan<char> passphrase, int octets, FileKeyStoreOptions options)
    {
        var oid = derivation.ReadObjectIdentifier();
        var parameters = derivation.ReadSequence();
        if (oid == ScryptOid)
        {
            var salt = parameters.ReadOctetString();
            if (!parameters.TryReadInt32(out var cost) || !parameters.TryReadInt32(out var block) || !parameters.TryReadInt32(out var parallel)
                || cost < 2 || (cost & (cost - 1)) != 0 || block < 1 || parallel < 1)
            {
                return Refuse("its scrypt parameters are none (RFC 7914 section 2)");
            }

            var memory = 128L * cost * block;
            return memory > options.MaxScryptBytes || memory * parallel > 8L * options.MaxScryptBytes
                ? Refuse($"its scrypt parameters ask for {memory} octets, {parallel} times; at most {options.MaxScryptBytes} octets, and 8 times as many in all, are spent")
                : Parsed<byte[]>.Ok(Scrypt(passphrase, salt, cost, block, parallel, octets));
        }

        if (oid != Pbkdf2)
        {
            return Refuse($"its key derivation is {oid}; PBKDF2 and scrypt are read");
        }

        var pbkdf2Salt = parameters.ReadOctetString();
        if (!parameters.TryReadInt32(out var iterations) || iterations < 1 || iterations > options.MaxPbkdf2Iterations)
        {
            return Refuse($"its PBKDF2 iterations are out of range; 1 to {options.MaxPbkdf2Iterations} are spent");
        }

        if (parameters.HasData && parameters.PeekTag() == Asn1Tag.Integer)
        {
            parameters.ReadInteger(); // the key length, which the cipher says already
        }

        var prf = parameters.HasData ? parameters.ReadSequence().ReadObjectIdentifier() : "1.2.840.113549.2.7";
        HashAlgorithmName? hash = prf switch
        {
            "1.2.840.113549.2.7" => HashAlgorithmName.SHA1, // the default of RFC 8018, which other software still writes
            HmacSha256 => HashAlgorithmName.SHA256,
            "1.2.840.113549.2.10" => HashAlgorithmName.SHA384,
            "1.2.840.113549.2.11" => HashAlgorithmName.SHA512,
            _ => null,
        };
        return hash is { } known
            ? Parsed<byte[]>.Ok(Rfc2898DeriveBytes.Pbkdf2(passphrase, pbkdf2Salt, iterations, known, octets))
            : Refuse($"its PBKDF2 uses {prf}; HMAC with SHA-1, SHA-256, SHA-384 and SHA-512 are read");
    }

    private static void WriteDerivation(AsnWriter writer, byte[] salt, FileKeyStoreOptions options)
    {
        using (writer.PushSequence())
        {
            var scrypt = options.Kdf == KeyDerivation.Scrypt;
            writer.WriteObjectIdentifier(scrypt ? ScryptOid : Pbkdf2);
            using (writer.PushSequence())
            {
                writer.WriteOctetString(salt);
                if (scrypt)
                {
                    writer.WriteInteger(options.ScryptCost);
                    writer.WriteInteger(options.ScryptBlock);
                    writer.WriteInteger(options.ScryptParallel);
                    return;
                }

                writer.WriteInteger(options.Pbkdf2Iterations);
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier(HmacSha256);
                    writer.WriteNull();
                }
            }
        }
    }

    private static byte[] Scrypt(ReadOnlySpan<char> passphrase, byte[] salt, int cost, int block, int parallel, int octets)
    {
        var secret = new byte[Encoding.UTF8.GetByteCount(passphrase)];
        Encoding.UTF8.GetBytes(passphrase, secret);
        try
        {
            return SCrypt.Generate(secret, salt, cost, block, parallel, octets);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    private static Parsed<byte[]> Refuse(string reason) => Parsed<byte[]>.Refused(reason);
}

namespace PersistCa.Issuance.KeyStores;

/// <summary>Limits and strengths of <see cref="FileKeyStore"/>.</summary>
public sealed record FileKeyStoreOptions
{
    /// <summary>How a newly written key is encrypted.</summary>
    public KeyDerivation Kdf { get; init; } = KeyDerivation.Pbkdf2;

    /// <summary>PBKDF2 iterations of a newly written key.</summary>
    public int Pbkdf2Iterations { get; init; } = 600_000;

    /// <summary>
    /// scrypt's N of a newly written key, a power of two. 2^14 with p = 5 withstands guessing as 2^17 with p = 1 does, and needs 16 MiB: OpenSSL reads no key
    /// file that needs 32 MiB or more.
    /// </summary>
    public int ScryptCost { get; init; } = 1 << 14;

    /// <summary>scrypt's r.</summary>
    public int ScryptBlock { get; init; } = 8;

    /// <summary>scrypt's p.</summary>
    public int ScryptParallel { get; init; } = 5;

    /// <summary>Fewest characters of the passphrase of a new key.</summary>
    public int MinPassphraseLength { get; init; } = 8;

    /// <summary>Longest key file that is read, octets.</summary>
    public int MaxFileBytes { get; init; } = 64 * 1024;

    /// <summary>Most memory that scrypt may take to open a file, octets; eight times as many in all its parallel runs.</summary>
    public long MaxScryptBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>Most PBKDF2 iterations that are spent to open a file.</summary>
    public int MaxPbkdf2Iterations { get; init; } = 10_000_000;
}

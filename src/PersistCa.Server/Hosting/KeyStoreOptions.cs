using PersistCa.Issuance.KeyStores;

namespace PersistCa.Server.Hosting;

/// <summary>Section KeyStores: where the keys of issuers can be.</summary>
public sealed class KeyStoreOptions
{
    /// <summary>How often open keys are probed; while a probe fails this node is not ready.</summary>
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Keys in files.</summary>
    public KeyFileOptions File { get; set; } = new();

    /// <summary>Keys in PKCS #11 tokens.</summary>
    public TokenOptions Pkcs11 { get; set; } = new();

    /// <summary>Keys in AWS KMS.</summary>
    public CloudKeyOptions Kms { get; set; } = new();
}

/// <summary>Section KeyStores:File.</summary>
public sealed class KeyFileOptions
{
    /// <summary>How new files are encrypted: Pbkdf2 or Scrypt. Files of either kind are read.</summary>
    public KeyDerivation Kdf { get; set; } = KeyDerivation.Pbkdf2;

    /// <summary>PBKDF2 rounds of new files, and of new secrets in the database: a guess at the passphrase costs a tenth of a second or more.</summary>
    public int Iterations { get; set; } = SecretVault.Iterations;
}

/// <summary>Section KeyStores:Pkcs11.</summary>
public sealed class TokenOptions
{
    /// <summary>Path of the module; empty for none.</summary>
    public string Module { get; set; } = "";

    /// <summary>File with the PIN. Empty: the variable PERSISTCA_PKCS11_PIN or the systemd credential persistca-pkcs11-pin.</summary>
    public string PinFile { get; set; } = "";

    /// <summary>Most sessions of each token.</summary>
    public int Sessions { get; set; } = 4;

    /// <summary>Longest wait for the module and for a free session.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Attempts at one signature.</summary>
    public int Attempts { get; set; } = 3;

    /// <summary>Longest pause before a lost token is looked for again.</summary>
    public TimeSpan LongestPause { get; set; } = TimeSpan.FromSeconds(5);
}

/// <summary>Section KeyStores:Kms.</summary>
public sealed class CloudKeyOptions
{
    /// <summary>Region; empty for the one the SDK finds.</summary>
    public string Region { get; set; } = "";

    /// <summary>Endpoint in place of the region's own; empty for none.</summary>
    public string Endpoint { get; set; } = "";

    /// <summary>Longest wait for one attempt.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Further attempts.</summary>
    public int Retries { get; set; } = 3;

    /// <summary>Days between the order to destroy a key and its end.</summary>
    public int DeletionDays { get; set; } = 30;
}

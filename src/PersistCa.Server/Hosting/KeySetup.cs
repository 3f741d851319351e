using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.KeyStores.Kms;
using PersistCa.Issuance.KeyStores.Pkcs11;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Server.Hosting;

/// <summary>Key stores out of the configuration.</summary>
internal static class KeySetup
{
    /// <summary>The environment variable that may hold the PIN of tokens.</summary>
    public const string PinVariable = "PERSISTCA_PKCS11_PIN";

    /// <summary>The systemd credential that may hold it.</summary>
    public const string PinCredential = "persistca-pkcs11-pin";

    /// <summary>Checks the section, and the references that other sections have.</summary>
    public static IEnumerable<ConfigurationFault> Check(PersistCaOptions options)
    {
        var o = options.KeyStores;
        var second = TimeSpan.FromSeconds(1);
        if (options.Authority.IssuingKey.Length > 0 && options.Authority.IssuingKeyFile.Length > 0)
        {
            yield return new("Authority:IssuingKey", "Authority:IssuingKeyFile is set too; set one of them");
        }

        if (options.Authority.IssuingKey.Length > 0 && KeyReference.Parse(options.Authority.IssuingKey) is var reference)
        {
            if (!reference.IsValid)
            {
                yield return new("Authority:IssuingKey", reference.Reason);
            }
            else if (reference.Value.Scheme == KeyReference.Pkcs11 && o.Pkcs11.Module.Length == 0)
            {
                yield return new("KeyStores:Pkcs11:Module", "it is empty, and Authority:IssuingKey is in a token; name the module's file, such as /usr/lib/softhsm/libsofthsm2.so");
            }
        }

        if (o.Kms.Endpoint.Length > 0 && (!Uri.TryCreate(o.Kms.Endpoint, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")))
        {
            yield return new("KeyStores:Kms:Endpoint", $"'{o.Kms.Endpoint}' is not an http or https URL");
        }

        if (o.Kms.Region.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-'))
        {
            yield return new("KeyStores:Kms:Region", $"'{o.Kms.Region}' is not a region; write one such as eu-central-1");
        }

        var ranges = OptionRules.Range("KeyStores:ProbeInterval", o.ProbeInterval, 0.1 * second, 300 * second)
            .Concat(OptionRules.Range("KeyStores:Pkcs11:Sessions", o.Pkcs11.Sessions, 1, 256))
            .Concat(OptionRules.Range("KeyStores:Pkcs11:Timeout", o.Pkcs11.Timeout, 0.1 * second, 60 * second))
            .Concat(OptionRules.Range("KeyStores:File:Iterations", o.File.Iterations, SecretVault.Iterations, 10_000_000))
            .Concat(OptionRules.Range("KeyStores:Pkcs11:Attempts", o.Pkcs11.Attempts, 1, 10))
            .Concat(OptionRules.Range("KeyStores:Pkcs11:LongestPause", o.Pkcs11.LongestPause, 0.25 * second, 300 * second))
            .Concat(OptionRules.Range("KeyStores:Kms:Timeout", o.Kms.Timeout, 0.1 * second, 60 * second))
            .Concat(OptionRules.Range("KeyStores:Kms:Retries", o.Kms.Retries, 0, 10))
            .Concat(OptionRules.Range("KeyStores:Kms:DeletionDays", o.Kms.DeletionDays, 7, 30));
        foreach (var fault in ranges)
        {
            yield return fault;
        }
    }

    /// <summary>The ring that opens every reference. Nothing is reached for yet.</summary>
    /// <param name="options">The configuration.</param>
    /// <param name="passphrase">Passphrase of key files.</param>
    /// <param name="clock">The time.</param>
    /// <param name="folder">Folder of keys that are named without a path; null for that of the authority.</param>
    public static KeyRing Ring(PersistCaOptions options, string passphrase, TimeProvider clock, string? folder = null)
    {
        var o = options.KeyStores;
        return new KeyRing(
            new KeyRingOptions
            {
                Folder = folder ?? AuthorityFiles.Folder(options),
                Passphrase = passphrase,
                File = new FileKeyStoreOptions { Kdf = o.File.Kdf, Pbkdf2Iterations = o.File.Iterations },
                Pkcs11 = o.Pkcs11.Module.Length == 0 ? null : new Pkcs11Options
                {
                    Module = o.Pkcs11.Module,
                    Sessions = o.Pkcs11.Sessions,
                    Timeout = o.Pkcs11.Timeout,
                    Attempts = o.Pkcs11.Attempts,
                    LongestPause = o.Pkcs11.LongestPause,
                },
                Pin = () => Pin(o.Pkcs11),
                Kms = new KmsOptions
                {
                    Region = o.Kms.Region,
                    Endpoint = o.Kms.Endpoint,
                    Timeout = o.Kms.Timeout,
                    Retries = o.Kms.Retries,
                    DeletionDays = o.Kms.DeletionDays,
                },
            },
            clock);
    }

    /// <summary>Opens the key of an issuer.</summary>
    /// <param name="ring">Opens it.</param>
    /// <param name="reference">Its reference; empty for a file.</param>
    /// <param name="file">Its file, where there is no reference.</param>
    /// <param name="key">The configuration key of the reference, whose sibling that ends in File names the file.</param>
    /// <param name="cancel">Stops waiting.</param>
    /// <exception cref="StartRefusedException">It cannot be opened.</exception>
    public static async Task<ISigningKey> OpenAsync(KeyRing ring, string reference, string file, string key, CancellationToken cancel)
    {
        var opened = await ring.OpenAsync(Read(reference.Length > 0 ? reference : $"{KeyReference.File}:{Path.GetFullPath(file)}", key), cancel);
        return opened.IsValid ? opened.Value : throw new StartRefusedException(reference.Length > 0 ? key : key + "File", opened.Reason);
    }

    /// <summary>Makes the key of an issuer.</summary>
    /// <exception cref="StartRefusedException">It cannot be made.</exception>
    public static async Task<ISigningKey> CreateAsync(KeyRing ring, string reference, string name, SigningAlgorithm algorithm, string key, CancellationToken cancel)
    {
        var made = await ring.CreateAsync(Read(reference.Length > 0 ? reference : $"{KeyReference.File}:{name}", key), algorithm, cancel);
        return made.IsValid ? made.Value : throw new StartRefusedException(reference.Length > 0 ? key : "Server:DataDirectory", made.Reason);
    }

    private static KeyReference Read(string text, string key) =>
        KeyReference.Parse(text) is { IsValid: true } read ? read.Value : throw new StartRefusedException(key, KeyReference.Parse(text).Reason!);

    /// <summary>The PIN: the configured file, the environment, the systemd credential. Read at each login, so that a changed one is found.</summary>
    private static Parsed<string> Pin(TokenOptions options)
    {
        var file = options.PinFile;
        if (file.Length == 0 && Environment.GetEnvironmentVariable(PinVariable) is { Length: > 0 } text)
        {
            return Parsed<string>.Ok(text);
        }

        if (file.Length == 0 && Environment.GetEnvironmentVariable("CREDENTIALS_DIRECTORY") is { Length: > 0 } directory)
        {
            file = Path.Combine(directory, PinCredential);
        }

        if (file.Length == 0)
        {
            return Parsed<string>.Refused($"there is no PIN for the token; name a file by KeyStores:Pkcs11:PinFile, set {PinVariable}, or pass the systemd credential {PinCredential}");
        }

        try
        {
            var pin = File.ReadAllText(file).TrimEnd('\r', '\n');
            return pin.Length > 0 ? Parsed<string>.Ok(pin) : Parsed<string>.Refused($"the file {file} is empty; write the PIN into its first line");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Parsed<string>.Refused($"the PIN's file {file} cannot be read: {e.Message}");
        }
    }
}

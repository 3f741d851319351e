using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;
using PersistCa.Issuance.Signing;
using PersistCa.Issuance.Signing.PrivateKeys;
using PersistCa.Protocol;

namespace PersistCa.Issuance.KeyStores;

/// <summary>
/// A folder of private keys: one PEM file each, PKCS #8 encrypted with AES-256-CBC under PBKDF2-HMAC-SHA-256 or scrypt (RFC 5958, RFC 8018, RFC 7914),
/// readable by its owner alone. A key that exists is never overwritten. Refusals are reasons for an operator.
/// </summary>
/// <param name="directory">The folder; made when the first key is.</param>
/// <param name="options">Limits and strengths; the defaults when null.</param>
public sealed partial class FileKeyStore(string directory, FileKeyStoreOptions? options = null)
{
    private const string EncryptedLabel = "ENCRYPTED PRIVATE KEY";
    private const string FileEnding = ".key.pem";
    private readonly FileKeyStoreOptions options = options ?? new FileKeyStoreOptions();

    /// <summary>Where the key of a name is, or would be.</summary>
    /// <exception cref="ArgumentException">The name is none: see <see cref="Create"/>.</exception>
    public string PathOf(string name) =>
        KeyName.Judge(name) is { } reason ? throw new ArgumentException(reason, nameof(name)) : Path.Combine(directory, name + FileEnding);

    /// <summary>Makes a key, writes it and opens it.</summary>
    /// <param name="name">1 to 100 letters, digits, hyphens and underscores.</param>
    /// <param name="algorithm">What it will sign with.</param>
    /// <param name="passphrase">Encrypts the file.</param>
    /// <returns>The open key; a reason when the name or passphrase is unfit, a key of this name exists, or the folder cannot be written.</returns>
    public Parsed<FileSigningKey> Create(string name, SigningAlgorithm algorithm, ReadOnlySpan<char> passphrase)
    {
        if (KeyName.Judge(name) is { } reason)
        {
            return Parsed<FileSigningKey>.Refused(reason);
        }

        if (passphrase.Length < options.MinPassphraseLength)
        {
            return Parsed<FileSigningKey>.Refused($"the passphrase has {passphrase.Length} characters; at least {options.MinPassphraseLength} are expected");
        }

        var key = FileSigningKey.Generate(algorithm, out var plain);
        return Keep(name, key, plain, passphrase);
    }

    /// <summary>Takes in a key that was made elsewhere: encrypts it, writes it and opens it.</summary>
    /// <param name="name">1 to 100 letters, digits, hyphens and underscores.</param>
    /// <param name="pkcs8">PrivateKeyInfo, DER, not encrypted; wiped here.</param>
    /// <param name="passphrase">Encrypts the file.</param>
    /// <returns>The open key; a reason as in <see cref="Create"/>, or that it is no key that signs here.</returns>
    public Parsed<FileSigningKey> Import(string name, byte[] pkcs8, ReadOnlySpan<char> passphrase)
    {
        try
        {
            var reason = KeyName.Judge(name);
            if (reason is not null || passphrase.Length < options.MinPassphraseLength)
            {
                return Parsed<FileSigningKey>.Refused(reason ?? $"the passphrase has {passphrase.Length} characters; at least {options.MinPassphraseLength} are expected");
            }

            var read = FileSigningKey.Read(pkcs8);
            return read.IsValid ? Keep(name, read.Value, pkcs8, passphrase) : read;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }

    private Parsed<FileSigningKey> Keep(string name, FileSigningKey key, byte[] plain, ReadOnlySpan<char> passphrase)
    {
        var sealedKey = EncryptedKey.Seal(plain, passphrase, options);
        CryptographicOperations.ZeroMemory(plain);
        if (Write(PathOf(name), PemEncoding.WriteString(EncryptedLabel, sealedKey) + "\n") is { } refusal)
        {
            key.Dispose();
            return Parsed<FileSigningKey>.Refused(refusal);
        }

        return Parsed<FileSigningKey>.Ok(key);
    }

    /// <summary>The names of the keys in the folder, sorted.</summary>
    public Parsed<IReadOnlyList<string>> List()
    {
        try
        {
            var files = Directory.Exists(directory) ? Directory.GetFiles(directory, "*" + FileEnding) : [];
            return Parsed<IReadOnlyList<string>>.Ok([.. files.Select(f => Path.GetFileName(f)[..^FileEnding.Length]).Where(n => KeyName.Judge(n) is null).Order(StringComparer.Ordinal)]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Parsed<IReadOnlyList<string>>.Refused($"the folder {directory} cannot be read: {e.Message}");
        }
    }

    /// <summary>Deletes a key, for good: its file is overwritten first. What a disk or a backup keeps of it is encrypted still.</summary>
    /// <param name="name">The name given to <see cref="Create"/>, or the path of a file.</param>
    /// <returns>Null when it is gone; a reason when there was none, or its file cannot be deleted.</returns>
    public string? Destroy(string name)
    {
        return !IsPath(name) && KeyName.Judge(name) is { } reason ? reason : Erase(ResolvedPath(name));
    }

    /// <summary>Overwrites and deletes a file.</summary>
    private string? Erase(string path)
    {
        try
        {
            if (!File.Exists(path))
            {
                return $"the file {path} does not exist";
            }

            using (var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.None))
            {
                stream.Write(RandomNumberGenerator.GetBytes((int)Math.Min(stream.Length, options.MaxFileBytes)));
                stream.Flush(flushToDisk: true);
            }

            File.Delete(path);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"the file {path} cannot be deleted: {e.Message}";
        }
    }

    private static bool IsPath(string name) => name.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal) || name.EndsWith(".pem", StringComparison.Ordinal);

    /// <summary>Opens a key.</summary>
    /// <param name="name">The name given to <see cref="Create"/>, or the path of a file (with a directory separator, or ending in .pem).</param>
    /// <param name="passphrase">Decrypts the file.</param>
    /// <returns>The open key; a reason when the file is missing, cannot be read, holds no encrypted key, or the passphrase does not open it.</returns>
    public Parsed<FileSigningKey> Open(string name, ReadOnlySpan<char> passphrase)
    {
        var opened = Open(name, passphrase, out var plain);
        CryptographicOperations.ZeroMemory(plain);
        return opened;
    }

    /// <summary>Opens a key, and gives its octets to be wiped.</summary>
    private Parsed<FileSigningKey> Open(string name, ReadOnlySpan<char> passphrase, out byte[] plain)
    {
        plain = [];
        return !IsPath(name) && KeyName.Judge(name) is { } reason ? Parsed<FileSigningKey>.Refused(reason) : OpenFile(ResolvedPath(name), passphrase, out plain);
    }

    private Parsed<FileSigningKey> OpenFile(string path, ReadOnlySpan<char> passphrase, out byte[] plain)
    {
        plain = [];
        var text = Read(path);
        if (!text.IsValid)
        {
            return Parsed<FileSigningKey>.Refused(text.Reason);
        }

        if (!PemEncoding.TryFind(text.Value, out var fields))
        {
            return Parsed<FileSigningKey>.Refused($"the file {path} is not a key: it holds no PEM block");
        }

        var label = text.Value[fields.Label];
        if (label != EncryptedLabel)
        {
            return Parsed<FileSigningKey>.Refused($"the file {path} is not a key: its PEM block is '{label}'; expected is '{EncryptedLabel}'");
        }

        var block = Convert.FromBase64String(text.Value[fields.Base64Data]);
        if (!IsEncryptedKey(block))
        {
            return Parsed<FileSigningKey>.Refused($"the file {path} is not a key: its PEM block holds no EncryptedPrivateKeyInfo (RFC 5958 section 3); it is damaged");
        }

        return Unlock(block, path, passphrase, out plain);
    }

    /// <summary>Judges the outer form, which no passphrase hides: so a damaged file is not taken for a mistyped passphrase.</summary>
    private static bool IsEncryptedKey(byte[] block)
    {
        try
        {
            // BER, as the platform reads it: other software writes keys in it.
            var outer = new AsnReader(block, AsnEncodingRules.BER);
            var info = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            info.ReadSequence().ReadObjectIdentifier();
            info.ReadOctetString();
            info.ThrowIfNotEmpty();
            return true;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    private Parsed<FileSigningKey> Unlock(byte[] block, string path, ReadOnlySpan<char> passphrase, out byte[] plain)
    {
        plain = [];
        try
        {
            var opened = EncryptedKey.Open(block, passphrase, options);
            if (!opened.IsValid)
            {
                return Parsed<FileSigningKey>.Refused(opened.Reason == EncryptedKey.WrongPassphrase
                    ? $"the passphrase does not open the file {path}, or it is damaged"
                    : $"the file {path} cannot be opened: {opened.Reason}");
            }

            plain = opened.Value;
            return KeyIn(plain, path);
        }
        catch (UnfitKeyException unfit)
        {
            return Parsed<FileSigningKey>.Refused(
                $"the key in {path} has {unfit.Bits} bits and is of no kind that signs here; expected is a key for one of {string.Join(", ", SigningAlgorithms.All)}");
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException or NotSupportedException)
        {
            // A wrong passphrase decrypts to noise with a right ending once in 256 times. What the exception says is about noise, so it is not told.
            return Parsed<FileSigningKey>.Refused($"the passphrase does not open the file {path}, or what it opens is no private key");
        }
    }

    private static Parsed<FileSigningKey> KeyIn(byte[] plain, string path)
    {
        foreach (var scheme in SigningAlgorithms.All.Select(a => a.Scheme).Distinct())
        {
            if (scheme.Read(plain) is { } key)
            {
                // One that reads a key reads none that nothing signs with.
                return Parsed<FileSigningKey>.Ok(FileSigningKey.Own(key, SigningAlgorithms.ForPublicKey(key.SubjectPublicKeyInfo)!));
            }
        }

        return Parsed<FileSigningKey>.Refused($"the key in {path} is of no kind that signs here; expected is a key for one of {string.Join(", ", SigningAlgorithms.All)}");
    }

    private Parsed<string> Read(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
            {
                return Parsed<string>.Refused($"the file {path} does not exist");
            }

            return file.Length > options.MaxFileBytes
                ? Parsed<string>.Refused($"the file {path} is not a key: it has {file.Length} octets where at most {options.MaxFileBytes} are read")
                : Parsed<string>.Ok(File.ReadAllText(path, Encoding.UTF8));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Parsed<string>.Refused($"the file {path} cannot be read: {e.Message}");
        }
    }

    /// <summary>
    /// Writes beside the final place and renames. The temporary file is opened exclusively and its name is fixed, so that it also keeps out
    /// another process creating the same key; after a crash it stays and says so at the next attempt, and no half key stands under the final name.
    /// </summary>
    private string? Write(string path, string pem)
    {
        var beside = path + ".new";
        var claimed = false;
        try
        {
            var opening = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(directory);
            }
            else
            {
                Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                opening.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            if (File.Exists(beside))
            {
                return $"the file {beside} is in the way: another creation runs, or an earlier one was interrupted and left it; remove it in the latter case";
            }

            using (var stream = new FileStream(beside, opening))
            {
                claimed = true;
                stream.Write(Encoding.ASCII.GetBytes(pem));
                stream.Flush(flushToDisk: true);
            }

            if (File.Exists(path))
            {
                File.Delete(beside);
                return $"the file {path} exists; a key is never overwritten";
            }

            File.Move(beside, path, overwrite: false);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (claimed && File.Exists(beside))
            {
                File.Delete(beside);
            }

            return $"the file {path} cannot be written: {e.Message}";
        }
    }
}

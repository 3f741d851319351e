using System.Security.Cryptography;
using System.Text;

namespace PersistCa.Issuance.KeyStores;

/// <summary>
/// Another passphrase for a key, in two steps, so that what must be done between them (shares handed out, a transcript signed) can fail: the key is encrypted anew into a
/// file beside, which then takes the place of the one before.
/// </summary>
public sealed partial class FileKeyStore
{
    private const string BesideEnding = ".next";

    /// <summary>Encrypts a key anew into a file beside its own. One that an attempt before left there is removed.</summary>
    /// <param name="name">The name given to <see cref="Create"/>, or the path of a file.</param>
    /// <param name="passphrase">Opens the key as it is.</param>
    /// <param name="next">Is to open it.</param>
    /// <returns>Null when it is written; else a reason.</returns>
    public string? PrepareReplacement(string name, ReadOnlySpan<char> passphrase, ReadOnlySpan<char> next)
    {
        if (next.Length < options.MinPassphraseLength)
        {
            return $"the new passphrase has {next.Length} characters; at least {options.MinPassphraseLength} are expected";
        }

        var opened = Open(name, passphrase, out var plain);
        if (!opened.IsValid)
        {
            CryptographicOperations.ZeroMemory(plain);
            return opened.Reason;
        }

        opened.Value.Dispose();
        var sealedKey = EncryptedKey.Seal(plain, next, options);
        CryptographicOperations.ZeroMemory(plain);
        return DropReplacement(name) ?? Write(BesideOf(name), PemEncoding.WriteString(EncryptedLabel, sealedKey) + "\n");
    }

    /// <summary>Puts the key that was encrypted anew in the place of the one before, whose file is overwritten.</summary>
    /// <param name="name">As it was given to <see cref="PrepareReplacement"/>.</param>
    /// <param name="next">The passphrase that opens it.</param>
    /// <returns>Null when it is in its place; else a reason.</returns>
    public string? FinishReplacement(string name, ReadOnlySpan<char> next)
    {
        var beside = BesideOf(name);
        var opened = OpenFile(beside, next, out var plain);
        CryptographicOperations.ZeroMemory(plain);
        if (!opened.IsValid)
        {
            return opened.Reason;
        }

        opened.Value.Dispose();
        var path = ResolvedPath(name);
        try
        {
            // The file before is held open over the renaming, which is atomic, so that its octets can be overwritten when no name leads to them any more.
            using var before = File.Exists(path) ? new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete) : null;
            File.Move(beside, path, overwrite: true);
            before?.Write(RandomNumberGenerator.GetBytes((int)Math.Min(before.Length, options.MaxFileBytes)));
            before?.Flush(flushToDisk: true);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"the file {beside} cannot take the place of {path}: {e.Message}";
        }
    }

    /// <summary>Whether a key lies beside its file, encrypted anew, and waits for <see cref="FinishReplacement"/>.</summary>
    public bool HasReplacement(string name) => File.Exists(BesideOf(name));

    /// <summary>Removes what <see cref="PrepareReplacement"/> wrote; nothing happens when there is nothing.</summary>
    /// <returns>Null when there is nothing any more; else a reason.</returns>
    public string? DropReplacement(string name) => HasReplacement(name) ? Erase(BesideOf(name)) : null;

    private string BesideOf(string name) => ResolvedPath(name) + BesideEnding;

    private string ResolvedPath(string name) => IsPath(name) ? name : PathOf(name);
}

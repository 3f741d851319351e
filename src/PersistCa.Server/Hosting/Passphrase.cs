using System.Security.Cryptography;
using System.Text;

namespace PersistCa.Server.Hosting;

/// <summary>Where the passphrase of the keys comes from: never a setting, since settings are printed and logged.</summary>
public static class Passphrase
{
    /// <summary>The environment variable that may hold it.</summary>
    public const string Variable = "PERSISTCA_PASSPHRASE";

    /// <summary>The systemd credential that may hold it.</summary>
    public const string Credential = "persistca-passphrase";

    /// <summary>The file in the data folder that holds a generated one.</summary>
    public const string GeneratedFile = "passphrase";

    /// <summary>Finds the passphrase: the configured file, the environment, the systemd credential, the generated file.</summary>
    /// <exception cref="StartRefusedException">There is none, or its file cannot be read.</exception>
    public static string Find(PersistCaOptions options)
    {
        if (Given(options.Authority.PassphraseFile, "Authority:PassphraseFile", Variable, Credential) is { } given)
        {
            return given;
        }

        var generated = Path.Combine(options.Server.DataDirectory, GeneratedFile);
        return File.Exists(generated)
            ? Read(generated, generated)
            : throw new StartRefusedException(
                "Authority:PassphraseFile",
                AuthorityFiles.Exist(options)
                    ? $"there is no passphrase for the keys; name a file here, set {Variable}, or pass the systemd credential {Credential}"
                    : $"there is no authority in {options.Server.DataDirectory} yet and no passphrase for its keys; run 'persistca init --generate-passphrase', or name a file here, set {Variable} or pass the systemd credential {Credential} and run 'persistca init'");
    }

    /// <summary>A passphrase that someone gave: by file, environment or systemd credential, in this order.</summary>
    /// <param name="file">The file; empty for none.</param>
    /// <param name="key">The configuration key or option that named it.</param>
    /// <param name="variable">The environment variable that may hold it.</param>
    /// <param name="credential">The systemd credential that may hold it; null for none.</param>
    /// <returns>The passphrase; null when none was given.</returns>
    /// <exception cref="StartRefusedException">Its file cannot be read.</exception>
    public static string? Given(string file, string key, string variable, string? credential = null)
    {
        if (file.Length > 0)
        {
            return Read(file, key);
        }

        if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text)
        {
            return text;
        }

        return credential is not null && Environment.GetEnvironmentVariable("CREDENTIALS_DIRECTORY") is { Length: > 0 } directory && Path.Combine(directory, credential) is var path && File.Exists(path)
            ? Read(path, "the systemd credential " + credential)
            : null;
    }

    /// <summary>Makes a passphrase file that only its owner can read, unless there is one.</summary>
    public static string Generate(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, GeneratedFile);
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(dataDirectory);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using var stream = new FileStream(path, options);
            stream.Write(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)) + "\n"));
        }

        return path;
    }

    private static string Read(string path, string key)
    {
        try
        {
            var text = File.ReadAllText(path).TrimEnd('\r', '\n');
            return text.Length > 0 ? text : throw new StartRefusedException(key, $"the file {path} is empty; write the passphrase into its first line");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException(key, $"the passphrase file {path} cannot be read ({e.Message}); check its path and permissions");
        }
    }
}

/// <summary>The start is refused because of something the operator can mend.</summary>
public sealed class StartRefusedException(string key, string message) : Exception($"{key}: {message}")
{
    /// <summary>The configuration key.</summary>
    public string Key { get; } = key;
}

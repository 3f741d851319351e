using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.KeyStores.Pkcs11;
using PersistCa.Protocol;
using Xunit;

namespace PersistCa.Testing;

/// <summary>
/// A token of SoftHSM in a folder of its own, with a module of its own: a copy of the library is another library to the loader, and its copy names another
/// variable for the path of its configuration, so that several tokens live in one process.
/// </summary>
public sealed partial class SoftHsm : IDisposable
{
    /// <summary>The user's PIN of every token here.</summary>
    public const string Pin = "4711-token";

    private static int tokens;
    private readonly string folder;

    private SoftHsm(string folder, string module, string variable)
    {
        this.folder = folder;
        Module = module;
        Variables = new Dictionary<string, string> { [variable] = ConfigurationIn(folder) };
    }

    /// <summary>What another process that uses the module needs in its environment.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; }

    /// <summary>Path of the module.</summary>
    public string Module { get; }

    /// <summary>Path of a file with the PIN.</summary>
    public string PinFile => Path.Combine(folder, "pin");

    /// <summary>Label of the token.</summary>
    public string Token { get; } = "persistca";

    /// <summary>Makes a token, or skips the test where there is no SoftHSM.</summary>
    public static SoftHsm Create()
    {
        var tool = Requirement.Program("softhsm2-util");
        var library = new[] { "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib64/libsofthsm2.so" }.FirstOrDefault(File.Exists);
        Requirement.Need(library is not null, "softhsm2", "its module is in none of the usual folders");
        var folder = Directory.CreateTempSubdirectory("persistca-hsm-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "tokens"));
        var configuration = ConfigurationIn(folder);
        File.WriteAllText(configuration, $"directories.tokendir = {Path.Combine(folder, "tokens")}\nobjectstore.backend = file\nlog.level = ERROR\n");
        var octets = File.ReadAllBytes(library!);
        var variable = $"SOFTHSM2_{Interlocked.Increment(ref tokens):d4}";
        var hsm = new SoftHsm(folder, Path.Combine(folder, "libsofthsm2.so"), variable);
        var at = octets.AsSpan().IndexOf("SOFTHSM2_CONF"u8);
        Requirement.Need(at >= 0, "softhsm2", "its module does not name the variable of its configuration");
        Encoding.ASCII.GetBytes(variable).CopyTo(octets, at);
        File.WriteAllBytes(hsm.Module, octets);
        File.WriteAllText(hsm.PinFile, Pin + "\n");
        var start = new ProcessStartInfo(tool) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { "--init-token", "--free", "--label", hsm.Token, "--pin", Pin, "--so-pin", "so-4711" })
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["SOFTHSM2_CONF"] = configuration;
        using var process = Process.Start(start)!;
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, process.StandardError.ReadToEnd());

        SetEnvironment(variable, configuration, 1); // of the process itself: .NET's environment is a copy
        return hsm;
    }

    /// <summary>Options for its module, with short pauses, and time for a machine that has much else to do.</summary>
    public Pkcs11Options Options => new() { Module = Module, Timeout = TimeSpan.FromMinutes(1), LongestPause = TimeSpan.FromMilliseconds(300) };

    /// <summary>A reference to a key in it.</summary>
    public string Reference(string name) => $"pkcs11:token={Token};object={name}";

    /// <summary>A store over it.</summary>
    public Pkcs11KeyStore Store(Pkcs11Options? options = null, string pin = Pin) =>
        new(options ?? Options, KeyReference.Parse(Reference("any")).Value!, () => Parsed<string>.Ok(pin), TimeProvider.System);

    /// <summary>Pulls the token: its files are gone.</summary>
    public void Pull() => Directory.Move(Path.Combine(folder, "tokens"), Path.Combine(folder, "pulled"));

    /// <summary>Puts it back.</summary>
    public void PutBack() => Directory.Move(Path.Combine(folder, "pulled"), Path.Combine(folder, "tokens"));

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static string ConfigurationIn(string folder) => Path.Combine(folder, "softhsm2.conf");

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}

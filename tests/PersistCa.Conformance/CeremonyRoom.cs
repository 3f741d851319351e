using PersistCa.Testing;

namespace PersistCa.Conformance;

/// <summary>An empty folder on a machine without network: the executable is run there, and OpenSSL judges what comes out.</summary>
internal sealed class CeremonyRoom : IDisposable
{
    /// <summary>The passphrase of issuing keys.</summary>
    public const string IssuingPassphrase = "of the issuing key";

    private CeremonyRoom()
    {
    }

    /// <summary>Its path.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("persistca-ceremony-").FullName;

    /// <summary>The environment of what is run.</summary>
    public Dictionary<string, string> Variables { get; } = new() { ["PERSISTCA_PASSPHRASE"] = IssuingPassphrase, ["PERSISTCA_KEY_PASSPHRASE"] = "of the file" };

    /// <summary>Options of every command.</summary>
    public List<string> Settings { get; } = [];

    /// <summary>A file of the ceremony.</summary>
    public string this[string name] => Path.Combine(Folder, "ceremony", name);

    /// <summary>Makes the folder.</summary>
    public static CeremonyRoom Open() => new();

    /// <summary>Options that give shares by their files.</summary>
    public static string[] Shares(params int[] indexes) => SharesIn("shares", indexes);

    /// <summary>Options that give shares by their files in a folder.</summary>
    public static string[] SharesIn(string folder, params int[] indexes) => [.. indexes.SelectMany(i => new[] { "--share", Path.Combine(folder, $"share-{i}.txt") })];

    /// <summary>The value of a line that begins with a word.</summary>
    public static string Said(string output, string word) => output.Split('\n').Last(l => l.TrimStart().StartsWith(word + " ", StringComparison.Ordinal)).Trim()[word.Length..].Trim();

    /// <summary>Runs a step of the ceremony.</summary>
    public Task<string> StepAsync(int exit, params string[] arguments) => RunAsync(exit, ["ceremony", .. arguments, .. Settings]);

    /// <summary>Runs this product.</summary>
    /// <returns>What it printed.</returns>
    public async Task<string> RunAsync(int exit, params string[] arguments)
    {
        var (found, output) = await CommandLine.PersistCaAsync(Folder, Variables, arguments);
        Assert.True(found == exit, $"persistca {string.Join(' ', arguments)} ended with {found}: {output}");
        return output;
    }

    /// <summary>Runs OpenSSL, which is to succeed.</summary>
    public async Task<string> OpenSslAsync(params string[] arguments)
    {
        var (exit, output) = await CommandLine.RunAsync(Requirement.Program("openssl"), Folder, Variables, arguments);
        Assert.True(exit == 0, $"openssl {string.Join(' ', arguments)} ended with {exit}: {output}");
        return output;
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

using System.CommandLine;
using PersistCa.Issuance.Ceremonies;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>What the commands of ceremonies have in common: the folder, the witnesses, and how keys are opened. No secret stands in an argument.</summary>
internal sealed class CeremonyArguments
{
    /// <summary>The environment variable that may hold the passphrase of the root's key.</summary>
    public const string RootVariable = "PERSISTCA_ROOT_PASSPHRASE";

    /// <summary>Longest validity, days.</summary>
    public const int MaxDays = 14610;

    private const int MaxShareFile = 4096;

    private readonly ConfigurationArguments configuration = new();

    private readonly Option<string> folder = new("--folder") { Description = "The ceremony's folder.", DefaultValueFactory = _ => "ceremony" };

    private readonly Option<string[]> witnesses = new("--witness") { Description = "Name of someone who is there, for the transcript. May be given several times.", AllowMultipleArgumentsPerToken = false };

    private readonly Option<string> rootKey = new("--root-key") { Description = "The root's key: file:NAME in the folder, pkcs11:token=TOKEN;object=NAME or aws-kms:alias/NAME.", DefaultValueFactory = _ => "file:root" };

    private readonly Option<string> rootPassphrase = new("--root-passphrase-file") { Description = $"File with the passphrase of the root's key; else {RootVariable}, or shares.", DefaultValueFactory = _ => "" };

    private readonly Option<string[]> shares = new("--share") { Description = "File with a share of the root's passphrase, or - to type shares line by line. May be given several times.", AllowMultipleArgumentsPerToken = false };

    private readonly Option<string> passphrase = new("--passphrase-file") { Description = $"File with the passphrase of the issuing key; else {Passphrase.Variable}, or the systemd credential {Passphrase.Credential}.", DefaultValueFactory = _ => "" };

    private readonly Option<bool> yes = new("--yes") { Description = "Sign what is shown without asking." };

    /// <summary>The folder's path.</summary>
    public string Folder(ParseResult result) => Path.GetFullPath(result.GetValue(folder)!);

    public void AddTo(Command command, bool signs = true, bool root = true, bool issuing = false, bool asks = false)
    {
        command.Options.Add(folder);
        if (signs)
        {
            configuration.AddTo(command, withData: false);
            command.Options.Add(witnesses);
        }

        if (root)
        {
            command.Options.Add(rootKey);
            command.Options.Add(rootPassphrase);
            command.Options.Add(shares);
        }

        if (issuing)
        {
            command.Options.Add(passphrase);
        }

        if (asks)
        {
            command.Options.Add(yes);
        }
    }

    /// <summary>Adds the shares alone.</summary>
    public void AddSharesTo(Command command)
    {
        command.Options.Add(folder);
        command.Options.Add(shares);
    }

    /// <summary>The configuration; of it only the section KeyStores matters.</summary>
    public PersistCaOptions Options(ParseResult result) => configuration.Read(result);

    /// <summary>Opens the ceremony: everything that is in the folder is replayed first.</summary>
    /// <exception cref="StartRefusedException">It is not as its transcripts say.</exception>
    public Ceremony Open(ParseResult result) => Sound(
        Ceremony.Open(new CeremonyFolder(Folder(result)), new CeremonySetting(TimeProvider.System.GetUtcNow(), "persistca " + ProductVersion.Text, result.GetValue(witnesses) ?? [])),
        "--folder");

    /// <summary>Makes a key; the ring is the caller's to dispose, and the key with it.</summary>
    public async Task<(KeyRing Ring, CeremonyKey Key)> CreateAsync(ParseResult result, string reference, SigningAlgorithm algorithm, string secret, string option, CancellationToken cancel)
    {
        var parsed = Sound(KeyReference.Parse(reference), option);
        var ring = KeySetup.Ring(Options(result), secret, TimeProvider.System, Folder(result));
        var made = await ring.CreateAsync(parsed, algorithm, cancel);
        if (made.IsValid)
        {
            return (ring, new CeremonyKey(made.Value, reference, []));
        }

        ring.Dispose();
        throw new StartRefusedException(option, made.Reason);
    }

    /// <summary>Opens the root's key; the ring is the caller's to dispose, and the key with it.</summary>
    public Task<(KeyRing Ring, CeremonyKey Key)> OpenRootAsync(ParseResult result, CancellationToken cancel) => OpenAsync(result, result.GetValue(rootKey)!, true, "--root-key", cancel);

    /// <summary>Opens the root's key by a passphrase that was restored already.</summary>
    public Task<(KeyRing Ring, CeremonyKey Key)> OpenRootAsync(ParseResult result, RestoredPassphrase restored, CancellationToken cancel) =>
        OpenAsync(result, Sound(KeyReference.Parse(result.GetValue(rootKey)!), "--root-key"), result.GetValue(rootKey)!, true, restored, "--root-key", cancel);

    /// <summary>Opens a key.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="reference">How the operator names it.</param>
    /// <param name="root">Whether its passphrase is the root's.</param>
    /// <param name="option">The option that named it.</param>
    /// <param name="cancel">Stops waiting.</param>
    public async Task<(KeyRing Ring, CeremonyKey Key)> OpenAsync(ParseResult result, string reference, bool root, string option, CancellationToken cancel)
    {
        var parsed = Sound(KeyReference.Parse(reference), option);
        var restored = new RestoredPassphrase("", []);
        if (parsed.Scheme == KeyReference.File)
        {
            restored = root ? RootSecret(result) : new RestoredPassphrase(IssuingSecret(result), []);
        }

        return await OpenAsync(result, parsed, reference, root, restored, option, cancel);
    }

    private async Task<(KeyRing Ring, CeremonyKey Key)> OpenAsync(ParseResult result, KeyReference parsed, string reference, bool root, RestoredPassphrase restored, string option, CancellationToken cancel)
    {
        if (root && parsed.Scheme == KeyReference.File)
        {
            await FinishDealAsync(result, parsed.Target, restored.Passphrase);
        }

        var ring = KeySetup.Ring(Options(result), restored.Passphrase, TimeProvider.System, Folder(result));
        var opened = await ring.OpenAsync(parsed, cancel);
        if (opened.IsValid)
        {
            return (ring, new CeremonyKey(opened.Value, reference, restored.Indexes));
        }

        ring.Dispose();
        throw new StartRefusedException(option, opened.Reason);
    }

    /// <summary>Whether the root's passphrase was given rather than the issuing key's.</summary>
    public bool GivesRootSecret(ParseResult result) => result.GetValue(shares) is { Length: > 0 } || result.GetValue(rootPassphrase) is { Length: > 0 };

    /// <summary>The reference to the root's key.</summary>
    public string RootReference(ParseResult result) => result.GetValue(rootKey)!;

    /// <summary>The passphrase of a new root's key that has no shares.</summary>
    public string NewRootSecret(ParseResult result) => Passphrase.Given(result.GetValue(rootPassphrase) ?? "", "--root-passphrase-file", RootVariable)
        ?? throw new StartRefusedException("--root-passphrase-file", $"there is no passphrase for the root's key; name a file here, set {RootVariable}, or split one by --shares and --threshold");

    /// <summary>The passphrase of the issuing key.</summary>
    public string IssuingSecret(ParseResult result) => Passphrase.Given(result.GetValue(passphrase) ?? "", "--passphrase-file", Passphrase.Variable, Passphrase.Credential)
        ?? throw new StartRefusedException("--passphrase-file", $"there is no passphrase for the issuing key; name a file here, set {Passphrase.Variable}, or pass the systemd credential {Passphrase.Credential}");

    /// <summary>Restores the root's passphrase from the shares that were given.</summary>
    public RestoredPassphrase FromShares(ParseResult result)
    {
        var files = Sound(new CeremonyFolder(Folder(result)).Read(), "--folder");
        var name = Sound(CeremonyReplay.Check(files), "--folder").ShareFile ?? files.Keys.Where(f => ShareSet.NumberOf(f) is not null).MaxBy(ShareSet.NumberOf)
            ?? throw new StartRefusedException("--share", $"{Folder(result)} has no {ShareSet.FileName}, so that shares restore nothing");
        var set = Sound(ShareSet.Read(files[name]), name);
        return Sound(set.Restore((result.GetValue(shares) ?? []).SelectMany(s => s == "-" ? Typed(set) : [(s, ReadShare(s))])), "--share");
    }

    /// <summary>The store of key files in the folder.</summary>
    public FileKeyStore Files(ParseResult result) => new(Folder(result), new FileKeyStoreOptions { Kdf = Options(result).KeyStores.File.Kdf });

    /// <summary>Ends what a deal of new shares began: its transcript was written, and the key that was encrypted anew lies beside still.</summary>
    /// <exception cref="StartRefusedException">It cannot be put in its place.</exception>
    public async Task FinishDealAsync(ParseResult result, string name, string passphrase)
    {
        var store = new FileKeyStore(Folder(result));
        if (!store.HasReplacement(name) || store.Open(name, passphrase) is { IsValid: true } asBefore && Closed(asBefore.Value))
        {
            return;
        }

        if (store.FinishReplacement(name, passphrase) is { } reason)
        {
            throw new StartRefusedException("--share", reason);
        }

        await result.InvocationConfiguration.Output.WriteLineAsync("finished     the deal of shares that was interrupted: the key is encrypted under the new passphrase");

        static bool Closed(FileSigningKey key)
        {
            key.Dispose();
            return true;
        }
    }

    /// <summary>Shows what is to be signed, and asks.</summary>
    /// <exception cref="StartRefusedException">Nobody agreed.</exception>
    public Task AgreeAsync(ParseResult result, Issuance.Hierarchy.AuthorityCertificate planned, CancellationToken cancel) => AgreeAsync(result, planned.Describe(), cancel);

    /// <summary>Shows what is to be signed, and asks.</summary>
    /// <exception cref="StartRefusedException">Nobody agreed.</exception>
    public async Task AgreeAsync(ParseResult result, IEnumerable<string> planned, CancellationToken cancel)
    {
        var output = result.InvocationConfiguration.Output;
        await output.WriteLineAsync("to be signed:");
        foreach (var line in planned)
        {
            await output.WriteLineAsync("  " + line);
        }

        if (result.GetValue(yes))
        {
            return;
        }

        await output.WriteAsync("Type yes to sign this: ");
        await output.FlushAsync(cancel);
        if (Console.IsInputRedirected || await Console.In.ReadLineAsync(cancel) != "yes")
        {
            throw new StartRefusedException("--yes", "nobody agreed to what is to be signed, so nothing was signed; look at it, then type yes or give --yes");
        }
    }

    /// <summary>Prints what was done.</summary>
    public async Task ReportAsync(ParseResult result, CeremonyOutcome outcome)
    {
        var output = result.InvocationConfiguration.Output;
        foreach (var finding in outcome.Findings)
        {
            await output.WriteLineAsync($"{finding.Severity.ToString().ToLowerInvariant(),-12} {finding.Id} {finding.Message}");
        }

        var t = outcome.Transcript;
        foreach (var file in t.Out)
        {
            await output.WriteLineAsync($"file         {Path.Combine(Folder(result), file.Name)} sha-256 {file.Sha256}");
        }

        await output.WriteLineAsync($"key          sha-256 {PublicKeyFingerprint.Of(t.Key)} ({t.Algorithm})");
        await output.WriteLineAsync($"transcript   {Path.Combine(Folder(result), t.FileName)}");
    }

    /// <summary>The value; or a refusal of the command.</summary>
    public static T Sound<T>(Parsed<T> parsed, string option)
        where T : notnull => parsed.IsValid ? parsed.Value : throw new StartRefusedException(option, parsed.Reason);

    /// <summary>Reads a file of limited length.</summary>
    public static byte[] ReadFile(string path, int most, string option)
    {
        try
        {
            var file = new FileInfo(path);
            return !file.Exists || file.Length > most
                ? throw new StartRefusedException(option, file.Exists ? $"{path} has {file.Length} octets; at most {most} are read" : $"there is no file {path}")
                : File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException(option, $"{path} cannot be read: {e.Message}");
        }
    }

    /// <summary>The passphrase of the root's key: out of shares, or as it was given.</summary>
    /// <exception cref="StartRefusedException">There is none, or shares are wrong or too few.</exception>
    public RestoredPassphrase RootSecret(ParseResult result)
    {
        if (result.GetValue(shares) is { Length: > 0 })
        {
            return FromShares(result);
        }

        return Passphrase.Given(result.GetValue(rootPassphrase) ?? "", "--root-passphrase-file", RootVariable) is { } given
            ? new RestoredPassphrase(given, [])
            : throw new StartRefusedException(
                "--root-passphrase-file",
                Directory.Exists(Folder(result)) && Directory.EnumerateFiles(Folder(result)).Any(f => ShareSet.NumberOf(Path.GetFileName(f)) is not null)
                    ? "the passphrase of the root's key is split; give enough shares by --share FILE, or --share - to type them"
                    : $"there is no passphrase for the root's key; name a file here, set {RootVariable}, or give shares by --share");
    }

    private static string ReadShare(string path) => System.Text.Encoding.Latin1.GetString(ReadFile(path, MaxShareFile, "--share")).Trim();

    private static IEnumerable<(string Source, string Line)> Typed(ShareSet set)
    {
        for (var at = 1; at <= set.Threshold; at++)
        {
            Console.Error.Write($"share {at} of {set.Threshold}: ");
            var line = Console.In.ReadLine();
            if (string.IsNullOrWhiteSpace(line))
            {
                yield break;
            }

            yield return ($"line {at}", line.Trim());
        }
    }
}

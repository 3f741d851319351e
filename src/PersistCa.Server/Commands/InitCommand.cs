using System.CommandLine;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Signing;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>persistca init.</summary>
internal static class InitCommand
{
    /// <summary>Kinds of keys by the names that options have for them.</summary>
    public static readonly IReadOnlyDictionary<string, SigningAlgorithm> Kinds = new Dictionary<string, SigningAlgorithm>
    {
        ["p256"] = SigningAlgorithms.EcdsaP256,
        ["p384"] = SigningAlgorithms.EcdsaP384,
        ["rsa2048"] = SigningAlgorithms.Rsa2048,
        ["rsa3072"] = SigningAlgorithms.Rsa3072,
        ["rsa4096"] = SigningAlgorithms.Rsa4096,
        ["ed25519"] = SigningAlgorithms.Ed25519,
        ["mldsa44"] = SigningAlgorithms.MlDsa44,
        ["mldsa65"] = SigningAlgorithms.MlDsa65,
        ["mldsa87"] = SigningAlgorithms.MlDsa87,
    };

    public static Command Create()
    {
        var arguments = new ConfigurationArguments();
        var kind = new Option<string>("--issuing-key") { Description = $"Kind of the issuing authority's key: {string.Join(", ", Kinds.Keys)}.", DefaultValueFactory = _ => "p256" };
        kind.AcceptOnlyFromAmong([.. Kinds.Keys]);
        var reference = new Option<string>("--key")
        {
            Description = "Where the issuing authority's key is made, in place of a file: pkcs11:token=TOKEN;object=NAME, aws-kms:alias/NAME or file:NAME. The same as Authority:IssuingKey, which serve needs too.",
        };
        var generate = new Option<bool>("--generate-passphrase")
        {
            Description = "Make a random passphrase and keep it in the file 'passphrase' in the data folder, which serve finds. Move it to a safer place.",
        };
        var (permit, exclude) = AuthorityArguments.Names();
        var pathLength = new Option<int?>("--path-length") { Description = "Path length of the root: most authorities below one another, 1 or more. None by default." };
        var export = new Option<string?>("--export-root") { Description = "Move the root's key to this file, encrypted as it is, and remove it from the data folder." };
        var command = new Command("init", "Make a new authority: a root (P-384) and an issuing authority, with encrypted keys in the data folder.");
        arguments.AddTo(command);
        command.Options.Add(kind);
        command.Options.Add(reference);
        command.Options.Add(generate);
        command.Options.Add(permit);
        command.Options.Add(exclude);
        command.Options.Add(pathLength);
        command.Options.Add(export);
        command.SetAction(async (result, cancel) =>
        {
            var options = arguments.Read(result);
            options.Authority.IssuingKey = result.GetValue(reference) ?? options.Authority.IssuingKey;
            if (KeySetup.Check(options).FirstOrDefault() is { } fault)
            {
                throw new StartRefusedException(fault.Key, fault.Message);
            }

            var names = AuthorityArguments.Read(result, permit, exclude);
            if (result.GetValue(pathLength) is < 1 or > AuthorityCertificate.MaxPathLength)
            {
                throw new StartRefusedException("--path-length", $"it is {result.GetValue(pathLength)}; 1 to {AuthorityCertificate.MaxPathLength} are expected, since an issuing authority stands below the root");
            }

            if (result.GetValue(export) is { } taken && File.Exists(taken))
            {
                throw new StartRefusedException("--export-root", $"{taken} exists; a key is never overwritten");
            }

            var output = result.InvocationConfiguration.Output;
            if (result.GetValue(generate) && !AuthorityFiles.Exist(options))
            {
                await output.WriteLineAsync($"passphrase   {Passphrase.Generate(options.Server.DataDirectory)}");
            }

            await AuthorityFiles.CreateAsync(options, Kinds[result.GetValue(kind)!], Passphrase.Find(options), TimeProvider.System.GetUtcNow(), cancel, names, result.GetValue(pathLength));
            await output.WriteLineAsync($"root         {AuthorityFiles.RootCertificate(options)} (give this to whoever is to trust the authority)");
            await output.WriteLineAsync($"issuing      {AuthorityFiles.IssuingCertificate(options)}");
            if (options.Authority.IssuingKey.Length > 0)
            {
                await output.WriteLineAsync($"key          Authority:IssuingKey={options.Authority.IssuingKey} (configure this for serve)");
            }

            if (result.GetValue(export) is { } file)
            {
                AuthorityFiles.ExportRootKey(options, file);
                await output.WriteLineAsync($"root key     {file} (no longer in the data folder; the server never needs it). Next: persistca serve");
                return 0;
            }

            await output.WriteLineAsync("The root key is beside them. The server never needs it: move it away. Next: persistca serve");
            return 0;
        });
        return command;
    }
}

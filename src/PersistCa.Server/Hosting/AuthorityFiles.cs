using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Publication;
using PersistCa.Issuance.Signing;

namespace PersistCa.Server.Hosting;

/// <summary>The authority's files: made by init, read at the start.</summary>
internal static class AuthorityFiles
{
    private const string RootName = "root";
    private const string IssuingName = "issuing";

    /// <summary>Folder of keys and certificates.</summary>
    public static string Folder(PersistCaOptions options) => Path.Combine(options.Server.DataDirectory, "ca");

    /// <summary>Root certificate, PEM.</summary>
    public static string RootCertificate(PersistCaOptions options) => Or(options.Authority.RootCertificateFile, options, RootName + ".pem");

    /// <summary>Issuing certificate, PEM.</summary>
    public static string IssuingCertificate(PersistCaOptions options) => Or(options.Authority.IssuingCertificateFile, options, IssuingName + ".pem");

    /// <summary>Issuing key.</summary>
    public static string IssuingKey(PersistCaOptions options) => Or(options.Authority.IssuingKeyFile, options, IssuingName + ".key.pem");

    /// <summary>True when init has been here.</summary>
    public static bool Exist(PersistCaOptions options) => File.Exists(IssuingCertificate(options));

    /// <summary>Root key, until it is moved away.</summary>
    public static string RootKey(PersistCaOptions options) => Path.Combine(Folder(options), RootName + ".key.pem");

    /// <summary>Makes root and issuing authority.</summary>
    /// <param name="options">The configuration.</param>
    /// <param name="issuing">What the issuing authority signs with.</param>
    /// <param name="passphrase">Encrypts the keys.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancel">Stops before a signature.</param>
    /// <param name="names">For which names the issuing authority may sign; null for all.</param>
    /// <param name="pathLength">Path length of the root; null for any.</param>
    /// <exception cref="StartRefusedException">A file is in the way, or cannot be written.</exception>
    public static async Task CreateAsync(PersistCaOptions options, SigningAlgorithm issuing, string passphrase, DateTimeOffset now, CancellationToken cancel, NameRestrictions? names = null, int? pathLength = null)
    {
        if (Exist(options))
        {
            throw new StartRefusedException("Server:DataDirectory", $"there is an authority in {Folder(options)} already; nothing was changed");
        }

        if (File.Exists(RootKey(options)))
        {
            throw new StartRefusedException(
                "Server:DataDirectory", $"the file {RootKey(options)} exists, and a key is never overwritten; there is no issuing certificate beside it, so that an init which was interrupted may have left it: remove it then");
        }

        // The ring closes them. The root's stays a file, to be moved away.
        using var ring = KeySetup.Ring(options, passphrase, TimeProvider.System);
        var rootKey = await KeySetup.CreateAsync(ring, "", RootName, RootAlgorithm(issuing), "Server:DataDirectory", cancel);
        ISigningKey? issuingKey = null;
        try
        {
            issuingKey = await KeySetup.CreateAsync(ring, options.Authority.IssuingKey, IssuingName, issuing, "Authority:IssuingKey", cancel);
            var made = await HierarchyCreation.CreateAsync(
                new HierarchyRequest
                {
                    Organization = options.Authority.Name,
                    Now = now,
                    IssuingNames = names ?? NameRestrictions.None,
                    RootPathLength = pathLength,
                    RootCertificateUrl = $"{options.Server.PublicationUrl}{AuthorityUrls.Paths.Issuer}{AuthorityUrls.RootIssuer}.crt",
                },
                rootKey,
                issuingKey,
                cancel);
            await File.WriteAllTextAsync(RootCertificate(options), Pem.Certificate(made.RootDer), cancel);

            // Last: its presence says that the rest is there.
            await File.WriteAllTextAsync(IssuingCertificate(options), Pem.Certificate(made.IssuingDer), cancel);
        }
        catch (Exception e)
        {
            // What cannot be ended leaves nothing that would stand in the way of the next attempt.
            await ring.DestroyAsync(KeyReference.Parse($"{KeyReference.File}:{RootName}").Value!, CancellationToken.None);
            if (issuingKey is not null)
            {
                await ring.DestroyAsync(KeyReference.Parse(options.Authority.IssuingKey.Length > 0 ? options.Authority.IssuingKey : $"{KeyReference.File}:{IssuingName}").Value!, CancellationToken.None);
            }

            if (e is IOException or UnauthorizedAccessException or KeyStoreAwayException)
            {
                throw new StartRefusedException(e is KeyStoreAwayException ? "Authority:IssuingKey" : "Server:DataDirectory", "the authority was not made: " + e.Message);
            }

            throw;
        }
    }

    /// <summary>Reads the issuing authority. Its key stays open for the life of the ring.</summary>
    /// <exception cref="StartRefusedException">Something is missing or does not fit.</exception>
    public static async Task<Issuer> LoadAsync(PersistCaOptions options, KeyRing ring, DateTimeOffset now, CancellationToken cancel)
    {
        if (!Exist(options))
        {
            throw new StartRefusedException(
                "Authority:IssuingCertificateFile",
                $"there is no issuing certificate {IssuingCertificate(options)}; make an authority with 'persistca init', or name the files of an existing one");
        }

        var issuing = ReadCertificates(IssuingCertificate(options), "Authority:IssuingCertificateFile");
        var above = new List<byte[]>(issuing.Skip(1));
        if (File.Exists(RootCertificate(options)))
        {
            above.AddRange(ReadCertificates(RootCertificate(options), "Authority:RootCertificateFile"));
        }
        else if (options.Authority.RootCertificateFile.Length > 0)
        {
            throw new StartRefusedException("Authority:RootCertificateFile", $"there is no file {options.Authority.RootCertificateFile}");
        }

        var key = await KeySetup.OpenAsync(ring, options.Authority.IssuingKey, IssuingKey(options), "Authority:IssuingKey", cancel);
        var issuer = Issuer.Load(issuing[0], above, key, now);
        return issuer.IsValid ? issuer.Value : throw new StartRefusedException("Authority:IssuingCertificateFile", issuer.Reason);
    }

    /// <summary>Moves the root's key to another file, encrypted as it is, and removes it from the data folder.</summary>
    /// <exception cref="StartRefusedException">The file exists, or cannot be written; the key is where it was then.</exception>
    public static void ExportRootKey(PersistCaOptions options, string file)
    {
        try
        {
            var octets = File.ReadAllBytes(RootKey(options));
            WriteOwn(file, octets);
            if (!File.ReadAllBytes(file).AsSpan().SequenceEqual(octets))
            {
                throw new StartRefusedException("--export-root", $"{file} does not hold what was written to it; the key is still in {RootKey(options)}");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException("--export-root", $"the root's key cannot be written to {file}, and is still in {RootKey(options)}: {e.Message}");
        }

        if (new FileKeyStore(Folder(options)).Destroy(RootName) is { } reason)
        {
            throw new StartRefusedException("--export-root", $"the root's key is in {file}, but also still in the data folder: {reason}");
        }
    }

    /// <summary>Makes a folder that only its owner can enter, unless it is there.</summary>
    public static void MakeOwn(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>Writes a new file that only its owner can read, through to the disk.</summary>
    /// <exception cref="IOException">It exists, or cannot be written.</exception>
    public static void WriteOwn(string path, ReadOnlySpan<byte> octets)
    {
        var opening = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            opening.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var stream = new FileStream(path, opening);
        stream.Write(octets);
        stream.Flush(flushToDisk: true);
    }

    /// <summary>Reads the certificates of a file.</summary>
    /// <param name="path">The file, PEM.</param>
    /// <param name="key">The configuration key that named it.</param>
    /// <exception cref="StartRefusedException">It is not there, or holds no certificate.</exception>
    public static System.Collections.Immutable.ImmutableArray<byte[]> ReadCertificates(string path, string key)
    {
        try
        {
            var read = Pem.ReadCertificates(File.ReadAllText(path));
            return read.IsValid ? read.Value : throw new StartRefusedException(key, $"{path}: {read.Reason}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException(key, $"{path} cannot be read: {e.Message}");
        }
    }

    /// <summary>A root is at least as strong as what it signs: quantum computers that break it break all below.</summary>
    private static SigningAlgorithm RootAlgorithm(SigningAlgorithm issuing) =>
        MlDsa.Is(issuing.Key) ? SigningAlgorithms.MlDsa87 : HierarchyRequest.DefaultRootAlgorithm;

    private static string Or(string configured, PersistCaOptions options, string file) =>
        configured.Length > 0 ? configured : Path.Combine(Folder(options), file);
}

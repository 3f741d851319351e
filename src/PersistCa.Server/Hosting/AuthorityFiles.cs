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

    /// <summary>Makes root and issuing authority.</summary>
    /// <exception cref="StartRefusedException">A file is in the way, or cannot be written.</exception>
    public static async Task CreateAsync(PersistCaOptions options, SigningAlgorithm issuing, string passphrase, DateTimeOffset now, CancellationToken cancel)
    {
        if (Exist(options))
        {
            throw new StartRefusedException("Server:DataDirectory", $"there is an authority in {Folder(options)} already; nothing was changed");
        }

        // The ring closes them. The root's stays a file, to be moved away.
        using var ring = KeySetup.Ring(options, passphrase, TimeProvider.System);
        var rootKey = await KeySetup.CreateAsync(ring, "", RootName, RootAlgorithm(issuing), "Server:DataDirectory", cancel);
        var issuingKey = await KeySetup.CreateAsync(ring, options.Authority.IssuingKey, IssuingName, issuing, "Authority:IssuingKey", cancel);
        var made = await HierarchyCreation.CreateAsync(
            new HierarchyRequest
            {
                Organization = options.Authority.Name,
                Now = now,
                RootCertificateUrl = $"{options.Server.PublicationUrl}{AuthorityUrls.Paths.Issuer}{AuthorityUrls.RootIssuer}.crt",
            },
            rootKey,
            issuingKey,
            cancel);
        await File.WriteAllTextAsync(RootCertificate(options), Pem.Certificate(made.RootDer), cancel);

        // Last: its presence says that the rest is there.
        await File.WriteAllTextAsync(IssuingCertificate(options), Pem.Certificate(made.IssuingDer), cancel);
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

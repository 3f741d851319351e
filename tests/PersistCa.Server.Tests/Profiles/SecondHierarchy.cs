using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PersistCa.Issuance.Signing;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Tests.Profiles;

/// <summary>A second root and issuing authority, for servers that have more than one.</summary>
internal sealed class SecondHierarchy : IDisposable
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    private readonly PersistCaOptions own = new();
    private readonly string folder = Directory.CreateTempSubdirectory("persistca-second-").FullName;

    /// <summary>Its root, PEM.</summary>
    public string RootPem => File.ReadAllText(AuthorityFiles.RootCertificate(own));

    /// <summary>The root of <see cref="CrossSigned"/>, PEM.</summary>
    public string OtherRootPem { get; private set; } = "";

    private SecondHierarchy(string name)
    {
        own.Server.DataDirectory = folder;
        own.Authority.Name = name;
    }

    private string PassphraseFile => Path.Combine(folder, "second-passphrase");

    /// <summary>Makes it.</summary>
    public static async Task<SecondHierarchy> MakeAsync(string name, SigningAlgorithm algorithm)
    {
        var made = new SecondHierarchy(name);
        var passphrase = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
        await File.WriteAllTextAsync(made.PassphraseFile, passphrase);
        await AuthorityFiles.CreateAsync(made.own, algorithm, passphrase, Now.AddDays(-1), CancellationToken.None);
        return made;
    }

    /// <summary>Adds it to the issuers of a server, whose keys have its passphrase from then on.</summary>
    public void AddTo(PersistCaOptions server)
    {
        server.Authority.PassphraseFile = PassphraseFile;
        server.Authority.Issuers.Add(new IssuerOptions
        {
            Name = own.Authority.Name,
            CertificateFile = AuthorityFiles.IssuingCertificate(own),
            KeyFile = AuthorityFiles.IssuingKey(own),
            ChainFile = AuthorityFiles.RootCertificate(own),
        });
    }

    /// <summary>A certificate for the issuing authority's name and key by another root, in a file.</summary>
    public string CrossSigned()
    {
        using var issuing = X509CertificateLoader.LoadCertificateFromFile(AuthorityFiles.IssuingCertificate(own));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var root = new CertificateRequest("CN=Another Root", key, HashAlgorithmName.SHA256);
        root.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        root.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        root.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(root.PublicKey, false));
        using var self = root.CreateSelfSigned(Now.AddDays(-2), Now.AddYears(9));
        var twin = new CertificateRequest(issuing.SubjectName, issuing.PublicKey, HashAlgorithmName.SHA256);
        foreach (var extension in issuing.Extensions.Where(e => e.Oid!.Value is "2.5.29.19" or "2.5.29.15" or "2.5.29.14"))
        {
            twin.CertificateExtensions.Add(extension);
        }

        using var cross = twin.Create(self.SubjectName, X509SignatureGenerator.CreateForECDsa(key), issuing.NotBefore.ToUniversalTime(), issuing.NotAfter.ToUniversalTime().AddYears(-2), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        OtherRootPem = self.ExportCertificatePem();
        var file = Path.Combine(folder, "cross.pem");
        File.WriteAllText(file, cross.ExportCertificatePem() + "\n" + OtherRootPem + "\n");
        return file;
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(folder, recursive: true);
}

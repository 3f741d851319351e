using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PersistCa.Server.Hosting;

/// <summary>
/// How the two ends of a connection between an authority and its perspectives know each other: by authorities that vouch, by fingerprints, or by both, and
/// then a certificate must pass both. Without either nobody is known.
/// </summary>
public sealed class PeerTrust
{
    /// <summary>Extended key usage of clients (RFC 5280 section 4.2.1.12).</summary>
    public const string ClientUsage = "1.3.6.1.5.5.7.3.2";

    /// <summary>Extended key usage of servers.</summary>
    public const string ServerUsage = "1.3.6.1.5.5.7.3.1";

    private readonly X509Certificate2Collection? roots;
    private readonly HashSet<string> fingerprints;
    private readonly string usage;
    private readonly TimeProvider clock;

    private PeerTrust(X509Certificate2Collection? roots, IEnumerable<string> fingerprints, string usage, TimeProvider clock)
    {
        (this.roots, this.usage, this.clock) = (roots, usage, clock);
        this.fingerprints = [.. fingerprints.Select(PerspectiveRules.Fingerprint)];
    }

    /// <summary>True when single certificates are known, whatever name stands in them.</summary>
    public bool Pins => fingerprints.Count > 0;

    /// <summary>Reads the file.</summary>
    /// <param name="key">Configuration key of the file, for refusals.</param>
    /// <param name="file">Certificates (PEM) of authorities; empty for none.</param>
    /// <param name="fingerprints">SHA-256 of certificates, in hex.</param>
    /// <param name="usage">What a certificate must be for.</param>
    /// <param name="clock">The time.</param>
    /// <exception cref="StartRefusedException">The file cannot be used.</exception>
    public static PeerTrust Load(string key, string file, IEnumerable<string> fingerprints, string usage, TimeProvider clock)
    {
        if (file.Length == 0)
        {
            return new PeerTrust(null, fingerprints, usage, clock);
        }

        try
        {
            var roots = new X509Certificate2Collection();
            roots.ImportFromPemFile(file);
            return roots.Count > 0 ? new PeerTrust(roots, fingerprints, usage, clock) : throw new StartRefusedException(key, $"there is no certificate (PEM) in {file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new StartRefusedException(key, $"{file} cannot be read: {e.Message}");
        }
    }

    /// <summary>Whether a certificate is known. Its time counts in every case, by this server's clock.</summary>
    /// <param name="certificate">The certificate shown; null for none.</param>
    /// <param name="sent">Certificates that came with it.</param>
    public bool Admits(X509Certificate2? certificate, X509Certificate2Collection? sent)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        if (certificate is null || now < certificate.NotBefore.ToUniversalTime() || now > certificate.NotAfter.ToUniversalTime())
        {
            return false;
        }

        if (Pins && !fingerprints.Contains(Convert.ToHexStringLower(SHA256.HashData(certificate.RawDataMemory.Span))))
        {
            return false;
        }

        return roots is null ? Pins : Chains(certificate, sent, now);
    }

    private bool Chains(X509Certificate2 certificate, X509Certificate2Collection? sent, DateTime now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(roots!);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = now;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(usage));
        if (sent is not null)
        {
            chain.ChainPolicy.ExtraStore.AddRange(sent);
        }

        return chain.Build(certificate);
    }
}

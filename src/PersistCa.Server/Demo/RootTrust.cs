using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PersistCa.Server.Demo;

/// <summary>Trust in the roots of a file and nothing else.</summary>
public static class RootTrust
{
    /// <summary>An HTTP client that trusts servers under a root.</summary>
    /// <param name="rootPem">The root, PEM; several while one takes another's place.</param>
    public static HttpClient Client(string rootPem)
    {
        var client = new HttpClient(Handler(rootPem)) { Timeout = TimeSpan.FromSeconds(60) };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("persistca-demo");
        return client;
    }

    /// <summary>What an HTTP client is made of that trusts servers under a root.</summary>
    /// <param name="rootPem">The root, PEM; several while one takes another's place.</param>
    /// <exception cref="CryptographicException">There is none.</exception>
    public static SocketsHttpHandler Handler(string rootPem)
    {
        var roots = Roots(rootPem);
        return new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, leaf, sent, errors) =>
                    leaf is X509Certificate2 certificate
                    && (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == SslPolicyErrors.None
                    && Verify(certificate, sent?.ChainElements.Skip(1).Select(e => e.Certificate) ?? [], roots) is null,
            },
        };
    }

    /// <summary>Verifies a chain in PEM, leaf first, up to a root.</summary>
    /// <returns>Null when it holds, else the reason.</returns>
    public static string? Verify(string chainPem, string rootPem, string name)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(chainPem);
        var roots = Roots(rootPem);
        if (chain.Count < 2)
        {
            return $"the chain has {chain.Count} certificates";
        }

        return Verify(chain[0], chain.Skip(1), roots) ?? (chain[0].MatchesHostname(name) ? null : $"the certificate does not name {name}");
    }

    private static X509Certificate2Collection Roots(string pem)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(pem);
        return roots.Count > 0 ? roots : throw new CryptographicException("there is no certificate in PEM in it");
    }

    private static string? Verify(X509Certificate2 leaf, IEnumerable<X509Certificate2> above, X509Certificate2Collection roots)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ExtraStore.AddRange(above.ToArray());
        return chain.Build(leaf) ? null : string.Join("; ", chain.ChainStatus.Select(s => s.StatusInformation.Trim()));
    }
}

using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace PersistCa.Server.Demo;

/// <summary>Trust in one root and nothing else.</summary>
public static class RootTrust
{
    /// <summary>An HTTP client that trusts servers under a root.</summary>
    /// <param name="rootPem">The root, PEM.</param>
    public static HttpClient Client(string rootPem)
    {
        var client = new HttpClient(Handler(rootPem)) { Timeout = TimeSpan.FromSeconds(60) };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("persistca-demo");
        return client;
    }

    /// <summary>What an HTTP client is made of that trusts servers under a root.</summary>
    /// <param name="rootPem">The root, PEM.</param>
    public static SocketsHttpHandler Handler(string rootPem)
    {
        var root = X509Certificate2.CreateFromPem(rootPem);
        return new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, leaf, sent, errors) =>
                    leaf is X509Certificate2 certificate
                    && (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == SslPolicyErrors.None
                    && Verify(certificate, sent?.ChainElements.Skip(1).Select(e => e.Certificate) ?? [], root) is null,
            },
        };
    }

    /// <summary>Verifies a chain in PEM, leaf first, up to a root.</summary>
    /// <returns>Null when it holds, else the reason.</returns>
    public static string? Verify(string chainPem, string rootPem, string name)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(chainPem);
        using var root = X509Certificate2.CreateFromPem(rootPem);
        if (chain.Count < 2)
        {
            return $"the chain has {chain.Count} certificates";
        }

        return Verify(chain[0], chain.Skip(1), root) ?? (chain[0].MatchesHostname(name) ? null : $"the certificate does not name {name}");
    }

    private static string? Verify(X509Certificate2 leaf, IEnumerable<X509Certificate2> above, X509Certificate2 root)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ExtraStore.AddRange(above.ToArray());
        return chain.Build(leaf) ? null : string.Join("; ", chain.ChainStatus.Select(s => s.StatusInformation.Trim()));
    }
}

using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;
using PersistCa.Protocol;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Registration;

/// <summary>
/// The keys that an OpenID provider publishes (OpenID Connect Discovery 1.0 section 4): fetched over HTTPS with a bound on size and time, kept, and fetched again
/// when they are old or a token names one that is not there, but never more often than Operators:OpenIdConnect:LeastRefresh.
/// </summary>
internal sealed class OpenIdKeys : IDisposable
{
    private readonly OpenIdConnectOptions options;
    private readonly TimeProvider clock;
    private readonly HttpClient http;
    private readonly SemaphoreSlim fetching = new(1, 1);
    private IReadOnlyDictionary<string, SecurityKey> keys = new Dictionary<string, SecurityKey>();
    private DateTimeOffset fetchedAt = DateTimeOffset.MinValue;
    private DateTimeOffset triedAt = DateTimeOffset.MinValue;

    public OpenIdKeys(OpenIdConnectOptions options, TimeProvider clock)
    {
        this.options = options;
        this.clock = clock;
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = options.UseProxy, ConnectTimeout = options.Timeout };
        if (options.CaFile.Length > 0)
        {
            var roots = new X509Certificate2Collection();
            try
            {
                roots.ImportFromPemFile(options.CaFile);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
            {
                throw new StartRefusedException("Operators:OpenIdConnect:CaFile", $"{options.CaFile} cannot be read: {e.Message}");
            }

            handler.SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = Policy(roots, clock),
            };
        }

        http = new HttpClient(handler) { Timeout = options.Timeout, MaxResponseContentBufferSize = options.MaxDocumentBytes };
    }

    /// <summary>The key of an id.</summary>
    /// <returns>The key; or why there is none, for the audit.</returns>
    public async Task<Parsed<SecurityKey>> FindAsync(string? kid, CancellationToken cancel)
    {
        if (string.IsNullOrEmpty(kid))
        {
            return Parsed<SecurityKey>.Refused("bearer token without a key id");
        }

        if (Known(kid) is { } known && clock.GetUtcNow() - fetchedAt < options.RefreshInterval)
        {
            return Parsed<SecurityKey>.Ok(known);
        }

        await fetching.WaitAsync(cancel);
        try
        {
            var now = clock.GetUtcNow();
            var due = Known(kid) is null || now - fetchedAt >= options.RefreshInterval;
            if (due && now - triedAt >= options.LeastRefresh)
            {
                triedAt = now;
                if (await FetchAsync(cancel) is { } fault && Known(kid) is null)
                {
                    return Parsed<SecurityKey>.Refused(fault);
                }
            }
        }
        finally
        {
            fetching.Release();
        }

        return Known(kid) is { } found ? Parsed<SecurityKey>.Ok(found) : Parsed<SecurityKey>.Refused("bearer token signed by a key that the provider does not publish");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        http.Dispose();
        fetching.Dispose();
    }

    private static X509ChainPolicy Policy(X509Certificate2Collection roots, TimeProvider clock)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, VerificationTime = clock.GetUtcNow().UtcDateTime };
        policy.CustomTrustStore.AddRange(roots);
        return policy;
    }

    private SecurityKey? Known(string kid) => Volatile.Read(ref keys).GetValueOrDefault(kid);

    /// <summary>Fetches the provider's document and the keys that it points to.</summary>
    /// <returns>Null when they are here; else what is wrong. What was known before stays.</returns>
    private async Task<string?> FetchAsync(CancellationToken cancel)
    {
        try
        {
            using var document = JsonDocument.Parse(await http.GetByteArrayAsync(new Uri(options.MetadataUrl.Length > 0 ? options.MetadataUrl : options.Issuer.TrimEnd('/') + "/.well-known/openid-configuration"), cancel));
            if (Text(document.RootElement, "issuer") != options.Issuer)
            {
                return "the provider's document names another issuer";
            }

            if (!Uri.TryCreate(Text(document.RootElement, "jwks_uri"), UriKind.Absolute, out var where) || where.Scheme != Uri.UriSchemeHttps)
            {
                return "the provider's document has no https jwks_uri";
            }

            var set = new JsonWebKeySet(System.Text.Encoding.UTF8.GetString(await http.GetByteArrayAsync(where, cancel)));

            // Public keys alone: a shared secret in the set would let whoever reads it sign.
            var found = set.Keys.Where(k => k.Kty is JsonWebAlgorithmsKeyTypes.RSA or JsonWebAlgorithmsKeyTypes.EllipticCurve && !string.IsNullOrEmpty(k.Kid) && k.Use is null or "sig")
                .GroupBy(k => k.Kid, StringComparer.Ordinal).Where(g => g.Count() == 1).ToDictionary(g => g.Key, g => (SecurityKey)g.Single(), StringComparer.Ordinal);
            Volatile.Write(ref keys, found);
            fetchedAt = clock.GetUtcNow();
            return null;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or JsonException or ArgumentException or InvalidOperationException)
        {
            return $"the provider's keys cannot be fetched: {e.GetBaseException().Message}";
        }
    }

    private static string? Text(JsonElement root, string member) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

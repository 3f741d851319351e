using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Admin;

/// <summary>An OpenID Connect provider on loopback: its document, its keys, and tokens as it would make them, or as nobody should.</summary>
internal sealed class ProviderDouble : IAsyncDisposable
{
    public const string Audience = "persistca";

    private readonly WebApplication app;
    private readonly string folder;

    private ProviderDouble(WebApplication app, string issuer, string folder)
    {
        this.app = app;
        this.folder = folder;
        Issuer = issuer;
    }

    public string Issuer { get; }

    /// <summary>The certificate by which it is trusted.</summary>
    public string CaFile => Path.Combine(folder, "provider.pem");

    /// <summary>The keys that it publishes, by id.</summary>
    public Dictionary<string, ECDsa> Keys { get; } = new() { ["one"] = ECDsa.Create(ECCurve.NamedCurves.nistP256) };

    /// <summary>What its document says its issuer is.</summary>
    public string? SaysIssuer { get; set; }

    /// <summary>How many octets of nothing its keys have besides.</summary>
    public int Padding { get; set; }

    /// <summary>How often its keys were asked for.</summary>
    public int Asked { get; private set; }

    public static async Task<ProviderDouble> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("persistca-provider-").FullName;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var san = new SubjectAlternativeNameBuilder();
        san.AddDnsName("localhost");
        request.CertificateExtensions.Add(san.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(90));
        await File.WriteAllTextAsync(Path.Combine(folder, "provider.pem"), certificate.ExportCertificatePem());
        var port = RunningAuthority.FreePort();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, port, l => l.UseHttps(certificate)));
        var app = builder.Build();
        var provider = new ProviderDouble(app, $"https://localhost:{port}", folder);
        app.MapGet("/.well-known/openid-configuration", () => Results.Text(new JsonObject { ["issuer"] = provider.SaysIssuer ?? provider.Issuer, ["jwks_uri"] = provider.Issuer + "/keys" }.ToJsonString(), "application/json"));
        app.MapGet("/keys", () =>
        {
            provider.Asked++;
            var keys = provider.Keys.Select(k =>
            {
                var point = k.Value.ExportParameters(false).Q;
                return (JsonNode)new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["kid"] = k.Key, ["use"] = "sig", ["x"] = Base64UrlEncoder.Encode(point.X), ["y"] = Base64UrlEncoder.Encode(point.Y) };
            });

            // What no provider should publish, and what nobody should trust.
            var secret = new JsonObject { ["kty"] = "oct", ["kid"] = "shared", ["k"] = Base64UrlEncoder.Encode(Shared) };
            return Results.Text(new JsonObject { ["keys"] = new JsonArray([.. keys, secret]), ["padding"] = new string(' ', provider.Padding) }.ToJsonString(), "application/json");
        });
        await app.StartAsync();
        return provider;
    }

    /// <summary>A secret that the set of keys gives away.</summary>
    public static byte[] Shared { get; } = RandomNumberGenerator.GetBytes(32);

    /// <summary>A token; parts that are not said are good.</summary>
    public string Token(
        DateTimeOffset now, string? issuer = null, string? audience = null, string kid = "one", TimeSpan? life = null, string name = "Olga", string[]? groups = null, SigningCredentials? credentials = null, TimeSpan? from = null)
    {
        var claims = new Dictionary<string, object> { ["sub"] = "42", ["preferred_username"] = name, ["groups"] = groups ?? ["ca-operators"] };
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer ?? Issuer,
            Audience = audience ?? Audience,
            NotBefore = (now + (from ?? TimeSpan.Zero)).UtcDateTime,
            Expires = life == TimeSpan.MaxValue ? null : (now + (life ?? TimeSpan.FromMinutes(5))).UtcDateTime,
            Claims = claims,
            SigningCredentials = credentials ?? new SigningCredentials(new ECDsaSecurityKey(Keys[kid]) { KeyId = kid }, "ES256"),
        });
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}

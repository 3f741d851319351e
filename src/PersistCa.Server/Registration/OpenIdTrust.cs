using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using PersistCa.Server.Hosting;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Registration;

/// <summary>
/// Knows operators by bearer tokens of an OpenID Connect provider (Operators:OpenIdConnect): JWTs of the configured issuer, for the configured audience, signed
/// by a key that the provider publishes with an algorithm that is allowed (OpenID Connect Core 1.0 section 3.1.3.7, RFC 8725).
/// </summary>
public sealed class OpenIdTrust : IDisposable
{
    /// <summary>Longest token looked at, characters.</summary>
    public const int MaxLength = 16 * 1024;

    private static readonly JsonWebTokenHandler Handler = new() { MaximumTokenSizeInBytes = MaxLength, MapInboundClaims = false };

    private readonly OpenIdConnectOptions configured;
    private readonly TimeProvider clock;
    private readonly OpenIdKeys? keys;

    /// <summary>The trust that is configured.</summary>
    /// <exception cref="StartRefusedException">The file of trusted roots cannot be read.</exception>
    public OpenIdTrust(PersistCaOptions options, TimeProvider clock)
    {
        configured = options.Operators.OpenIdConnect;
        this.clock = clock;
        keys = configured.Issuer.Length > 0 ? new OpenIdKeys(configured, clock) : null;
    }

    /// <summary>Whether a bearer token is one of those: three parts, as a JWS has.</summary>
    public bool Takes(string bearer) => keys is not null && bearer.Count(c => c == '.') == 2;

    /// <inheritdoc/>
    public void Dispose() => keys?.Dispose();

    internal async Task<Seen> SeeAsync(string bearer, CancellationToken cancel)
    {
        if (keys is null || bearer.Length > MaxLength || !Handler.CanReadToken(bearer))
        {
            return Seen.Nobody("bearer token that cannot be read");
        }

        JsonWebToken read;
        try
        {
            read = Handler.ReadJsonWebToken(bearer);
        }
        catch (ArgumentException)
        {
            return Seen.Nobody("bearer token that cannot be read");
        }

        // Before any key is fetched: what names another issuer or another algorithm moves nothing here.
        if (read.Issuer != configured.Issuer || !Algorithms.Contains(read.Alg))
        {
            return Seen.Nobody(read.Issuer != configured.Issuer ? "bearer token of another issuer" : "bearer token with an algorithm that is not allowed");
        }

        var found = await keys.FindAsync(read.Kid, cancel);
        if (!found.IsValid)
        {
            return Seen.Nobody(found.Reason);
        }

        var judged = await Handler.ValidateTokenAsync(read, new TokenValidationParameters
        {
            ValidIssuer = configured.Issuer,
            ValidAudience = configured.Audience,
            ValidAlgorithms = Algorithms,
            IssuerSigningKey = found.Value,
            TryAllIssuerSigningKeys = false,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            LifetimeValidator = (from, until, _, _) => until is { } end && IsNow(from, end),
        });
        if (!judged.IsValid)
        {
            return Seen.Nobody("bearer token: " + judged.Exception.GetType().Name);
        }

        var name = (read.TryGetPayloadValue<string>(configured.NameClaim, out var claimed) ? claimed : "").ToLowerInvariant();
        if (!OperatorDesk.IsName(name))
        {
            return Seen.Nobody($"bearer token without a name in {configured.NameClaim}");
        }

        var credential = "openid:" + Refusals.Shorten(read.Subject ?? "", 64);
        var roles = configured.Roles.Where(r => Claims(read).Contains(r.Value)).Select(r => OperatorRoles.Read(r.Role)!.Value).Distinct().ToList();
        return roles is [var role]
            ? Seen.Somebody(new OperatorIdentity(credential, name, role, new DateTimeOffset(read.ValidTo, TimeSpan.Zero)))
            : new Seen(null, roles.Count == 0 ? "bearer token without a role" : "bearer token with several roles", name, credential);
    }

    private IReadOnlyCollection<string> Algorithms => configured.Algorithms.Count > 0 ? configured.Algorithms : OpenIdConnectOptions.AllAlgorithms;

    private IEnumerable<string> Claims(JsonWebToken token) => token.Claims.Where(c => c.Type == configured.RoleClaim).Select(c => c.Value);

    private bool IsNow(DateTime? from, DateTime until)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        return now < until && (from is null || from <= now + configured.ClockSkew);
    }
}

using PersistCa.Protocol.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Acme;

/// <summary>The directory and newNonce: what a client may GET (RFC 8555 sections 6.3, 7.1.1, 7.2).</summary>
internal static class DirectoryEndpoints
{
    public static void MapDirectory(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(AuthorityUrls.Paths.Directory, (DirectoryResource directory, ProfileBook profiles) => AcmeResponses.Json(Today(directory, profiles), AcmeJson.Wire.DirectoryResource));
        routes.MapSigned(AuthorityUrls.Paths.Directory, SignedBy.AccountOrKey, (request, context, _) => Task.FromResult(
            request.IsFetch
                ? AcmeResponses.Json(Today(context.RequestServices.GetRequiredService<DirectoryResource>(), context.RequestServices.GetRequiredService<ProfileBook>()), AcmeJson.Wire.DirectoryResource)
                : SignedRoutes.NotAFetch(context)));

        routes.MapMethods(AuthorityUrls.Paths.NewNonce, [HttpMethods.Head], (HttpContext context, NonceSource nonces) => Nonce(context, nonces, StatusCodes.Status200OK));
        routes.MapGet(AuthorityUrls.Paths.NewNonce, (HttpContext context, NonceSource nonces) => Nonce(context, nonces, StatusCodes.Status204NoContent));
        routes.MapSigned(AuthorityUrls.Paths.NewNonce, SignedBy.AccountOrKey, (request, context, _) => Task.FromResult(
            request.IsFetch ? AcmeResponses.Empty(StatusCodes.Status204NoContent) : SignedRoutes.NotAFetch(context)));
    }

    /// <summary>Makes the directory from the configuration.</summary>
    public static DirectoryResource Create(PersistCaOptions options, AuthorityUrls urls, AnnouncedIssuers issuers, ProfileBook profiles, string? accountHashPrefix) => new()
    {
        NewNonce = urls.NewNonce,
        NewAccount = urls.NewAccount,
        NewOrder = urls.NewOrder,
        NewAuthz = urls.NewAuthz,
        ExplainRecords = urls.Explain,
        RevokeCert = urls.RevokeCert,
        KeyChange = urls.KeyChange,
        RenewalInfo = urls.RenewalInfo,
        Meta = new DirectoryMeta
        {
            TermsOfService = options.Acme.TermsOfService is { Length: > 0 } terms ? terms : null,
            Website = options.Acme.Website is { Length: > 0 } site ? site : null,
            CaaIdentities = issuers.Names,
            ExternalAccountRequired = options.Acme.ExternalAccount == ExternalAccountMode.Required,
            SubdomainAuthAllowed = options.Acme.SubdomainAuthorizations ? true : null,
            Profiles = profiles.Offered,
            IssuerDomainNames = issuers.Names,
            AccountHashPrefix = accountHashPrefix,
        },
    };

    /// <summary>The directory with the profiles that are on offer now.</summary>
    private static DirectoryResource Today(DirectoryResource directory, ProfileBook profiles) => directory with { Meta = directory.Meta with { Profiles = profiles.Offered } };

    private static IResult Nonce(HttpContext context, NonceSource nonces, int status)
    {
        context.Response.Headers["Replay-Nonce"] = nonces.Next();
        return AcmeResponses.Empty(status);
    }
}

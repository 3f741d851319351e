using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Net.Http.Headers;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Acme;

/// <summary>Renewal information (RFC 9773 section 4): the one resource of ACME besides directory and newNonce that is fetched by plain GET, by anybody.</summary>
internal static class RenewalEndpoints
{
    public static void MapRenewalInfo(this IEndpointRouteBuilder routes) =>
        routes.MapMethods(AuthorityUrls.Paths.RenewalInfo + "/{id}", ["GET", "HEAD"], (string id, HttpContext context, RenewalDesk desk, AuthorityUrls urls, PersistCaOptions options) =>
            ServeAsync(id, context, desk, urls, options));

    private static async Task<IResult> ServeAsync(string id, HttpContext context, RenewalDesk desk, AuthorityUrls urls, PersistCaOptions options)
    {
        if (!(await desk.AdviseAsync(id, context.RequestAborted)).TryGet(out var advice, out var problem))
        {
            return AcmeResponses.Problem(problem, urls);
        }

        var body = JsonSerializer.SerializeToUtf8Bytes(
            new RenewalInfoResource
            {
                SuggestedWindow = new RenewalWindowResource(AcmeJson.Time(advice.Window.Start), AcmeJson.Time(advice.Window.End)),
                ExplanationUrl = advice.ExplanationUrl,
            },
            AcmeJson.Wire.RenewalInfoResource);

        // When to ask again is this header's to say (section 4.3); how long a cache may answer in our place is another matter, so that a revocation is seen.
        var headers = context.Response.Headers;
        headers.RetryAfter = ((long)options.Acme.Renewal.CheckInterval.TotalSeconds).ToString(System.Globalization.CultureInfo.InvariantCulture);
        headers.CacheControl = $"public, max-age={((long)options.Issuance.StatusMaxAge.TotalSeconds).ToString(System.Globalization.CultureInfo.InvariantCulture)}";
        return Results.Bytes(body, "application/json", entityTag: new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(body).AsSpan(0, 16))}\""));
    }
}

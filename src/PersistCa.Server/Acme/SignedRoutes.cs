using Microsoft.Extensions.Primitives;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Acme;

/// <summary>The only way to map a POST: behind the signature.</summary>
internal static class SignedRoutes
{
    /// <summary>Answers one signed request.</summary>
    public delegate Task<IResult> Handler(SignedRequest request, HttpContext context, CancellationToken cancel);

    /// <summary>Maps a POST to a handler that gets nothing unsigned.</summary>
    public static void MapSigned(this IEndpointRouteBuilder routes, string pattern, SignedBy signedBy, Handler handler) =>
        routes.MapPost(pattern, async (HttpContext context, SignedRequestReader reader, AuthorityUrls urls) =>
        {
            var cancel = context.RequestAborted;
            var read = await reader.ReadAsync(context, signedBy, cancel);
            return read.TryGet(out var request, out var problem) ? await handler(request, context, cancel) : AcmeResponses.Problem(problem, urls);
        });

    /// <summary>Maps a resource that is only ever fetched (POST-as-GET, RFC 8555 section 6.3).</summary>
    public static void MapFetch(this IEndpointRouteBuilder routes, string pattern, Handler handler) =>
        routes.MapSigned(pattern, SignedBy.Account, (request, context, cancel) => request.IsFetch
            ? handler(request, context, cancel)
            : Task.FromResult(NotAFetch(context)));

    /// <summary>The refusal of a payload where none belongs.</summary>
    public static IResult NotAFetch(HttpContext context) => AcmeResponses.Problem(
        new AcmeProblem(ProblemCatalog.Malformed, "A payload was sent where an empty one is expected: this resource is fetched by POST-as-GET (RFC 8555 section 6.3)."),
        context.RequestServices.GetRequiredService<AuthorityUrls>());

    /// <summary>
    /// Headers that go with every answer of the ACME door, refusals and unknown paths included: a fresh nonce on answers to POST, the index
    /// link on all but the directory, and no caching.
    /// </summary>
    public static void UseAcmeHeaders(this IApplicationBuilder app, AuthorityUrls urls) => app.Use((context, next) =>
    {
        var post = HttpMethods.IsPost(context.Request.Method);
        var directory = context.Request.Path.Equals(AuthorityUrls.Paths.Directory, StringComparison.Ordinal);
        context.Response.OnStarting(() =>
        {
            var headers = context.Response.Headers;
            if (post && !headers.ContainsKey("Replay-Nonce"))
            {
                headers["Replay-Nonce"] = context.RequestServices.GetRequiredService<NonceSource>().Next();
            }

            if (!directory)
            {
                headers.Link = StringValues.Concat($"<{urls.Directory}>;rel=\"index\"", headers.Link);
            }

            if (headers.CacheControl.Count == 0)
            {
                headers.CacheControl = "public, max-age=0, no-cache, no-store";
            }

            return Task.CompletedTask;
        });
        return next(context);
    });
}

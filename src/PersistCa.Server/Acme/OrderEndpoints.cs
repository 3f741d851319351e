using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Orders;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage;

namespace PersistCa.Server.Acme;

/// <summary>newOrder, orders, finalize (RFC 8555 section 7.4).</summary>
internal sealed class OrderEndpoints(
    OrderRegistrar registrar,
    Finalization finalization,
    PollDesk polls,
    AcmeResources resources,
    AuthorityUrls urls,
    TimeProvider clock)
{
    /// <summary>Seconds that a client is asked to wait before it looks again.</summary>
    public const int PollSeconds = 1;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapSigned(AuthorityUrls.Paths.NewOrder, SignedBy.Account, (r, c, t) => Of(c).NewAsync(r, t));
        routes.MapFetch(AuthorityUrls.Paths.Order + "{id}", (r, c, t) => Of(c).FetchAsync(r, (string)c.Request.RouteValues["id"]!, t));
        routes.MapSigned(AuthorityUrls.Paths.Order + "{id}/finalize", SignedBy.Account, (r, c, t) => Of(c).FinalizeAsync(r, (string)c.Request.RouteValues["id"]!, t));
    }

    private static OrderEndpoints Of(HttpContext context) => context.RequestServices.GetRequiredService<OrderEndpoints>();

    private async Task<IResult> FetchAsync(SignedRequest request, string id, CancellationToken cancel) => Answer(await polls.AskAsync(
        id,
        () => registrar.FindAsync(request.Account, id, cancel),
        loaded => loaded.Order.StatusAt(clock.GetUtcNow(), loaded.Authorizations) == OrderStatus.Processing,
        cancel));

    private async Task<IResult> NewAsync(SignedRequest request, CancellationToken cancel)
    {
        var payload = PayloadReader.Open(request.Payload);
        var wish = new OrderWish(payload.Identifiers("identifiers") ?? [], payload.Text("notBefore"), payload.Text("notAfter"), payload.Text("profile"), payload.Text("replaces"));
        return payload.Problem is { } fault
            ? AcmeResponses.Problem(fault, urls)
            : Answer(await registrar.OpenAsync(request.Account, request.Actor, wish, request.Address, cancel), StatusCodes.Status201Created);
    }

    private async Task<IResult> FinalizeAsync(SignedRequest request, string id, CancellationToken cancel)
    {
        var payload = PayloadReader.Open(request.Payload);
        var csr = payload.Text("csr");
        if (csr is null)
        {
            payload.Refuse("The payload has no csr; a certificate request in base64url DER is expected (RFC 8555 section 7.4).");
        }

        return payload.Problem is { } fault
            ? AcmeResponses.Problem(fault, urls)
            : Answer(await finalization.SubmitAsync(request.Account, request.Actor, id, csr!, cancel));
    }

    private IResult Answer(Outcome<LoadedOrder> outcome, int status = StatusCodes.Status200OK)
    {
        if (!outcome.TryGet(out var loaded, out var problem))
        {
            return AcmeResponses.Problem(problem, urls);
        }

        // Location goes with every answer about an order: x/crypto cannot finalize without.
        var processing = loaded.Order.StatusAt(clock.GetUtcNow(), loaded.Authorizations) == OrderStatus.Processing;
        return AcmeResponses.Json(
            resources.Order(loaded),
            AcmeJson.Wire.OrderResource,
            status,
            new AnswerHeaders(urls.Order(loaded.Order.PublicId), RetryAfterSeconds: processing ? PollSeconds : null));
    }
}

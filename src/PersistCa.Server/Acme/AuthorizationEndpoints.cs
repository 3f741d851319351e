using System.Globalization;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Acme;

/// <summary>Authorizations and challenges (RFC 8555 section 7.5).</summary>
internal sealed class AuthorizationEndpoints(ChallengeIntake intake, AcmeResources resources, AuthorityUrls urls)
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapSigned(AuthorityUrls.Paths.Authorization + "{id}", SignedBy.Account, (r, c, t) => Of(c).AuthorizationAsync(r, (string)c.Request.RouteValues["id"]!, t));
        routes.MapSigned(AuthorityUrls.Paths.Challenge + "{id}/{ordinal}", SignedBy.Account, (r, c, t) => Of(c).ChallengeAsync(r, c.Request.RouteValues, t));
    }

    private static AuthorizationEndpoints Of(HttpContext context) => context.RequestServices.GetRequiredService<AuthorizationEndpoints>();

    private async Task<IResult> AuthorizationAsync(SignedRequest request, string id, CancellationToken cancel)
    {
        if (request.IsFetch)
        {
            return Answer(await intake.FindAsync(request.Account, id, cancel));
        }

        var payload = PayloadReader.Open(request.Payload);
        var status = payload.Text("status");
        if (status != "deactivated")
        {
            payload.Refuse("Only the status deactivated can be asked of an authorization (RFC 8555 section 7.5.2).");
        }

        return payload.Problem is { } fault
            ? AcmeResponses.Problem(fault, urls)
            : Answer(await intake.DeactivateAsync(request.Account, request.Actor, id, cancel));

        IResult Answer(Protocol.Outcome<Authorization> outcome)
        {
            if (!outcome.TryGet(out var authorization, out var problem))
            {
                return AcmeResponses.Problem(problem, urls);
            }

            var busy = authorization.Challenges.Any(c => c.Status == ChallengeStatus.Processing);
            return AcmeResponses.Json(
                resources.Authorization(authorization, request.Account),
                AcmeJson.Wire.AuthorizationResource,
                headers: new AnswerHeaders(RetryAfterSeconds: busy ? OrderEndpoints.PollSeconds : null));
        }
    }

    private async Task<IResult> ChallengeAsync(SignedRequest request, RouteValueDictionary route, CancellationToken cancel)
    {
        var id = (string)route["id"]!;
        if (!int.TryParse((string)route["ordinal"]!, NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal))
        {
            return AcmeResponses.Problem(Refusals.NoSuchResource("challenge"), urls);
        }

        if (!request.IsFetch && PayloadReader.Open(request.Payload).Problem is { } fault)
        {
            return AcmeResponses.Problem(fault, urls);
        }

        // Members of the object are ignored: drafts will add some, and clients of today send {}.
        var outcome = request.IsFetch
            ? await intake.FindAsync(request.Account, id, ordinal, cancel)
            : await intake.AcceptAsync(request.Account, request.Actor, id, ordinal, cancel);
        if (!outcome.TryGet(out var found, out var problem))
        {
            return AcmeResponses.Problem(problem, urls);
        }

        var busy = found.Challenge.Status == ChallengeStatus.Processing;
        return AcmeResponses.Json(
            resources.Challenge(found.Authorization, found.Challenge, request.Account),
            AcmeJson.Wire.ChallengeResource,
            headers: new AnswerHeaders(Up: urls.Authorization(id), RetryAfterSeconds: busy ? OrderEndpoints.PollSeconds : null));
    }
}

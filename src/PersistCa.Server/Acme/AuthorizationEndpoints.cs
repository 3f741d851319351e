using System.Globalization;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Acme;

/// <summary>Authorizations and challenges (RFC 8555 section 7.5).</summary>
internal sealed class AuthorizationEndpoints(ChallengeIntake intake, AuthorizationBook book, PollDesk polls, JustInTime justInTime, RecordExplainer explainer, AcmeResources resources, AuthorityUrls urls)
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapSigned(AuthorityUrls.Paths.NewAuthz, SignedBy.Account, (r, c, t) => Of(c).NewAsync(r, t));
        routes.MapSigned(AuthorityUrls.Paths.Explain, SignedBy.Account, (r, c, t) => Of(c).ExplainAsync(r, t));
        routes.MapSigned(AuthorityUrls.Paths.Authorization + "{id}", SignedBy.Account, (r, c, t) => Of(c).AuthorizationAsync(r, (string)c.Request.RouteValues["id"]!, t));
        routes.MapSigned(AuthorityUrls.Paths.Challenge + "{id}/{ordinal}", SignedBy.Account, (r, c, t) => Of(c).ChallengeAsync(r, c.Request.RouteValues, t));
    }

    private static AuthorizationEndpoints Of(HttpContext context) => context.RequestServices.GetRequiredService<AuthorizationEndpoints>();

    /// <summary>Opens an authorization before any order (RFC 8555 section 7.4.1, RFC 9444 section 4.2).</summary>
    private async Task<IResult> NewAsync(SignedRequest request, CancellationToken cancel)
    {
        var payload = PayloadReader.Open(request.Payload);
        var wish = payload.Identifier("identifier");
        var subdomains = (payload.Flag("subdomainAuthAllowed") ?? false) || wish is { Subdomains: true };
        if (wish is null)
        {
            payload.Refuse("The payload has no identifier; an object with type and value is expected (RFC 8555 section 7.4.1).");
        }

        if (payload.Problem is { } fault)
        {
            return AcmeResponses.Problem(fault, urls);
        }

        var outcome = await book.PreAuthorizeAsync(request.Account, request.Actor, wish!.Identifier, subdomains, request.Address, cancel);
        if (!outcome.TryGet(out var opened, out var problem))
        {
            return AcmeResponses.Problem(problem, urls);
        }

        var authorization = opened.Authorization;
        if (opened.IsNew && await justInTime.ProveAsync(request.Account, [authorization], cancel))
        {
            authorization = (await intake.FindAsync(request.Account, authorization.PublicId, cancel)).Value;
        }

        return AcmeResponses.Json(
            resources.Authorization(authorization, request.Account),
            AcmeJson.Wire.AuthorizationResource,
            opened.IsNew ? StatusCodes.Status201Created : StatusCodes.Status200OK,
            new AnswerHeaders(urls.Authorization(authorization.PublicId)));
    }

    /// <summary>Says what a dns-persist-01 validation would find now. Changes nothing.</summary>
    private async Task<IResult> ExplainAsync(SignedRequest request, CancellationToken cancel)
    {
        var payload = PayloadReader.Open(request.Payload);
        var wish = payload.Identifier("identifier");
        if (wish is null)
        {
            payload.Refuse("The payload has no identifier; an object with type and value is expected.");
        }

        if (payload.Problem is { } fault)
        {
            return AcmeResponses.Problem(fault, urls);
        }

        var outcome = await explainer.ExplainAsync(request.Account, wish!.Identifier, cancel);
        return outcome.TryGet(out var explained, out var problem)
            ? AcmeResponses.Json(explained, AcmeJson.Wire.ExplanationResource)
            : AcmeResponses.Problem(problem, urls);
    }

    private async Task<IResult> AuthorizationAsync(SignedRequest request, string id, CancellationToken cancel)
    {
        if (request.IsFetch)
        {
            return Answer(await polls.AskAsync(
                id, () => intake.FindAsync(request.Account, id, cancel), a => a.Challenges.Any(c => c.Status == ChallengeStatus.Processing), cancel));
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

        string? recordAt = null;
        if (!request.IsFetch)
        {
            // Other members of the object are ignored: drafts will add some, and clients of today send {}.
            var payload = PayloadReader.Open(request.Payload);
            recordAt = payload.Text("adn");
            if (payload.Problem is { } fault)
            {
                return AcmeResponses.Problem(fault, urls);
            }
        }

        var outcome = request.IsFetch
            ? await polls.AskAsync(id, () => intake.FindAsync(request.Account, id, ordinal, cancel), f => f.Challenge.Status == ChallengeStatus.Processing, cancel)
            : await intake.AcceptAsync(request.Account, request.Actor, id, ordinal, recordAt, cancel);
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

using System.Text;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Jose;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Acme;

/// <summary>newAccount, accounts, their orders, keyChange (RFC 8555 sections 7.3 to 7.3.6).</summary>
internal sealed class AccountEndpoints(AccountRegistrar registrar, AcmeResources resources, AuthorityUrls urls, JwsVerifier verifier, PersistCaOptions options)
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapSigned(AuthorityUrls.Paths.NewAccount, SignedBy.Key, (r, c, t) => Of(c).NewAsync(r, t));
        routes.MapSigned(AuthorityUrls.Paths.Account + "{id}", SignedBy.Account, (r, c, t) => Of(c).AccountAsync(r, (string)c.Request.RouteValues["id"]!, t));
        routes.MapFetch(AuthorityUrls.Paths.Account + "{id}/orders", (r, c, t) => Of(c).OrdersAsync(r, c, t));
        routes.MapSigned(AuthorityUrls.Paths.KeyChange, SignedBy.Account, (r, c, t) => Of(c).ChangeKeyAsync(r, t));
    }

    private static AccountEndpoints Of(HttpContext context) => context.RequestServices.GetRequiredService<AccountEndpoints>();

    private async Task<IResult> NewAsync(SignedRequest request, CancellationToken cancel)
    {
        var payload = PayloadReader.Open(request.Payload);
        var statement = new AccountStatement(payload.Texts("contact"), payload.Flag("termsOfServiceAgreed"));
        var onlyExisting = payload.Flag("onlyReturnExisting") ?? false;

        // Where accounts are not bound its form does not matter either: it is as any member that is not known.
        var binding = options.Acme.ExternalAccount == ExternalAccountMode.Off ? null : payload.Object("externalAccountBinding");
        if (payload.Problem is { } fault)
        {
            return AcmeResponses.Problem(fault, urls);
        }

        var wish = new BindingWish(binding is { } found ? Encoding.UTF8.GetBytes(found.GetRawText()) : null, request.Url);
        var outcome = await registrar.RegisterAsync(request.Key, request.Nonce, statement, wish, onlyExisting, request.Address, cancel);
        if (!outcome.TryGet(out var registered, out var problem))
        {
            return AcmeResponses.Problem(problem, urls);
        }

        return AcmeResponses.Json(
            resources.Account(registered.Account),
            AcmeJson.Wire.AccountResource,
            registered.IsNew ? StatusCodes.Status201Created : StatusCodes.Status200OK,
            new AnswerHeaders(urls.Account(registered.Account.PublicId)));
    }

    private async Task<IResult> AccountAsync(SignedRequest request, string id, CancellationToken cancel)
    {
        var account = request.Account;
        if (id != account.PublicId)
        {
            return AcmeResponses.Problem(Refusals.NotYours("account URL"), urls);
        }

        if (!request.IsFetch)
        {
            var payload = PayloadReader.Open(request.Payload);
            var status = payload.Text("status");
            var contacts = payload.Texts("contact");
            if (payload.Problem is { } fault)
            {
                return AcmeResponses.Problem(fault, urls);
            }

            var changed = status == "deactivated"
                ? await registrar.DeactivateAsync(account, request.Actor.AsOwner(), cancel)
                : contacts is null
                    ? account // nothing to change: all else is ignored, another status and an agreement to terms included (RFC 8555 section 7.3.2)
                    : await registrar.UpdateAsync(account, request.Actor.AsOwner(), contacts, cancel);
            if (!changed.TryGet(out account, out var problem))
            {
                return AcmeResponses.Problem(problem, urls);
            }
        }

        return AcmeResponses.Json(resources.Account(account), AcmeJson.Wire.AccountResource, headers: new AnswerHeaders(urls.Account(account.PublicId)));
    }

    private async Task<IResult> OrdersAsync(SignedRequest request, HttpContext context, CancellationToken cancel)
    {
        if ((string)context.Request.RouteValues["id"]! != request.Account.PublicId)
        {
            return AcmeResponses.Problem(Refusals.NotYours("list of orders"), urls);
        }

        string? before = null;
        if (context.Request.Query.TryGetValue("cursor", out var cursor))
        {
            if (cursor.Count != 1 || !PublicId.LooksRight(cursor[0] ?? ""))
            {
                return AcmeResponses.Problem(new AcmeProblem(ProblemCatalog.Malformed, "The cursor is not one that a Link rel=\"next\" gave out."), urls);
            }

            before = cursor[0];
        }

        var page = await registrar.OrdersAsync(request.Account, before, cancel);
        var links = page.Next is { } next
            ? new[] { $"<{urls.Orders(request.Account.PublicId)}?cursor={next}>;rel=\"next\"" }
            : null;
        return AcmeResponses.Json(new OrderListResource([.. page.OrderIds.Select(urls.Order)]), AcmeJson.Wire.OrderListResource, headers: new AnswerHeaders(Links: links));
    }

    private async Task<IResult> ChangeKeyAsync(SignedRequest request, CancellationToken cancel)
    {
        var judged = InnerKey(request);
        if (!judged.TryGet(out var newKey, out var problem))
        {
            return AcmeResponses.Problem(problem, urls);
        }

        var outcome = await registrar.ChangeKeyAsync(request.Account, request.Actor.AsOwner(), newKey, urls.Account, cancel);
        return outcome.TryGet(out var account, out problem)
            ? AcmeResponses.Json(resources.Account(account), AcmeJson.Wire.AccountResource, headers: new AnswerHeaders(urls.Account(account.PublicId)))
            : AcmeResponses.Problem(problem, urls);
    }

    /// <summary>The checks on the inner JWS, in the order of RFC 8555 section 7.3.5.</summary>
    private Outcome<Jwk> InnerKey(SignedRequest request)
    {
        if (request.IsFetch)
        {
            return Malformed("The payload is empty; the inner JWS of a key change is expected (RFC 8555 section 7.3.5).");
        }

        var parsed = FlattenedJws.Parse(request.Payload, new JwsLimits { MaxBytes = options.Acme.MaxBodyBytes });
        if (!parsed.TryGet(out var inner, out var problem))
        {
            return problem with { Detail = "Inner JWS: " + problem.Detail };
        }

        if (inner.Header.Jwk is not { } member)
        {
            return Malformed("The inner JWS has no jwk; it is to be signed by the new key, carried there.");
        }

        if (inner.Header.Nonce is not null)
        {
            return Malformed("The inner JWS has a nonce, which RFC 8555 section 7.3.5 forbids.");
        }

        if (inner.Header.Url != request.Url)
        {
            return Malformed("The url of the inner JWS differs from that of the outer one.");
        }

        if (SignatureAlgorithms.Refuse(inner.Header.Alg) is { } algorithm)
        {
            return algorithm;
        }

        var key = Jwk.Parse(member);
        if (!key.TryGet(out var newKey, out problem))
        {
            return problem;
        }

        if (verifier.Verify(inner, newKey) is { } unverified)
        {
            return unverified with { Detail = "Inner JWS: " + unverified.Detail };
        }

        return Statement(request, inner, newKey);
    }

    private Outcome<Jwk> Statement(SignedRequest request, FlattenedJws inner, Jwk newKey)
    {
        var payload = PayloadReader.Open(inner.Payload.ToArray());
        var account = payload.Text("account");
        var oldKey = payload.Object("oldKey");
        if (payload.Problem is { } fault)
        {
            return fault;
        }

        if (account != urls.Account(request.Account.PublicId))
        {
            return Malformed("The inner payload's account is not the account that signed the outer JWS.");
        }

        if (oldKey is null)
        {
            return Malformed("The inner payload has no oldKey; the account's present key is expected there.");
        }

        var old = Jwk.Parse(oldKey.Value);
        if (!old.TryGet(out var present, out var problem))
        {
            return problem with { Detail = "oldKey: " + problem.Detail };
        }

        return present.Thumbprint == request.Key.Thumbprint ? newKey : Malformed("The inner payload's oldKey is not the account's present key.");
    }

    private static AcmeProblem Malformed(string detail) => new(ProblemCatalog.Malformed, detail);
}

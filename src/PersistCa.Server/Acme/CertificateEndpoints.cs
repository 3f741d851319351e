using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Certificates;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Acme;

/// <summary>Certificates and revocation (RFC 8555 sections 7.4.2 and 7.6).</summary>
internal sealed class CertificateEndpoints(CertificateShelf shelf, RevocationDesk desk, AuthorityUrls urls)
{
    /// <summary>The media type of chains (RFC 8555 section 9.1).</summary>
    public const string ChainMediaType = "application/pem-certificate-chain";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapFetch(AuthorityUrls.Paths.Certificate + "{id}", (r, c, t) => Of(c).DownloadAsync(r, (string)c.Request.RouteValues["id"]!, 0, t));
        routes.MapFetch(AuthorityUrls.Paths.Certificate + "{id}/{chain:int}", (r, c, t) =>
            Of(c).DownloadAsync(r, (string)c.Request.RouteValues["id"]!, int.Parse((string)c.Request.RouteValues["chain"]!, System.Globalization.CultureInfo.InvariantCulture), t));
        routes.MapSigned(AuthorityUrls.Paths.RevokeCert, SignedBy.AccountOrKey, (r, c, t) => Of(c).RevokeAsync(r, t));
    }

    private static CertificateEndpoints Of(HttpContext context) => context.RequestServices.GetRequiredService<CertificateEndpoints>();

    private async Task<IResult> DownloadAsync(SignedRequest request, string id, int chain, CancellationToken cancel)
    {
        var found = await shelf.FindAsync(request.Account, id, cancel);
        if (!found.TryGet(out var chains, out var problem))
        {
            return AcmeResponses.Problem(problem, urls);
        }

        if (chain < 0 || chain >= chains.Chains.Count)
        {
            return AcmeResponses.Problem(Refusals.NoSuchResource("chain"), urls);
        }

        var url = urls.Certificate(id);
        var links = Enumerable.Range(0, chains.Chains.Count).Where(i => i != chain)
            .Select(i => $"<{(i == 0 ? url : $"{url}/{i}")}>;rel=\"alternate\"")
            .ToArray();
        return AcmeResponses.Text(chains.Chains[chain], ChainMediaType, new AnswerHeaders(Links: links));
    }

    private async Task<IResult> RevokeAsync(SignedRequest request, CancellationToken cancel)
    {
        var payload = PayloadReader.Open(request.Payload);
        var certificate = payload.Text("certificate");
        var reason = payload.Number("reason");
        if (certificate is null)
        {
            payload.Refuse("The payload has no certificate; the certificate to revoke is expected in base64url DER (RFC 8555 section 7.6).");
        }

        if (payload.Problem is { } fault)
        {
            return AcmeResponses.Problem(fault, urls);
        }

        Outcome<IssuedCertificate> outcome = await desk.RevokeAsync(request.AccountOrNull, request.Key, request.Actor, certificate!, reason, cancel);
        return outcome.IsRefused ? AcmeResponses.Problem(outcome.Problem, urls) : AcmeResponses.Empty(StatusCodes.Status200OK);
    }
}

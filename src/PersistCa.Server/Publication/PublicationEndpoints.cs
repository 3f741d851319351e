using System.Reflection;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage;

namespace PersistCa.Server.Publication;

/// <summary>What anybody may read without a signature: CRLs, issuer certificates, the pages that explain problems.</summary>
internal static class PublicationEndpoints
{
    public static void MapPublication(this IEndpointRouteBuilder routes)
    {
        routes.MapCrls();
        routes.MapOcsp();
        routes.MapMethods(AuthorityUrls.Paths.Issuer + "{file}", ["GET", "HEAD"], IssuerAsync);
    }

    /// <summary>The pages under docs/problems, as they are, from inside the executable.</summary>
    public static void MapProblemPages(this IEndpointRouteBuilder routes)
    {
        routes.MapMethods(AuthorityUrls.Paths.Problems + "{name}", ["GET", "HEAD"], (string name) =>
        {
            using var stream = ProblemCatalog.All.Concat(ProblemCatalog.Cases).Any(t => t.Page == name)
                ? Assembly.GetExecutingAssembly().GetManifestResourceStream($"problems.{name}.md")
                : null;
            if (stream is null)
            {
                return Results.NotFound();
            }

            using var reader = new StreamReader(stream);
            return Results.Text(reader.ReadToEnd(), "text/markdown; charset=utf-8");
        });
    }

    private static async Task<IResult> IssuerAsync(string file, HttpContext context, CaStore store, IssuerBook book)
    {
        var cancel = context.RequestAborted;
        if (!file.EndsWith(".crt", StringComparison.Ordinal))
        {
            return Results.NotFound();
        }

        var id = file[..^4];
        var der = id == AuthorityUrls.RootIssuer && book.All[0].Issuer is { ReachesRoot: true } first
            ? first.Chain[^1]
            : book.Certificate(id) ?? (await store.ReadAsync(db => db.Issuers.FirstOrDefaultAsync(i => i.Id == id, cancel), cancel))?.CertificateDer;
        if (der is null)
        {
            return Results.NotFound();
        }

        context.Response.Headers.CacheControl = "public, max-age=86400";
        return Results.Bytes(der, "application/pkix-cert");
    }
}

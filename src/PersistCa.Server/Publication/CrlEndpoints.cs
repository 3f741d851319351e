using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using PersistCa.Server.Hosting;
using PersistCa.Storage;

namespace PersistCa.Server.Publication;

/// <summary>The newest lists as they were read last, so that the octets of a large one are read from the store once for each number.</summary>
internal sealed class CrlCache
{
    private readonly ConcurrentDictionary<(string IssuerId, int Shard), CrlRow> newest = new();

    /// <summary>The newest list of a part, null when there is none.</summary>
    public async Task<CrlRow?> FindAsync(CaStore store, string issuerId, int shard, CancellationToken cancel)
    {
        var lists = (CaDb db) => db.Crls.Where(c => c.IssuerId == issuerId && c.Shard == shard).OrderByDescending(c => c.Number);
        var number = await store.ReadAsync(db => lists(db).Select(c => (long?)c.Number).FirstOrDefaultAsync(cancel), cancel);
        if (number is null)
        {
            return null;
        }

        if (!newest.TryGetValue((issuerId, shard), out var kept) || kept.Number != number)
        {
            kept = await store.ReadAsync(db => lists(db).FirstOrDefaultAsync(cancel), cancel);
            if (kept is not null)
            {
                newest[(issuerId, shard)] = kept;
            }
        }

        return kept;
    }
}

/// <summary>Revocation lists over HTTP: /crl/ISSUER.crl, and /crl/ISSUER/PART.crl where the list is in parts.</summary>
internal static class CrlEndpoints
{
    private const string Ending = ".crl";

    public static void MapCrls(this IEndpointRouteBuilder routes)
    {
        routes.MapMethods(AuthorityUrls.Paths.Crl + "{file}", ["GET", "HEAD"], (string file, HttpContext c, CaStore s, CrlCache k, PersistCaOptions o, TimeProvider t) =>
            file.EndsWith(Ending, StringComparison.Ordinal) ? ServeAsync(file[..^Ending.Length], 0, c, s, k, o, t) : Task.FromResult(Results.NotFound()));
        routes.MapMethods(AuthorityUrls.Paths.Crl + "{issuer}/{file}", ["GET", "HEAD"], (string issuer, string file, HttpContext c, CaStore s, CrlCache k, PersistCaOptions o, TimeProvider t) =>
            file.EndsWith(Ending, StringComparison.Ordinal) && int.TryParse(file[..^Ending.Length], NumberStyles.None, CultureInfo.InvariantCulture, out var shard) && shard > 0
                ? ServeAsync(issuer, shard, c, s, k, o, t)
                : Task.FromResult(Results.NotFound()));
    }

    private static async Task<IResult> ServeAsync(string issuerId, int shard, HttpContext context, CaStore store, CrlCache cache, PersistCaOptions options, TimeProvider clock)
    {
        if (await cache.FindAsync(store, issuerId, shard, context.RequestAborted) is not { } crl)
        {
            return Results.NotFound();
        }

        context.Response.Headers.CacheControl = $"public, max-age={CacheAge.Seconds(options.Issuance.StatusMaxAge, crl.NextUpdate - clock.GetUtcNow())}";
        return Results.Bytes(
            crl.Der,
            "application/pkix-crl",
            lastModified: crl.ThisUpdate,
            entityTag: new Microsoft.Net.Http.Headers.EntityTagHeaderValue($"\"{crl.Number.ToString(CultureInfo.InvariantCulture)}\""));
    }
}

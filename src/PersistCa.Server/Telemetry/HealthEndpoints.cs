using PersistCa.Server.Hosting;
using PersistCa.Storage;

namespace PersistCa.Server.Telemetry;

/// <summary>/health/live: the process answers. /health/ready: it can do its work, database included.</summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", () => Results.Text("live\n"));
        routes.MapGet("/health/ready", async (StoreUpkeep upkeep, Readiness readiness, HttpContext context) =>
        {
            var reason = readiness.NotReady ?? (await upkeep.ProbeAsync(context.RequestAborted) is null ? null : "the database does not answer");
            return reason is null ? Results.Text("ready\n") : Results.Text(reason + "\n", statusCode: StatusCodes.Status503ServiceUnavailable);
        });
    }
}

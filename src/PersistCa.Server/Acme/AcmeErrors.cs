using System.Diagnostics;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Acme;

/// <summary>What is left over: unknown paths and methods, requests that are no HTTP, and our own failures. Each still gets a problem document.</summary>
internal static partial class AcmeErrors
{
    public static void UseAcmeErrors(this IApplicationBuilder app, AuthorityUrls urls, ILogger logger) => app.Use(async (context, next) =>
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await WriteAsync(context, urls, new AcmeProblem(ProblemCatalog.Malformed, $"The request cannot be read: {e.Message}") { Status = e.StatusCode });
            return;
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            var trace = Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier;
            LogFailed(logger, e, context.Request.Method, context.Request.Path, trace);
            await WriteAsync(context, urls, new AcmeProblem(ProblemCatalog.ServerInternal, $"The server failed; its operator finds the reason under the trace id {trace}."));
            return;
        }

        if (context.Response.HasStarted || context.Response.ContentType is not null)
        {
            return;
        }

        if (context.Response.StatusCode == StatusCodes.Status404NotFound)
        {
            await WriteAsync(context, urls, new AcmeProblem(ProblemCatalog.Malformed, $"There is nothing at this path; the directory is {urls.Directory}.") { Status = 404 });
        }
        else if (context.Response.StatusCode == StatusCodes.Status405MethodNotAllowed)
        {
            await WriteAsync(
                context,
                urls,
                new AcmeProblem(ProblemCatalog.Malformed, $"The method {Refusals.Shorten(context.Request.Method, 20)} is not allowed here; resources are fetched by POST-as-GET (RFC 8555 section 6.3).") { Status = 405 });
        }
    });

    private static Task WriteAsync(HttpContext context, AuthorityUrls urls, AcmeProblem problem) => AcmeResponses.Problem(problem, urls).ExecuteAsync(context);

    [LoggerMessage(LogLevel.Error, "{Method} {Path} failed, trace {TraceId}")]
    private static partial void LogFailed(ILogger logger, Exception exception, string method, string path, string traceId);
}

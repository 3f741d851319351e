using System.Net.Mime;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using PersistCa.Protocol;
using PersistCa.Protocol.Jose;
using PersistCa.Protocol.Mpic;
using PersistCa.Validation.Perspectives;

namespace PersistCa.Server.Perspective;

/// <summary>POST /dcv, POST /caa and GET /healthz of Open MPIC. Every other path or method is refused; who is asked at all was settled by the handshake.</summary>
internal static class PerspectiveEndpoints
{
    private const int MaxDepth = 8;

    public static void Map(WebApplication app, int maxBodyBytes)
    {
        // Belt and braces: a listener without client certificates must never serve these, however it came about.
        app.Use(async (context, next) =>
        {
            if (context.Features.Get<ITlsConnectionFeature>()?.ClientCertificate is null)
            {
                await RefuseAsync(context, StatusCodes.Status401Unauthorized, "a client certificate was expected");
                return;
            }

            await next(context);
        });
        app.MapGet("/healthz", () => Results.Text("{\"status\":\"OK\"}", MediaTypeNames.Application.Json));
        app.MapPost("/dcv", (HttpContext context, PerspectiveChecks checks) => AnswerAsync(context, maxBodyBytes, DcvRequest.Read, checks.CheckAsync));
        app.MapPost("/caa", (HttpContext context, PerspectiveChecks checks) => AnswerAsync(context, maxBodyBytes, CaaRequest.Read, checks.CheckAsync));
    }

    private static async Task AnswerAsync<T>(
        HttpContext context, int maxBodyBytes, Func<JsonElement, Parsed<T>> read, Func<T, CancellationToken, Task<Parsed<CheckAnswer>>> check)
        where T : notnull
    {
        if (context.Request.ContentType?.Split(';')[0].Trim().Equals(MediaTypeNames.Application.Json, StringComparison.OrdinalIgnoreCase) != true)
        {
            await RefuseAsync(context, StatusCodes.Status415UnsupportedMediaType, "the content type application/json was expected");
            return;
        }

        var body = new MemoryStream();
        try
        {
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        }
        catch (BadHttpRequestException e)
        {
            await RefuseAsync(context, e.StatusCode, e.StatusCode == StatusCodes.Status413PayloadTooLarge ? $"the body has more than {maxBodyBytes} octets" : "the body did not come whole");
            return;
        }

        var json = StrictJson.Read(body.ToArray(), MaxDepth);
        if (!json.IsValid)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, $"the body cannot be read: {json.Reason}");
            return;
        }

        var request = read(json.Value);
        var answer = request.IsValid ? await check(request.Value, context.RequestAborted) : Parsed<CheckAnswer>.Refused(request.Reason);
        if (!answer.IsValid)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, answer.Reason);
            return;
        }

        context.Response.ContentType = MediaTypeNames.Application.Json;
        await context.Response.Body.WriteAsync(answer.Value.ToJson(), context.RequestAborted);
    }

    private static Task RefuseAsync(HttpContext context, int status, string reason) =>
        Results.Problem(statusCode: status, detail: reason).ExecuteAsync(context);
}

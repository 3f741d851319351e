using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Primitives;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Server.Telemetry;

namespace PersistCa.Server.Acme;

/// <summary>What an answer may carry besides its body.</summary>
/// <param name="Location">URL of the resource.</param>
/// <param name="Up">URL of the resource above, sent as Link rel="up": certbot and lego cannot do without it on challenges.</param>
/// <param name="RetryAfterSeconds">Seconds until a poll makes sense; whole seconds, since one client rejects dates.</param>
/// <param name="Links">Further Link values, complete.</param>
public sealed record AnswerHeaders(string? Location = null, string? Up = null, int? RetryAfterSeconds = null, IReadOnlyList<string>? Links = null)
{
    /// <summary>Nothing.</summary>
    public static readonly AnswerHeaders None = new();
}

/// <summary>Writes ACME answers: JSON, problems, their headers.</summary>
internal static class AcmeResponses
{
    /// <summary>The media type of problem documents.</summary>
    public const string ProblemMediaType = "application/problem+json";

    /// <summary>A JSON resource.</summary>
    public static IResult Json<T>(T body, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK, AnswerHeaders? headers = null) =>
        new WithHeaders(Results.Json(body, type, "application/json", status), headers ?? AnswerHeaders.None);

    /// <summary>An answer without a body.</summary>
    public static IResult Empty(int status, AnswerHeaders? headers = null) => new WithHeaders(Results.StatusCode(status), headers ?? AnswerHeaders.None);

    /// <summary>A body of another kind.</summary>
    public static IResult Text(string body, string mediaType, AnswerHeaders headers) =>
        new WithHeaders(Results.Text(body, mediaType, contentEncoding: null, StatusCodes.Status200OK), headers);

    /// <summary>A refusal.</summary>
    public static IResult Problem(AcmeProblem problem, AuthorityUrls urls)
    {
        CaTelemetry.Problems.Add(1, new KeyValuePair<string, object?>("type", problem.Type.Name));
        var document = ProblemDocument.From(problem, urls.Problems);
        return new WithHeaders(
            Results.Json(document, AcmeJson.Wire.ProblemDocument, ProblemMediaType, problem.Status),
            new AnswerHeaders(problem.Location, RetryAfterSeconds: problem.RetryAfterSeconds, Links: [$"<{urls.Problems}{problem.Type.Page}>;rel=\"help\""]));
    }

    private sealed class WithHeaders(IResult inner, AnswerHeaders headers) : IResult, IStatusCodeHttpResult
    {
        public int? StatusCode => (inner as IStatusCodeHttpResult)?.StatusCode;

        public Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response.Headers;
            if (headers.Location is not null)
            {
                response.Location = headers.Location;
            }

            if (headers.RetryAfterSeconds is { } seconds)
            {
                response.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
            }

            if (headers.Up is not null)
            {
                response.Link = StringValues.Concat(response.Link, $"<{headers.Up}>;rel=\"up\"");
            }

            foreach (var link in headers.Links ?? [])
            {
                response.Link = StringValues.Concat(response.Link, link);
            }

            return inner.ExecuteAsync(httpContext);
        }
    }
}

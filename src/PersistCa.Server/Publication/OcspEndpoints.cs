using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using PersistCa.Issuance.Ocsp;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Publication;

/// <summary>OCSP over HTTP: GET and POST (RFC 6960 appendix A.1), with headers for caches (RFC 9919 section 5).</summary>
internal static class OcspEndpoints
{
    public static void MapOcsp(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(AuthorityUrls.Paths.Ocsp + "{issuer}", PostAsync);
        routes.MapGet(AuthorityUrls.Paths.Ocsp + "{issuer}/{**question}", GetAsync);
    }

    private static async Task<IResult> PostAsync(string issuer, HttpContext context, StatusIssuers issuers, OcspDesk desk, PersistCaOptions options, TimeProvider clock)
    {
        if (issuers.Find(issuer) is null)
        {
            return Results.NotFound();
        }

        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || !type.MediaType.Equals(OcspAnswer.QuestionMediaType, StringComparison.OrdinalIgnoreCase))
        {
            return Results.StatusCode(StatusCodes.Status415UnsupportedMediaType);
        }

        // One octet more than is read, so that what is too long is seen to be.
        var buffer = new byte[OcspQuestion.MaxOctets + 1];
        try
        {
            var length = await context.Request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, context.RequestAborted);
            return await AnswerAsync(buffer.AsMemory(0, length), context, desk, options, clock);
        }
        catch (BadHttpRequestException e)
        {
            // Longer than the server reads at all, or broken off: no fault of ours, and none for the log.
            return Results.StatusCode(e.StatusCode);
        }
    }

    private static async Task<IResult> GetAsync(string issuer, HttpContext context, StatusIssuers issuers, OcspDesk desk, PersistCaOptions options, TimeProvider clock) =>
        issuers.Find(issuer) is null ? Results.NotFound() : await AnswerAsync(Question(issuer, context), context, desk, options, clock);

    /// <summary>
    /// The question in the path: base64, then percent-encoded (RFC 6960 appendix A.1). It is taken from the request line, since base64 has slashes, which clients
    /// encode or not, and two in a row. What is no base64 is no question, and answered so.
    /// </summary>
    private static byte[] Question(string issuer, HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var prefix = AuthorityUrls.Paths.Ocsp + issuer + "/";
        var text = target.StartsWith(prefix, StringComparison.Ordinal) ? Uri.UnescapeDataString(target[prefix.Length..].Split('?')[0]) : "";
        var base64 = Encoding.UTF8.GetBytes(text);
        return Base64.IsValid(base64) ? Convert.FromBase64String(text) : [];
    }

    private static async Task<IResult> AnswerAsync(ReadOnlyMemory<byte> question, HttpContext context, OcspDesk desk, PersistCaOptions options, TimeProvider clock)
    {
        var reply = await desk.AnswerAsync(question, context.RequestAborted);
        var headers = context.Response.Headers;
        if (reply.NextUpdate is not { } next || reply.ThisUpdate is not { } from)
        {
            headers.CacheControl = "no-store";
            return Results.Bytes(reply.Der, OcspAnswer.AnswerMediaType);
        }

        // RFC 9919 would let caches keep it until nextUpdate; a revocation is to be seen within a minute behind them too.
        var now = clock.GetUtcNow();
        var age = CacheAge.Seconds(options.Issuance.StatusMaxAge, next - now);
        headers.CacheControl = $"max-age={age}, public, no-transform, must-revalidate";
        headers.Expires = HeaderUtilities.FormatDate(now.AddSeconds(age));
        return Results.Bytes(
            reply.Der,
            OcspAnswer.AnswerMediaType,
            lastModified: from,
            entityTag: new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(reply.Der).AsSpan(0, 16))}\""));
    }
}

/// <summary>How long caches may keep what is said of the status of certificates.</summary>
internal static class CacheAge
{
    /// <summary>The configured time, and never longer than what is said holds.</summary>
    public static int Seconds(TimeSpan configured, TimeSpan left) => (int)Math.Clamp(left.TotalSeconds, 0, configured.TotalSeconds);
}

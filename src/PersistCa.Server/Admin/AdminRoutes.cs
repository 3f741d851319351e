using System.Net.Http.Headers;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Admin;

/// <summary>The doors for operators: each in the list, each behind a token, each call and refusal in the audit log.</summary>
internal static class AdminRoutes
{
    /// <summary>Every door there is.</summary>
    public static IReadOnlyList<AdminDoor> Doors { get; } =
    [
        .. AccountDoors.All,
        .. OrderDoors.All,
        .. CertificateDoors.All,
        .. RevocationDoors.All,
        .. RecordDoors.All,
        .. AuthorityDoors.All,
        .. DecisionDoors.All,
        .. OperationDoors.All,
        .. DocumentDoors.All,
    ];

    /// <summary>Every scope that a token can be for.</summary>
    public static IReadOnlyList<string> Scopes { get; } = [.. Doors.Select(d => d.Scope).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Maps them.</summary>
    public static void MapAdmin(this IEndpointRouteBuilder routes)
    {
        foreach (var door in Doors)
        {
            routes.MapMethods(door.Pattern, [door.Method], (HttpContext context, OperatorDesk desk) => AnswerAsync(context, desk, door));
        }
    }

    private static async Task<IResult> AnswerAsync(HttpContext context, OperatorDesk desk, AdminDoor door)
    {
        var cancel = context.RequestAborted;
        var header = context.Request.Headers.Authorization;
        var shown = new ShownCredentials(header.Count == 0 ? null : header.ToString(), context.Connection.ClientCertificate?.RawData);
        var known = await desk.AuthenticateAsync(shown, new DoorDemand(door.Name, door.Roles, door.Scope), LimitDesk.Subject(context.Connection.RemoteIpAddress), cancel);
        if (!known.TryGet(out var who, out var problem))
        {
            if (problem.Status == StatusCodes.Status401Unauthorized)
            {
                context.Response.Headers.WWWAuthenticate = "Bearer realm=\"persistca\"";
            }

            return Problem(context, problem);
        }

        // Written down whatever comes of it; a caller who went away does not undo what was done for them.
        var status = StatusCodes.Status500InternalServerError;
        try
        {
            var result = (await CallAsync(context, door, who, cancel)).TryGet(out var call, out problem) ? await door.Handler(call, cancel) : Problem(context, problem);
            status = (result as IStatusCodeHttpResult)?.StatusCode ?? StatusCodes.Status200OK;
            return result;
        }
        finally
        {
            await desk.NoteCallAsync(who, door.Name, status, CancellationToken.None);
        }
    }

    private static IResult Problem(HttpContext context, AcmeProblem problem) => AcmeResponses.Problem(problem, context.RequestServices.GetRequiredService<AuthorityUrls>());

    private static async Task<Outcome<AdminCall>> CallAsync(HttpContext context, AdminDoor door, OperatorIdentity who, CancellationToken cancel)
    {
        var options = context.RequestServices.GetRequiredService<PersistCaOptions>();
        if (!QueryValues.Read(context.Request.Query, door.Query, options.Operators).TryGet(out var query, out var problem))
        {
            return problem;
        }

        if (door.Body is null)
        {
            return new AdminCall(door, who, context, query, null);
        }

        if (!(await BodyAsync(context, options.Policy.Revocation.MaxBodyBytes, cancel)).TryGet(out var body, out problem))
        {
            return problem;
        }

        var payload = PayloadReader.Open(body, nullIsAbsent: true);
        payload.Only([.. AdminSchema.MembersOf(door.Body)]);
        return new AdminCall(door, who, context, query, payload);
    }

    private static async Task<Outcome<byte[]>> BodyAsync(HttpContext context, int most, CancellationToken cancel)
    {
        // Not a form that a page of another site could have a browser send.
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || type.MediaType != "application/json")
        {
            return new AcmeProblem(ProblemCatalog.Malformed, "The Content-Type is not application/json.") { Status = StatusCodes.Status415UnsupportedMediaType };
        }

        using var buffer = new MemoryStream();
        var chunk = new byte[8192];
        int read;
        while ((read = await context.Request.Body.ReadAsync(chunk, cancel)) > 0)
        {
            if (buffer.Length + read > most)
            {
                return new AcmeProblem(ProblemCatalog.Malformed, $"The body has more than {most} octets (Policy:Revocation:MaxBodyBytes).") { Status = StatusCodes.Status413PayloadTooLarge };
            }

            buffer.Write(chunk, 0, read);
        }

        return buffer.ToArray();
    }
}

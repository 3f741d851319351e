using System.Net.Http.Headers;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Admin;

/// <summary>What a door gets: who calls, and what was sent.</summary>
/// <param name="Who">The operator, known and of a role that the door is open to.</param>
/// <param name="Body">The body; empty where none belongs.</param>
/// <param name="Route">The parts of the path that vary.</param>
/// <param name="Services">The container.</param>
internal sealed record AdminCall(OperatorIdentity Who, ReadOnlyMemory<byte> Body, RouteValueDictionary Route, IServiceProvider Services)
{
    /// <summary>A part of the path.</summary>
    public string Part(string name) => (string)Route[name]!;
}

/// <summary>A door for operators.</summary>
/// <param name="Method">HTTP method.</param>
/// <param name="Pattern">Path as routed.</param>
/// <param name="Roles">Who is let in; nobody else.</param>
/// <param name="Handler">What is behind it.</param>
internal sealed record AdminDoor(string Method, string Pattern, IReadOnlyCollection<OperatorRole> Roles, Func<AdminCall, CancellationToken, Task<IResult>> Handler)
{
    /// <summary>Method and path, for the audit.</summary>
    public string Name => $"{Method} {Pattern}";
}

/// <summary>The doors for operators: each in the list, each behind a token, each call and refusal in the audit log.</summary>
internal static class AdminRoutes
{
    private static readonly OperatorRole[] Officers = [OperatorRole.RevocationOfficer];

    /// <summary>Every door there is.</summary>
    public static IReadOnlyList<AdminDoor> Doors { get; } =
    [
        new("POST", AuthorityUrls.Paths.Admin + "records/explain", OperatorRoles.All.ToArray(), RecordDoors.ExplainAsync),
        new("GET", AuthorityUrls.Paths.Admin + "revocations", OperatorRoles.All.ToArray(), RevocationDoors.ListAsync),
        new("GET", AuthorityUrls.Paths.Admin + "revocations/{id}", OperatorRoles.All.ToArray(), RevocationDoors.FindAsync),
        new("POST", AuthorityUrls.Paths.Admin + "revocations", Officers, RevocationDoors.ProposeAsync),
        new("POST", AuthorityUrls.Paths.Admin + "revocations/{id}/approve", Officers, RevocationDoors.ApproveAsync),
        new("POST", AuthorityUrls.Paths.Admin + "certificates/{serial}/revoke", Officers, RevocationDoors.RevokeAsync),
    ];

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
        var known = await desk.AuthenticateAsync(header.Count == 0 ? null : header.ToString(), door.Roles, door.Name, LimitDesk.Subject(context.Connection.RemoteIpAddress), cancel);
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
            var result = (await BodyAsync(context, door, cancel)).TryGet(out var body, out problem)
                ? await door.Handler(new AdminCall(who, body, context.Request.RouteValues, context.RequestServices), cancel)
                : Problem(context, problem);
            status = (result as IStatusCodeHttpResult)?.StatusCode ?? StatusCodes.Status200OK;
            return result;
        }
        finally
        {
            await desk.NoteCallAsync(who, door.Name, status, CancellationToken.None);
        }
    }

    private static IResult Problem(HttpContext context, AcmeProblem problem) => AcmeResponses.Problem(problem, context.RequestServices.GetRequiredService<AuthorityUrls>());

    private static async Task<Outcome<byte[]>> BodyAsync(HttpContext context, AdminDoor door, CancellationToken cancel)
    {
        if (door.Method != HttpMethods.Post)
        {
            return Array.Empty<byte>();
        }

        // Not a form that a page of another site could have a browser send.
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || type.MediaType != "application/json")
        {
            return new AcmeProblem(ProblemCatalog.Malformed, "The Content-Type is not application/json.") { Status = StatusCodes.Status415UnsupportedMediaType };
        }

        var most = context.RequestServices.GetRequiredService<PersistCaOptions>().Policy.Revocation.MaxBodyBytes;
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

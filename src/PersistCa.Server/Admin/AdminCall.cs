using System.Text.Json.Serialization.Metadata;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Admin;

/// <summary>What a door gets: who calls, and what was sent. Method, role, scope, query and members of the body are judged already.</summary>
/// <param name="Door">The door.</param>
/// <param name="Who">The operator, known and of a role that the door is open to.</param>
/// <param name="Context">The request.</param>
/// <param name="Query">What stood in the query.</param>
/// <param name="Payload">The body; unset where none belongs.</param>
internal sealed record AdminCall(AdminDoor Door, OperatorIdentity Who, HttpContext Context, QueryValues Query, PayloadReader? Payload)
{
    private const int MaxComment = 500;

    /// <summary>The body, of which only the members that the door names are there.</summary>
    public PayloadReader Body => Payload ?? throw new InvalidOperationException($"{Door.Name} takes no body");

    /// <summary>A part of the path.</summary>
    public string Part(string name) => (string)Context.Request.RouteValues[name]!;

    /// <summary>A public id in the path; null when the text can be none.</summary>
    public string? Id(string name = "id") => PublicId.LooksRight(Part(name)) ? Part(name) : null;

    /// <summary>The member comment of the body.</summary>
    public string Comment()
    {
        var comment = Body.Text("comment") ?? "";
        if (comment.Length > MaxComment || comment.Any(char.IsControl))
        {
            Body.Refuse($"The comment has {comment.Length} characters; at most {MaxComment} on one line are expected.");
        }

        return comment;
    }

    /// <summary>Something from the container.</summary>
    public T Get<T>()
        where T : notnull => Context.RequestServices.GetRequiredService<T>();

    /// <summary>A refusal.</summary>
    public IResult Refuse(AcmeProblem problem) => AcmeResponses.Problem(problem, Get<AuthorityUrls>());

    /// <summary>The answer of the row's type.</summary>
    public IResult Json<T>(T body, int status = StatusCodes.Status200OK) => typeof(T) == Door.Answer
        ? AcmeResponses.Json(body, (JsonTypeInfo<T>)(AdminJson.Wire.GetTypeInfo(typeof(T)) ?? throw new InvalidOperationException($"{typeof(T)} is not in AdminJson")), status)
        : throw new InvalidOperationException($"{Door.Name} answers {Door.Answer}, not {typeof(T)}");

    /// <summary>The answer of the row's type, or the refusal.</summary>
    public IResult Json<T, TBody>(Outcome<T> outcome, Func<T, TBody> form)
        where T : notnull => outcome.TryGet(out var value, out var problem) ? Json(form(value)) : Refuse(problem);

    /// <summary>A page of a list.</summary>
    public IResult Page<T, TBody>(Paged<T> page, Func<T, TBody> form) =>
        Json(new ListResource<TBody>([.. page.Items.Select(form)], page.Next is { } next ? Paging.Write(next) : null));
}

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Admin;

/// <summary>The OpenAPI 3.1 document of the doors, made of their rows alone. docs/operations/openapi.json is the same text.</summary>
internal static class OpenApiDocument
{
    private const string Schemas = "#/components/schemas/";

    private static readonly JsonSerializerOptions Form = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    private static string? text;

    private static readonly DoorFault[] Always =
    [
        new(StatusCodes.Status400BadRequest, ProblemCatalog.Malformed, "what was sent cannot be used"),
        new(StatusCodes.Status401Unauthorized, ProblemCatalog.Unauthorized, "nobody is known by what was shown"),
        new(StatusCodes.Status403Forbidden, ProblemCatalog.Unauthorized, "the role or the scope does not open this door"),
        DoorFault.Limited,
        new(StatusCodes.Status500InternalServerError, ProblemCatalog.ServerInternal, "the server failed"),
    ];

    private static readonly DoorFault[] OfBodies =
    [
        new(StatusCodes.Status413PayloadTooLarge, ProblemCatalog.Malformed, "the body is too large"),
        new(StatusCodes.Status415UnsupportedMediaType, ProblemCatalog.Malformed, "the body is not application/json"),
    ];

    /// <summary>The document. (Not an initialiser: the list of doors holds the door to this document.)</summary>
    public static string Text => text ??= Create(AdminRoutes.Doors).ToJsonString(Form) + "\n";

    /// <summary>The document of doors.</summary>
    public static JsonObject Create(IReadOnlyList<AdminDoor> doors)
    {
        var schemas = new AdminSchema(Schemas);
        var problem = schemas.Of(typeof(ProblemDocument));
        var paths = new JsonObject();
        foreach (var door in doors)
        {
            if (paths[door.Pattern] is not JsonObject path)
            {
                paths[door.Pattern] = path = [];
            }

            path[door.Method.ToLowerInvariant()] = Operation(door, schemas, problem);
        }

        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "PersistCA for operators",
                ["version"] = "v1",
                ["description"] = "Every answer other than success is a problem document (RFC 9457). Lists go from the newest to the oldest; follow next. Members that are not set are left out.",
            },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/" }),
            ["security"] = new JsonArray(new JsonObject { ["bearer"] = new JsonArray() }),
            ["tags"] = new JsonArray([.. doors.Select(Tag).Distinct().Select(t => (JsonNode)new JsonObject { ["name"] = t })]),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject
                {
                    // mutualTLS is a type of OpenAPI 3.1 that generators of clients stumble over: certificates are told of in words.
                    ["bearer"] = new JsonObject
                    {
                        ["type"] = "http",
                        ["scheme"] = "bearer",
                        ["description"] = "A token of this authority (pca_...), or one of the configured OpenID provider. A client certificate of the configured issuer does in its place.",
                    },
                },
                ["schemas"] = new JsonObject(schemas.Named.Select(s => KeyValuePair.Create(s.Key, (JsonNode?)s.Value))),
            },
        };
    }

    /// <summary>Every refusal of a door.</summary>
    public static IEnumerable<DoorFault> FaultsOf(AdminDoor door) => Always.Concat(door.Body is null ? [] : OfBodies).Concat(door.Faults).OrderBy(f => f.Status).Distinct();

    private static string Tag(AdminDoor door) => door.Path.Split('/')[0].Replace(".json", "", StringComparison.Ordinal);

    private static JsonObject Operation(AdminDoor door, AdminSchema schemas, JsonObject problem)
    {
        var operation = new JsonObject
        {
            ["operationId"] = door.Operation,
            ["summary"] = door.Summary,
            ["tags"] = new JsonArray(Tag(door)),
            ["x-persistca-scope"] = door.Scope,
            ["x-persistca-roles"] = new JsonArray([.. door.Roles.Select(r => (JsonNode)r.Word())]),
        };
        var parameters = door.Path.Split('/').Where(p => p.StartsWith('{')).Select(p => Parameter(p[1..^1], "path", new JsonObject { ["type"] = "string" }, null))
            .Concat(door.Query.Select(q => Parameter(q.Name, "query", (JsonObject)q.Schema.DeepClone(), q.Description)))
            .ToArray<JsonNode>();
        if (parameters.Length > 0)
        {
            operation["parameters"] = new JsonArray(parameters);
        }

        if (door.Body is { } body)
        {
            operation["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Content("application/json", schemas.Of(body)) };
        }

        var responses = new JsonObject { ["200"] = Success(door, schemas, "Done.") };
        if (door.MayWait)
        {
            responses["202"] = Success(door, schemas, "It waits for a second operator, or goes on.");
        }

        foreach (var faults in FaultsOf(door).GroupBy(f => f.Status))
        {
            responses[faults.Key.ToString(System.Globalization.CultureInfo.InvariantCulture)] = new JsonObject
            {
                ["description"] = string.Join(" ", faults.Select(f => $"{f.Type.Name}: {f.When}.")),
                ["content"] = Content(AcmeResponses.ProblemMediaType, (JsonObject)problem.DeepClone()),
            };
        }

        operation["responses"] = responses;
        return operation;
    }

    private static JsonObject Success(AdminDoor door, AdminSchema schemas, string description)
    {
        var content = door.Answer is { } answer ? Content("application/json", schemas.Of(answer)) : [];
        foreach (var media in door.Media)
        {
            content[media] = new JsonObject { ["schema"] = media == "application/json" ? [] : new JsonObject { ["type"] = "string" } };
        }

        return new JsonObject { ["description"] = description, ["content"] = content };
    }

    private static JsonObject Content(string media, JsonObject schema) => new() { [media] = new JsonObject { ["schema"] = schema } };

    private static JsonObject Parameter(string name, string place, JsonObject schema, string? description)
    {
        var made = new JsonObject { ["name"] = name, ["in"] = place, ["required"] = place == "path", ["schema"] = schema };
        if (description is not null)
        {
            made["description"] = description;
        }

        return made;
    }
}

namespace PersistCa.Server.Admin;

/// <summary>The doors' own description.</summary>
internal static class DocumentDoors
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<AdminDoor> All { get; } =
    [
        new("GET", "openapi.json", "showOpenApi", "openapi:read", DoorRoles.All, (_, _) => Task.FromResult(Results.Text(OpenApiDocument.Text, "application/json")))
        {
            Summary = "This document, OpenAPI 3.1.",
            Media = ["application/json"],
        },
    ];
}

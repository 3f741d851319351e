using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Admin;

namespace PersistCa.Server.Commands;

/// <summary>What commands print for machines, as JSON schemas; docs/operations/schemas has them as files.</summary>
internal static class CommandSchemas
{
    private static readonly JsonSerializerOptions Form = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    /// <summary>The type that each command prints, by the name of its file.</summary>
    public static IReadOnlyDictionary<string, Type> All { get; } = RemoteCommands.All.Where(c => c.Door.Answer is not null)
        .Select(c => KeyValuePair.Create(c.Name, c.Door.Answer!))
        .Concat(
        [
            KeyValuePair.Create("certificate-revoke", typeof(RevocationResource)),
            KeyValuePair.Create("certificate-approve", typeof(RevocationResource)),
            KeyValuePair.Create("admin-token-list", typeof(ListResource<TokenResource>)),
            KeyValuePair.Create("record-explain", typeof(ExplanationResource)),
        ])
        .ToDictionary(p => p.Key, p => p.Value);

    /// <summary>The schema of a command's output, as its file holds it.</summary>
    public static string Text(string name)
    {
        var schemas = new AdminSchema("#/definitions/");
        var root = schemas.Of(All[name]);
        foreach (var (_, schema) in schemas.Named)
        {
            schema["additionalProperties"] = false;
        }

        return new JsonObject
        {
            ["$schema"] = "http://json-schema.org/draft-07/schema#",
            ["title"] = "persistca " + name,
            ["allOf"] = new JsonArray(root),
            ["definitions"] = new JsonObject(schemas.Named.Select(s => KeyValuePair.Create(s.Key, (JsonNode?)s.Value))),
        }.ToJsonString(Form) + "\n";
    }
}

using System.Collections;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using PersistCa.Protocol.Acme;

namespace PersistCa.Server.Admin;

/// <summary>A member of a type on the wire.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type.</param>
/// <param name="Description">What it means.</param>
/// <param name="IsRequired">Whether it is never left out.</param>
/// <param name="Allowed">The words that it can be; null for any.</param>
internal sealed record SchemaMember(string Name, Type Type, string Description, bool IsRequired, IReadOnlyList<string>? Allowed);

/// <summary>
/// JSON schemas of what doors take and give, made of the types themselves: the same names as on the wire, what is never null required. Members that are null
/// are left out of JSON, so no schema speaks of null.
/// </summary>
internal sealed class AdminSchema
{
    private readonly string prefix;

    /// <summary>Collects schemas.</summary>
    /// <param name="prefix">Where they will stand, as references begin: "#/components/schemas/".</param>
    public AdminSchema(string prefix) => this.prefix = prefix;

    /// <summary>What was collected, by name.</summary>
    public SortedDictionary<string, JsonNode> Named { get; } = new(StringComparer.Ordinal);

    /// <summary>The members of a type, with what is said of them.</summary>
    public static IEnumerable<SchemaMember> PropertiesOf(Type type)
    {
        var nullability = new NullabilityInfoContext();
        return Properties(type).Select(p => new SchemaMember(
            NameOf(p),
            p.PropertyType,
            p.GetCustomAttribute<DescriptionAttribute>()?.Description ?? "",
            Nullable.GetUnderlyingType(p.PropertyType) is null && nullability.Create(p).ReadState != NullabilityState.Nullable,
            p.GetCustomAttribute<AllowedValuesAttribute>()?.Values.Select(v => v!.ToString()!).ToArray()));
    }

    /// <summary>The members of a type as they are named on the wire.</summary>
    public static IEnumerable<string> MembersOf(Type type) => Properties(type).Select(NameOf);

    /// <summary>The name of a type among schemas.</summary>
    public static string NameOf(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ListResource<>)
        ? NameOf(type.GetGenericArguments()[0]) + "List"
        : type == typeof(ProblemDocument) ? "Problem"
        : type.Name.EndsWith("Resource", StringComparison.Ordinal) ? type.Name[..^"Resource".Length]
        : type.Name;

    /// <summary>The schema of a type: a reference for objects, which are collected.</summary>
    public JsonObject Of(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (Simple(type) is { } simple)
        {
            return simple;
        }

        if (Element(type, typeof(IReadOnlyDictionary<,>)) is { } value)
        {
            return new JsonObject { ["type"] = "object", ["additionalProperties"] = Of(value) };
        }

        if (type.IsArray || Element(type, typeof(IReadOnlyList<>)) is not null)
        {
            return new JsonObject { ["type"] = "array", ["items"] = Of(type.GetElementType() ?? Element(type, typeof(IReadOnlyList<>))!) };
        }

        if (typeof(IEnumerable).IsAssignableFrom(type))
        {
            throw new InvalidOperationException($"{type} has no schema; use IReadOnlyList or IReadOnlyDictionary");
        }

        var name = NameOf(type);
        if (!Named.ContainsKey(name))
        {
            Named[name] = new JsonObject(); // first, so that a type that has itself as a member comes to an end
            Named[name] = Object(type);
        }

        return new JsonObject { ["$ref"] = prefix + name };
    }

    private static JsonObject? Simple(Type type) => type switch
    {
        _ when type == typeof(string) => new() { ["type"] = "string" },
        _ when type == typeof(bool) => new() { ["type"] = "boolean" },
        _ when type == typeof(int) => new() { ["type"] = "integer", ["format"] = "int32" },
        _ when type == typeof(long) => new() { ["type"] = "integer", ["format"] = "int64" },
        _ when type == typeof(double) => new() { ["type"] = "number", ["format"] = "double" },
        _ when type == typeof(DateTimeOffset) => new() { ["type"] = "string", ["format"] = "date-time" },
        _ when type == typeof(DateOnly) => new() { ["type"] = "string", ["format"] = "date" },
        _ when type == typeof(JsonElement) => new() { ["description"] = "Any JSON." },
        _ => null,
    };

    private static Type? Element(Type type, Type generic) =>
        type.GetInterfaces().Prepend(type).FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == generic)?.GetGenericArguments()[^1];

    private static IEnumerable<PropertyInfo> Properties(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.GetIndexParameters().Length == 0 && p.Name != "EqualityContract");

    private static string NameOf(PropertyInfo property) => JsonNamingPolicy.CamelCase.ConvertName(property.Name);

    private JsonObject Object(Type type)
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (var member in PropertiesOf(type))
        {
            var schema = Of(member.Type);
            if (member.Allowed is { } allowed)
            {
                (schema["items"] as JsonObject ?? schema)["enum"] = new JsonArray([.. allowed.Select(v => (JsonNode)v)]);
            }

            if (member.Description.Length > 0)
            {
                schema["description"] = member.Description;
            }

            properties[member.Name] = schema;
            if (member.IsRequired)
            {
                required.Add(member.Name);
            }
        }

        var made = new JsonObject { ["type"] = "object", ["properties"] = properties };
        if (required.Count > 0)
        {
            made["required"] = required;
        }

        return made;
    }
}

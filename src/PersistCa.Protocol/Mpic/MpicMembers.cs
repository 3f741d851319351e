using System.Collections.Immutable;
using System.Text.Json;

namespace PersistCa.Protocol.Mpic;

/// <summary>Reads and writes members of Open MPIC's objects.</summary>
internal static class MpicMembers
{
    /// <summary>The members of an object, nulls left out: that is how other implementations say "not set".</summary>
    public static Parsed<IReadOnlyDictionary<string, JsonElement>> Of(JsonElement element, string what, params string[] known)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            return Parsed<IReadOnlyDictionary<string, JsonElement>>.Refused($"{what} is no object");
        }

        var members = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var member in element.EnumerateObject().Where(m => m.Value.ValueKind != JsonValueKind.Null))
        {
            if (!known.Contains(member.Name))
            {
                return Parsed<IReadOnlyDictionary<string, JsonElement>>.Refused($"{what} has a member that is not understood here; known are {string.Join(", ", known)}");
            }

            members[member.Name] = member.Value;
        }

        return Parsed<IReadOnlyDictionary<string, JsonElement>>.Ok(members);
    }

    /// <summary>A text; null when it is missing, empty, too long or no text.</summary>
    public static string? Text(IReadOnlyDictionary<string, JsonElement> members, string name) =>
        members.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 and <= DcvRequest.MaxText } text ? text : null;

    /// <summary>A list of texts, empty when it is missing.</summary>
    public static Parsed<ImmutableArray<string>> Texts(IReadOnlyDictionary<string, JsonElement> members, string name, int most)
    {
        if (!members.TryGetValue(name, out var list))
        {
            return Parsed<ImmutableArray<string>>.Ok([]);
        }

        return list.ValueKind == JsonValueKind.Array && list.GetArrayLength() <= most
            && list.EnumerateArray().All(e => e.ValueKind == JsonValueKind.String && e.GetString()!.Length is > 0 and <= DcvRequest.MaxText)
            ? Parsed<ImmutableArray<string>>.Ok([.. list.EnumerateArray().Select(e => e.GetString()!)])
            : Parsed<ImmutableArray<string>>.Refused($"{name} is no list of at most {most} texts");
    }

    /// <summary>Writes a text unless there is none.</summary>
    public static void Write(Utf8JsonWriter json, string name, string? text)
    {
        if (text is not null)
        {
            json.WriteString(name, text);
        }
    }

    /// <summary>Writes a list of texts.</summary>
    public static void Write(Utf8JsonWriter json, string name, ImmutableArray<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }
}

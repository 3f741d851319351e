using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PersistCa.Server.Commands;

/// <summary>Answers of doors for people: lists as tables, single things line by line.</summary>
internal static class RemoteTables
{
    /// <summary>How JSON is written for machines: indented, since people look at it too.</summary>
    public static readonly JsonSerializerOptions Json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Lays an answer out.</summary>
    /// <param name="answer">A list, or a thing.</param>
    /// <param name="columns">Members that a list shows; of a thing all are shown.</param>
    public static string Show(JsonObject answer, IReadOnlyList<string> columns)
    {
        if (answer["items"] is not JsonArray items)
        {
            return Lines(answer);
        }

        var table = Tables.Lay([.. columns.Select(Head)], items.Select(i => columns.Select(c => Cell(i![c])).ToArray()));
        return answer["next"] is null ? table : table + $"\nand more: --all for every page, or a higher --limit";
    }

    private static string Lines(JsonObject thing)
    {
        var width = thing.Select(m => m.Key.Length).DefaultIfEmpty().Max();
        return string.Join('\n', thing.Select(m => m.Value switch
        {
            // Something within: as it is, a step to the right. Certificates keep their lines.
            JsonObject => $"{m.Key}\n{Indented(m.Value!.ToJsonString(Json))}",
            JsonArray { Count: > 0 } list when list.Any(i => i is JsonObject) => $"{m.Key}\n{Indented(list.ToJsonString(Json))}",
            JsonValue text when text.TryGetValue<string>(out var s) && s.Contains('\n', StringComparison.Ordinal) => $"{m.Key}\n{Indented(s.TrimEnd())}",
            _ => $"{m.Key.PadRight(width)}  {Cell(m.Value)}",
        }));
    }

    private static string Indented(string text) => string.Join('\n', text.Split('\n').Select(l => "  " + Tables.Printable(l)));

    private static string Head(string member) => string.Concat(member.Select(c => char.IsAsciiLetterUpper(c) ? " " + c : c.ToString())).ToUpperInvariant();

    private static string Cell(JsonNode? value) => value switch
    {
        null => "",
        JsonArray list => string.Join(' ', list.Select(Cell)),
        JsonValue text when text.TryGetValue<string>(out var s) => Tables.Printable(s),
        _ => value.ToJsonString(),
    };
}

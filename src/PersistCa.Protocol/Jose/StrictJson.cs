using System.Text.Json;
using System.Text.Unicode;

namespace PersistCa.Protocol.Jose;

/// <summary>
/// JSON from strangers, read once and for all: valid UTF-8, no repeated members, bounded depth, and every name and string real text. Afterwards
/// no accessor can throw for what the text holds.
/// </summary>
public static class StrictJson
{
    /// <summary>Reads a document, or says why not.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="maxDepth">Deepest nesting allowed.</param>
    public static Parsed<JsonElement> Read(ReadOnlyMemory<byte> utf8, int maxDepth)
    {
        if (!Utf8.IsValid(utf8.Span))
        {
            return Parsed<JsonElement>.Refused("it is not valid UTF-8");
        }

        try
        {
            using var document = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = maxDepth, AllowDuplicateProperties = false });
            ReadTexts(document.RootElement);
            return Parsed<JsonElement>.Ok(document.RootElement.Clone());
        }
        catch (JsonException e)
        {
            return Parsed<JsonElement>.Refused(
                $"it is not strict JSON (no repeated members, at most {maxDepth} levels): the fault is near byte {e.BytePositionInLine ?? 0} of line {(e.LineNumber ?? 0) + 1}");
        }
        catch (InvalidOperationException)
        {
            return Parsed<JsonElement>.Refused("it holds an escape that is half a character");
        }
    }

    /// <summary>JSON's grammar allows escapes that stand for no text; the library finds out only when asked for the text.</summary>
    private static void ReadTexts(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    _ = member.Name;
                    ReadTexts(member.Value);
                }

                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    ReadTexts(item);
                }

                break;
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            default:
                break;
        }
    }
}

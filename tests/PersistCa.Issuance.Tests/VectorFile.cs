using System.Text.Json;

namespace PersistCa.Issuance.Tests;

/// <summary>Reads the data files under Vectors.</summary>
internal static class VectorFile
{
    public static IReadOnlyList<JsonElement> Read(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Vectors", name)));
        return [.. document.RootElement.EnumerateArray().Select(e => e.Clone())];
    }

    public static TheoryData<string> Names(string file)
    {
        var data = new TheoryData<string>();
        foreach (var row in Read(file))
        {
            data.Add(row.GetProperty("name").GetString()!);
        }

        return data;
    }

    public static JsonElement Row(string file, string name) => Read(file).Single(r => r.GetProperty("name").GetString() == name);

    public static string Text(this JsonElement row, string member) => row.GetProperty(member).GetString()!;
}

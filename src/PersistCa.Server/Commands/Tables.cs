using System.CommandLine;
using System.Globalization;

namespace PersistCa.Server.Commands;

/// <summary>Answers for people and for machines.</summary>
internal static class Tables
{
    private const string Json = "json";

    /// <summary>The option --output.</summary>
    public static Option<string> Option()
    {
        var option = new Option<string>("--output") { Description = "table for people, json for machines.", DefaultValueFactory = _ => "table" };
        option.AcceptOnlyFromAmong("table", Json);
        return option;
    }

    /// <summary>Whether the option asks for JSON.</summary>
    public static bool IsJson(string? value) => value == Json;

    /// <summary>Lays rows out in columns.</summary>
    public static string Lay(IReadOnlyList<string> heads, IEnumerable<IReadOnlyList<string>> rows)
    {
        var all = rows.Prepend(heads).Select(r => r.Select(Printable).ToArray()).ToArray();
        var widths = heads.Select((_, column) => all.Max(r => r[column].Length)).ToArray();
        return string.Join('\n', all.Select(r => string.Join("  ", r.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd()));
    }

    /// <summary>A text without what a terminal would obey: control characters, and those that turn the direction of writing.</summary>
    public static string Printable(string text) =>
        string.Concat(text.Select(c => char.IsControl(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator ? '?' : c));
}
